r"""Numbers that states give to people: the US and, of Europe, those with check digits or a shape of their own.

Out: `PATTERNS` of the kind `national_id`. Numbers whose shape and check digits are unlikely to come about by chance
count anywhere. All others, which are plain digits or pass by chance too often, count only after a word that announces
them, at most 24 bytes before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from stdnum.gr import amka
from stdnum.hr import oib
from stdnum.it import codicefiscale
from stdnum.nl import bsn
from stdnum.pl import pesel

from pipeline.text.personal import check_digits
from pipeline.text.personal.patterns import ANYTHING, GAP, GAP_AND_DIGIT, Pattern, whole_if

# Longest words of `_ANNOUNCED`, gap and number.
_LONGEST_ANNOUNCED = 48 + 24 + 40


class _Announced(NamedTuple):
    """A number that counts after certain words only."""

    words: bytes
    number: bytes
    accepts: Callable[[str], bool]


def _characters(span: bytes) -> str:
    """Letters and digits of a span."""
    return bytes(byte for byte in span if 48 <= byte <= 57 or 65 <= byte <= 90).decode()


def _plain(accepts: Callable[[str], bool]) -> Callable[[bytes], int]:
    """A check on the number without its separators."""
    return whole_if(lambda span: accepts(_characters(span)))


def _after_century(accepts: Callable[[str], bool]) -> Callable[[str], bool]:
    """A check on the last ten digits."""
    return lambda digits: accepts(digits[-10:])


# Words are matched without regard to case; the only bars are between their alternatives.
_ANNOUNCED = (
    _Announced(rb"ssn|social security", rb"[0-9]{3}[ \-]?[0-9]{2}[ \-]?[0-9]{4}", check_digits.united_states),
    _Announced(
        rb"steuer-?id(?:entifikationsnummer)?|identifikationsnummer|(?:steuer-?)?id-?nr",
        rb"[1-9][0-9][ ]?[0-9]{3}[ ]?[0-9]{3}[ ]?[0-9]{3}",
        check_digits.germany_tax,
    ),
    _Announced(
        rb"personalausweis(?:nummer)?|personalausweisnr|ausweis-?nummer|ausweis-?nr",
        rb"[CFGHJKLMNPRTVWXYZ0-9]{9}[ ]?[0-9]",
        check_digits.germany_card,
    ),
    _Announced(
        rb"rentenversicherungsnummer|sozialversicherungsnummer|versicherungsnummer|sv-?nummer|sv-?nr|rv-?nummer|rv-?nr|vsnr",
        rb"[0-9]{2} ?[0-3][0-9][01][0-9]{3} ?[A-Z] ?[0-9]{3}",
        check_digits.germany_pension,
    ),
    _Announced(rb"bsn|burger-?service-?nummer|sofi-?nummer", rb"[0-9]{4}[ .]?[0-9]{2}[ .]?[0-9]{3}", bsn.is_valid),
    _Announced(
        rb"rijksregister(?:nummer)?|registre national|num\xc3\xa9ro national|nationaal nummer|insz|niss",
        rb"[0-9]{2}[ .]?[0-9]{2}[ .]?[0-9]{2}[ \-]?[0-9]{3}[ .]?[0-9]{2}",
        check_digits.belgium,
    ),
    _Announced(rb"pesel", rb"[0-9]{11}", pesel.is_valid),
    _Announced(
        rb"personnummer|personnr|samordningsnummer",
        rb"(?:19|20)?[0-9]{6}[\-+ ]?[0-9]{4}",
        _after_century(check_digits.sweden),
    ),
    _Announced(rb"cpr|personnummer|f\xc3\xb8dselsnummer", rb"[0-9]{6}[\- ]?[0-9]{4}", check_digits.denmark),
    _Announced(
        rb"nif|contribuinte|n\xc3\xbamero fiscal", rb"[0-9]{3}[ .]?[0-9]{3}[ .]?[0-9]{3}", check_digits.portugal
    ),
    _Announced(
        rb"svnr|sv-?nummer|(?:sozial)?versicherungsnummer|sozialversicherungsnr",
        rb"[1-9][0-9]{3}[ \-/]?[0-9]{6}",
        check_digits.austria,
    ),
    _Announced(
        rb"ppsn?|personal public service|revenue and social insurance",
        rb"[0-9]{7}[ ]?[A-W][A-IW]?",
        check_digits.ireland,
    ),
    _Announced(
        rb"nino|national insurance",
        rb"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2}(?: ?[A-D])?",
        check_digits.united_kingdom,
    ),
    _Announced(rb"isikukood|personal code|asmens kodas|a\.k\.", rb"[1-8][0-9]{10}", check_digits.baltic),
    _Announced(rb"cnp|cod numeric personal", rb"[1-9][0-9]{12}", check_digits.romania),
    _Announced(rb"egn|\xd0\x95\xd0\x93\xd0\x9d", rb"[0-9]{10}", check_digits.bulgaria),
    _Announced(rb"oib|osobni identifikacijski broj", rb"[0-9]{11}", oib.is_valid),
    _Announced(rb"amka|\xce\x91\xce\x9c\xce\x9a\xce\x91", rb"[0-9]{11}", amka.is_valid),
)


def _announced(entry: _Announced) -> Pattern:
    words = rb"(?i:" + entry.words + rb")"
    # A word boundary makes the gate narrower; it knows ASCII letters only.
    ascii_words = rb"(?i:" + b"|".join(word for word in entry.words.split(b"|") if rb"\x" not in word) + rb")"
    others = [rb"(?i:" + word + rb")" for word in entry.words.split(b"|") if rb"\x" in word]
    return Pattern(
        kind="national_id",
        cores=(ascii_words + rb"\b" + GAP_AND_DIGIT, *(word + GAP_AND_DIGIT for word in others)),
        pattern=words + rb"(?![\w\x80-\xff])" + GAP + rb"(?<![\w.])(?P<span>" + entry.number + rb")",
        before=rb"\w",
        seen=ANYTHING,
        longest=_LONGEST_ANNOUNCED,
        measure=_plain(entry.accepts),
    )


# Spanish and German numbers hold this; one core for both is searched for once.
_EIGHT_DIGITS_AND_LETTER = rb"(?:[0-9]{8}|[XYZ]-?[0-9]{7})-?[A-Z]"

PATTERNS = (
    # After an area code in brackets such groups are a telephone number's.
    Pattern(
        kind="national_id",
        cores=(rb"[0-9]{3}-[0-9]{2}-[0-9]{4}",),
        pattern=rb"(?<!\) )[0-9]{3}-[0-9]{2}-[0-9]{4}",
        seen=rb"[\w.@\-) ]",
        longest=11,
        measure=_plain(check_digits.united_states),
    ),
    # Spain: DNI and NIE.
    Pattern(
        kind="national_id",
        cores=(_EIGHT_DIGITS_AND_LETTER,),
        pattern=rb"(?:[0-9]{8}|[XYZ]-?[0-9]{7})-?[A-HJ-NP-TV-Z]",
        seen=rb"[\w.@\-]",
        longest=11,
        measure=_plain(check_digits.spain),
    ),
    # Germany: pension insurance; in its groups it needs its word.
    Pattern(
        kind="national_id",
        cores=(_EIGHT_DIGITS_AND_LETTER,),
        pattern=rb"[0-9]{2}[0-3][0-9][01][0-9]{3}[A-Z][0-9]{3}",
        seen=rb"[\w.@\-]",
        longest=12,
        measure=_plain(check_digits.germany_pension),
    ),
    # Italy: letters may replace digits, but not when it is written in groups.
    Pattern(
        kind="national_id",
        cores=(rb"[A-Z][0-9LMNP-V]{2}[ABCDEHLMPRST][0-9LMNP-V]{2} ?[A-Z]", rb"[A-Z] [0-9]{2}[ABCDEHLMPRST][0-9]{2}"),
        pattern=rb"[A-Z]{6}(?:[0-9LMNP-V]{2}[ABCDEHLMPRST][0-7LMNP-T][0-9LMNP-V] ?[A-Z][0-9LMNP-V]{3}[A-Z]"
        rb"| [0-9]{2}[ABCDEHLMPRST][0-7][0-9] ?[A-Z][0-9]{3}[A-Z])",
        seen=rb"[\w.@ \-]",
        longest=18,
        measure=_plain(codicefiscale.is_valid),
    ),
    # France: together, or in its groups.
    Pattern(
        kind="national_id",
        cores=(rb"[12][0-9]{4}(?:[0-9]{2}|2[AB])[0-9]{6}", rb"[12] [0-9]{2} [0-9]{2} (?:[0-9]{2}|2[AB]) [0-9]{3}"),
        pattern=(
            rb"[12](?:[0-9]{4}(?:[0-9]{2}|2[AB])[0-9]{6} ?[0-9]{2}| [0-9]{2} [0-9]{2} (?:[0-9]{2}|2[AB]) [0-9]{3}"
            rb" [0-9]{3} [0-9]{2})"
        ),
        seen=rb"[\w.@ \-]",
        longest=21,
        measure=_plain(check_digits.france),
    ),
    # United Kingdom: letters that NINOs never have are left out (HMRC, NIM39110).
    Pattern(
        kind="national_id",
        cores=(rb"[A-Z]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]",),
        pattern=rb"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?:[0-9]{6}| [0-9]{2} [0-9]{2} [0-9]{2} )[A-D]",
        seen=rb"[\w.@ \-]",
        longest=13,
        measure=_plain(check_digits.united_kingdom),
    ),
    # Finland: a sign for the century between date and counter.
    Pattern(
        kind="national_id",
        cores=(rb"[0-3][0-9][01][0-9]{3}[\-+A-FU-Y][0-9]{3}[0-9A-Y]",),
        pattern=rb"[0-3][0-9][01][0-9]{3}[\-+A-FU-Y][0-9]{3}[0-9A-Y]",
        seen=rb"[\w.@\-+]",
        longest=11,
        measure=whole_if(lambda span: check_digits.finland(span.decode())),
    ),
    # Belgium, in its groups.
    Pattern(
        kind="national_id",
        cores=(rb"[0-9]{2}\.[0-9]{2}\.[0-9]{2}-[0-9]{3}\.[0-9]{2}",),
        pattern=rb"[0-9]{2}\.[0-9]{2}\.[0-9]{2}-[0-9]{3}\.[0-9]{2}",
        seen=rb"[\w.@\-]",
        longest=15,
        measure=_plain(check_digits.belgium),
    ),
    # Sweden, with the full year; with two digits of it one number in 250 of that shape passes, so it needs its word.
    Pattern(
        kind="national_id",
        cores=(rb"(?:19|20)[0-9]{6}[\-+][0-9]{4}",),
        pattern=rb"(?:19|20)[0-9]{6}[\-+][0-9]{4}",
        seen=rb"[\w.@\-+]",
        longest=13,
        measure=_plain(_after_century(check_digits.sweden)),
    ),
    # Czechia and Slovakia.
    Pattern(
        kind="national_id",
        cores=(rb"[0-9]{6}/[0-9]{4}",),
        pattern=rb"[0-9]{6}/[0-9]{4}",
        before=rb"[\w.@/\-]",
        after=rb"[\w@/\-]",
        seen=rb"[\w.@/\-]",
        longest=11,
        measure=_plain(check_digits.czechia),
    ),
    *(_announced(entry) for entry in _ANNOUNCED),
)
