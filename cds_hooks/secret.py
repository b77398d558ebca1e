"""A text that must not be shown: an access token of an EHR."""

from __future__ import annotations

from typing import Any, NoReturn


class Secret:
    """Holds a text that no log, error, format or encoder can show; only :meth:`reveal` gives it out."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the one header that needs it."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    def __format__(self, _spec: str) -> str:
        return "***"

    def __reduce_ex__(self, _protocol: Any) -> NoReturn:
        raise TypeError("A secret cannot be pickled or copied.")

    def __getstate__(self) -> NoReturn:
        raise TypeError("A secret cannot be pickled or copied.")
