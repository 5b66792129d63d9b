"""Which digits are a telephone number: the rules of `phonenumbers` (Google's libphonenumber), compiled once per calling
code.

In: the digits of a number with its calling code. Out: whether the numbering plan gives such numbers out. `phonenumbers`
itself needs about 50 times as long, since it parses texts; the rules are the same.
"""

from __future__ import annotations

import re
from functools import cache

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

# UN M.49: the world. Calling codes such as +800 belong to no region.
_NO_REGION = "001"
# ITU-T E.164 section 6.2.1: at most 15 digits with the calling code. The shortest numbers abroad (Niue, Saint Helena)
# have 7.
SHORTEST, LONGEST = 7, 15
_TYPES = tuple(
    "fixed_line, mobile, toll_free, premium_rate, shared_cost, personal_number, voip, pager, uan, voicemail".split(", ")
)


def is_number(digits: bytes) -> bool:
    """Digits that begin with a calling code and are a number of its plan; one trunk prefix 0 after the calling code is
    forgiven.
    """
    if not SHORTEST <= len(digits) <= LONGEST:
        return False
    for length in (1, 2, 3):
        code = int(digits[:length])
        # Calling codes are prefix-free (E.164).
        if code in COUNTRY_CODE_TO_REGION_CODE:
            national = digits[length:]
            return is_national(code, national) or (national.startswith(b"0") and is_national(code, national[1:]))
    return False


def is_national(code: int, national: bytes) -> bool:
    """A number of the plan of a calling code, without trunk prefix: what `phonenumbers.is_valid_number` says of it."""
    return any(general.fullmatch(national) and kinds.fullmatch(national) for general, kinds in _rules(code))


@cache
def _rules(code: int) -> tuple[tuple[re.Pattern[bytes], re.Pattern[bytes]], ...]:
    """Per region of a calling code: what all its numbers match, and what those of some type match."""
    rules = []
    for region in COUNTRY_CODE_TO_REGION_CODE[code]:
        plan = (
            PhoneMetadata.metadata_for_nongeo_region(code)
            if region == _NO_REGION
            else PhoneMetadata.metadata_for_region(region)
        )
        if plan is None:
            continue
        kinds = [_pattern(getattr(plan, name)) for name in _TYPES]
        rules.append((_compile([_pattern(plan.general_desc)]), _compile(kinds)))
    return tuple(rules)


def _pattern(description: object) -> str | None:
    """National pattern and possible lengths of one type as one expression; None if the plan has no such numbers."""
    pattern = getattr(description, "national_number_pattern", None)
    if pattern is None:
        return None
    lengths = [length for length in getattr(description, "possible_length", ()) if length > 0]
    ahead = f"(?=(?:{'|'.join(f'[0-9]{{{length}}}' for length in lengths)})$)" if lengths else ""
    return f"{ahead}(?:{pattern})"


def _compile(patterns: list[str | None]) -> re.Pattern[bytes]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns if pattern is not None).encode(), re.ASCII)
