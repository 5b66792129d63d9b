"""Bank accounts and payment cards.

Out: `PATTERNS` of the kinds `iban` and `payment_card`.
"""

from __future__ import annotations

import re

from stdnum import luhn
from stdnum.iso7064 import mod_97_10

from pipeline.text.personal.patterns import Pattern, digits_of, whole_if

# Characters of an IBAN by country (SWIFT IBAN registry, ISO 13616).
_IBAN_LENGTHS = {
    15: "NO",
    16: "BE BI",
    18: "DK FI FK FO GL NL SD",
    19: "MK SI",
    20: "AT BA EE KZ LT LU MN XK",
    21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA",
    23: "AE GI IL IQ OM SO TL",
    24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "LY PT ST",
    26: "IS TR",
    27: "BF CF CM FR GR IT MC MR SM",
    28: "AL AZ BY CY DO GT HU LB NI PL SV",
    29: "BR EG PS QA UA",
    30: "JO KW MU",
    31: "MT SC",
    32: "LC",
    33: "RU",
}
_SEPARATORS = re.compile(rb"[ \-]")


def iban(span: bytes) -> bool:
    """ISO 13616: the first four characters moved to the end, remainder 1 mod 97."""
    characters = _SEPARATORS.sub(b"", span)
    return mod_97_10.is_valid((characters[4:] + characters[:4]).decode())


def payment_card(span: bytes) -> bool:
    """Issuer and length agree, and the Luhn sum is right (ISO/IEC 7812-1).

    Issuers' ranges as published by them: Visa 4 (13, 16, 19 digits), Mastercard 51-55 and 2221-2720 (16), American
    Express 34 and 37 (15), Discover 6011, 644-649, 65 (16 to 19), Diners 300-305, 3095, 36, 38, 39 (14 to 19), JCB
    3528-3589 (16 to 19), UnionPay 62 (16 to 19), Maestro 5018, 5020, 5038, 5893, 6304, 6759, 6761-6763 (13 to 19; only
    16 and more here).
    """
    digits = digits_of(span)
    length, two, three, four = len(digits), int(digits[:2]), int(digits[:3]), int(digits[:4])
    known = (
        (digits[0] == 52 and length in (13, 16, 19))
        or ((51 <= two <= 55 or 2221 <= four <= 2720) and length == 16)
        or (two in (34, 37) and length == 15)
        or ((four == 6011 or 644 <= three <= 649 or two in (65, 62) or 3528 <= four <= 3589) and 16 <= length <= 19)
        or ((300 <= three <= 305 or four == 3095 or two in (36, 38, 39)) and 14 <= length <= 19)
        or (four in (5018, 5020, 5038, 5893, 6304, 6759, 6761, 6762, 6763) and 16 <= length <= 19)
    )
    return known and len(set(digits)) > 1 and luhn.is_valid(digits.decode())


_IBANS = b"|".join(
    rb"(?:" + countries.replace(" ", "|").encode() + rb")[0-9]{2}(?:[ \-]?[0-9A-Z]){%d}" % (length - 4)
    for length, countries in _IBAN_LENGTHS.items()
)

PATTERNS = (
    Pattern(
        kind="iban",
        cores=(rb"[A-Z]{2}[0-9]{2}[ \-]?[0-9A-Z][ \-]?[0-9A-Z][ \-]?[0-9A-Z][ \-]?[0-9A-Z][ \-]?[0-9A-Z]",),
        pattern=rb"(?:" + _IBANS + rb")",
        seen=rb"[\w.@ \-]",
        longest=62,
        measure=whole_if(iban),
    ),
    Pattern(
        kind="payment_card",
        cores=(rb"[0-9]{13}", rb"[0-9]{4}[ \-][0-9]{4}[ \-][0-9]{4}", rb"[0-9]{4}[ \-][0-9]{6}[ \-][0-9]{4}"),
        # IBANs hold groups of four as well: the start of an IBAN or another group may not come before.
        pattern=rb"(?<![A-Z]{2}[0-9]{2}[ \-])(?<![A-Z][0-9]{3}[ \-])(?<![0-9]{4}[ \-])"
        rb"(?:[2-6][0-9]{12,18}|[2-6][0-9]{3}([ \-])[0-9]{4}\1[0-9]{4}\1[0-9]{4}(?:\1[0-9]{3})?"
        rb"|3[0-9]{3}([ \-])[0-9]{6}\2[0-9]{4,5})",
        before=rb"[\w.,@\-]",
        after=rb"[\w@\-]|\.[0-9]",
        seen=rb"[\w.,@ \-]",
        longest=32,
        measure=whole_if(payment_card),
    ),
)
