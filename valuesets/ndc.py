"""National Drug Codes: every way of writing one, read to the number of the product without its package."""

import re
from typing import Final

# Labeller and product in four and four, five and three, or five and four digits; then the package, or none.
_PARTED: Final = re.compile(
    r"(?:(\d{4})-(\d{4})(?:-\d\d)?|(\d{5})-(\d{3})(?:-\d\d)?|(\d{5})-(\d{4})(?:-\d\d?)?)", re.ASCII
)
PRINTED: Final = 12  # characters of a product's number as it is printed, with its package: ten digits, two hyphens
_BILLING: Final = 11  # digits of the form that pads each part
_UNPADDED: Final = 10  # digits of the form that stands on the package


def readings(code: str) -> tuple[str, ...]:
    """The product numbers of nine digits, labeller and product, that ``code`` may mean; none if it is no NDC.

    With hyphens (4-4-2, 5-3-2, 5-4-1, 5-4-2, or without the package) and in eleven digits there is one reading. Ten
    digits without hyphens have three, for the code itself does not tell which part is the short one.
    """
    parted = _PARTED.fullmatch(code) or _PARTED.fullmatch(text := "".join(code.split()))
    if parted is not None and parted.lastindex is not None:
        return (parted[parted.lastindex - 1].zfill(5) + parted[parted.lastindex].zfill(4),)
    if not (text.isascii() and text.isdecimal()):
        return ()
    if len(text) == _BILLING:
        return (text[:9],)
    if len(text) == _UNPADDED:
        return (f"0{text[:8]}", f"{text[:5]}0{text[5:8]}", text[:9])
    return ()


def number_of(product: str) -> str:
    """The number of a product as the data write it, "0143-9319", which needs no check: every start reads them all."""
    labeller, _, rest = product.partition("-")
    return labeller.zfill(5) + rest.zfill(4)
