"""Check digits of LOINC and SNOMED CT codes: a code that was mistyped anywhere on its way to us fails here."""

_TIMES = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    (1, 2, 3, 4, 0, 6, 7, 8, 9, 5),
    (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
    (3, 4, 0, 1, 2, 8, 9, 5, 6, 7),
    (4, 0, 1, 2, 3, 9, 5, 6, 7, 8),
    (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
    (6, 5, 9, 8, 7, 1, 0, 4, 3, 2),
    (7, 6, 5, 9, 8, 2, 1, 0, 4, 3),
    (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
    (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)
_MOVE = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def snomed_ok(code: str) -> bool:
    """True if ``code`` passes the Verhoeff check of SNOMED CT identifiers."""
    if not code.isdecimal():
        return False
    row, check = list(range(10)), 0
    for digit in reversed(code):
        check = _TIMES[check][row[int(digit)]]
        row = [_MOVE[one] for one in row]
    return check == 0


def loinc_ok(code: str) -> bool:
    """True if ``code`` is a LOINC number with a right mod-10 check digit."""
    body, _, check = code.partition("-")
    if not body.isdecimal() or not check.isdecimal():
        return False
    doubled = str(int(body[::-1][::2][::-1]) * 2)
    total = sum(map(int, doubled)) + sum(map(int, body[::-1][1::2]))
    return (10 - total % 10) % 10 == int(check)
