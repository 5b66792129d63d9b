r"""Telephone numbers: international ones, those of the North American plan, and national ones that a word announces.

Out: `PATTERNS` of the kind `phone`. A number without a word beside it must exist in its numbering plan
(`pipeline.text.personal.phone_rules`); after or before such a word its shape is enough, since people also write numbers
down wrongly.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from pipeline.text.personal.patterns import AFTER_NUMBER, Pattern, digits_of, whole_if
from pipeline.text.personal.phone_rules import LONGEST, is_national, is_number

# Also no-break spaces (U+00A0), hyphens and dashes (U+2010 to U+2013), byte by byte.
_SEPARATOR = rb"(?:[ .\-/()]|\xc2\xa0|\xe2\x80[\x90-\x93])"
# ITU-T E.123: groups of digits; up to two separators between two of them.
_DIGITS = rb"[0-9](?:" + _SEPARATOR + rb"{0,2}[0-9])"
_EXTENSION = rb"(?:[ ,]{0,2}(?:x|ext\.?) ?[0-9]{1,6})?"
_BEFORE = rb"[\w.@\-+(/]"
_SEEN = rb"[\w.@\-+()/ ,\xa0\xc2\xe2\x80\x90-\x93]"
_NORTH_AMERICA = 1
# National numbers of 7 digits without an area code up to a full number (E.164 section 6.2.1).
_FEWEST = 7

# What announces a number, with its inflections: telephone, fax and mobile in the languages of `_AT_HOME`. Words with
# other meanings need a colon, or "me at" and the like.
_WORD_END = rb"(?![\w\x80-\xff])"
_ANNOUNCED = (
    rb"(?i:(?:tele(?:ph|f)on(?:e|o|isch|u|em|icznie|ico)?|telefoon|telefax|t\xc3\xa9l(?:\xc3\xa9phone)?|tel\xc3\xa9fono|tel|tlf|phone|fon|fax|faks|handy|whatsapp"
    rb"|mobile (?:phone|number)|(?:mobil|mobiel|ruf|festnetz)(?:nummer|nr)|cellulare|celular)"
    rb"(?:nummer|nr)?" + _WORD_END + rb"[^0-9+(\x00\n]{0,10}"
    rb"|(?:call|reach|text|phone|ring)(?: (?:me|us|him|her|them|back))? (?:at|on) {1,2}"
    rb"|(?:mobile?|mobiel|m\xc3\xb3vil|cell|desk|office|home|work|direct|ph|t|m|f): {0,3}|cell\. {1,2})"
)
# The calling code in square brackets, as the World Factbook writes it.
_CODE = rb"(?:\[[0-9]{1,3}\] )?"
_TRAILING = rb"[ ,(]{1,2}(?i:office|fax|mobile|mobil|cell|phone|tel|voice|work|home)"
_GROUP_ENDS = re.compile(rb"[0-9](?![0-9])")
_EXTENSION_START = re.compile(rb"[, ]{0,2}[xe]")
_YEARS = re.compile(rb"(?:1[6-9]|20)[0-9]{2} ?(?:[\-/]|\xe2\x80[\x90-\x95]) ?(?:1[6-9]|20)[0-9]{2}")
# Numbers with a decimal point side by side, as in tables of results.
_DECIMALS = re.compile(rb"[0-9]{1,2}\.[0-9]+[ /,]+[0-9]{1,2}\.[0-9]")
# Clauses of the US defence acquisition regulations (48 CFR part 252) look like numbers of the North American plan.
_REGULATION = re.compile(rb"2[05]2\.2[0-9]{2}-70[0-9]{2}")
_DATE = re.compile(rb"[0-9]{1,2}([./\-])[0-9]{1,2}\1(?:19|20)[0-9]{2}|(?:19|20)[0-9]{2}([./\-])[0-9]{2}\2[0-9]{2}")


def longest_number(span: bytes) -> int:
    """Bytes of the longest beginning of an international number that ends with a group and is valid; 0 if none is.

    Numbers swallow what follows them (`+49 30 901820 10`), so groups are removed from the end.
    """
    core = _without_extension(span)
    for end in reversed([match.end() for match in _GROUP_ENDS.finditer(core)]):
        digits = digits_of(core[:end])
        if is_number(digits[2:] if digits.startswith(b"00") else digits):
            return len(span) if end == len(core) else end
    return 0


def north_american(span: bytes) -> int:
    """Ten digits, perhaps after a 1, whose area code exists."""
    if _REGULATION.fullmatch(span):
        return 0
    digits = digits_of(_without_extension(span))
    return len(span) if is_national(_NORTH_AMERICA, digits[-10:]) else 0


def announced(span: bytes) -> int:
    """A number by shape: 7 to 15 digits that are neither years nor a date."""
    core = _without_extension(span)
    if _YEARS.match(core) or _DATE.match(core) or _DECIMALS.search(core):
        return 0
    for end in reversed([match.end() for match in _GROUP_ENDS.finditer(core)]):
        count = len(digits_of(core[:end]))
        if count < _FEWEST:
            return 0
        if count <= LONGEST:
            return len(span) if end == len(core) else end
    return 0


def bracketed(span: bytes) -> int:
    """A national number whose area code is in brackets with its trunk prefix: 9 to 12 digits."""
    return len(span) if 9 <= len(digits_of(span)) <= 12 else 0


def _without_extension(span: bytes) -> bytes:
    found = _EXTENSION_START.search(span)
    return span[: found.start()] if found else span


class _AtHome(NamedTuple):
    """National numbers that a weaker word announces, anywhere in its clause: they must exist in one of the plans."""

    words: bytes
    number: bytes
    # The digits, not the words, are the core: such words are everywhere.
    core: bytes
    # Calling codes; whether the trunk prefix 0 is not part of the number (in Italy it is).
    codes: tuple[int, ...]
    trunk: bool


# Eight digits and more after the trunk prefix: what all numbers with one have, and so their core.
_EIGHT_DIGITS = rb"0[1-9](?:[ ./\-()]{0,4}[0-9]){6}"
_AFTER_ZERO = rb"[ (]" + _EIGHT_DIGITS
_AHEAD = rb"(?=\(?" + _EIGHT_DIGITS + rb")"
_PAIRS = rb"0[1-9](?:[ .\-]?[0-9]{2}){4}"
_AT_HOME = (
    _AtHome(
        rb"calls?|calling|ring|dial|phone|text|contact|reach|number is|numbers? are|helpline|hotline|customer"
        rb" service|enquiries|inquiries"
        rb"|bookings?",
        _AHEAD + rb"\(?0[1-9][0-9]{1,4}\)?[ \-]?[0-9]{2,4}[ \-]?[0-9]{3,6}",
        _AFTER_ZERO,
        (44, 353, 61, 64),
        True,
    ),
    _AtHome(
        rb"call|calling|dial|phone|text|contact|helpline|hotline|customer service|toll[ .\-]free",
        rb"(?:1[ \-]?)?[2-9][0-9]{2}[2-9][0-9]{6}",
        rb"(?i:call|calling|dial|phone|text|contact|line|service|free)\b[^0-9+;!?\x00\n]{1,25}[0-9"
        rb" \-]{0,2}[2-9][0-9]{9}",
        (1,),
        False,
    ),
    _AtHome(
        rb"ruf|rufen|anrufen|anruf|erreichen|erreichbar|erreichst|hotline|nummer|unter|kontakt|auskunft|anmeldung|ansprechpartner(?:in)?",
        _AHEAD + rb"\(?0[1-9][0-9]{1,4}\)?[ /\-]{0,3}[0-9]{2,5}(?:[ \-]?[0-9]{2,5}){1,4}",
        _AFTER_ZERO,
        (49, 43, 41),
        True,
    ),
    _AtHome(
        rb"au|le|appel(?:ez|er|le)|rappel(?:ez|er)|joindre|joignable|contact(?:ez|er)?|mobile|portable|renseignements|num\xc3\xa9ro|fixe",
        _AHEAD + _PAIRS,
        _AFTER_ZERO,
        (33,),
        True,
    ),
    _AtHome(
        rb"ll\xc3\xa1m(?:ame|anos|alo|ala)|llam(?:e|ar|ando|ad)|m\xc3\xb3vil|contacto|contactar|fijo",
        rb"[6-9][0-9]{2}[ .\-]?[0-9]{2,3}[ .\-]?[0-9]{2,3}(?:[ .\-]?[0-9]{2})?",
        rb"(?i:ll\xc3\xa1m|llam|m\xc3\xb3vil|contact(?:o|ar)|fijo)[^0-9+;!?\x00\n]{1,29}[ (][6-9][0-9]{2}",
        (34,),
        False,
    ),
    _AtHome(
        rb"chiam(?:ami|aci|are|ate|a)|contattare|contatt(?:ami|aci|i)|cell\.?|numero(?!"
        rb" d')|informazioni|prenotazioni|trova al|risponde al",
        rb"(?:0[1-9]|3[2-9])[0-9]{1,2}[ ./\-]?[0-9]{3,4}[ ./\-]?[0-9]{3,4}",
        rb"[ (](?:0[1-9]|3[2-9])[0-9](?:[ ./\-]?[0-9]){5}",
        (39,),
        False,
    ),
    _AtHome(
        rb"bel|bellen|belt|bereik(?:baar|en)|nummer|mobiel|contact",
        _AHEAD + rb"\(?0[1-9][0-9]{0,2}\)?[ \-]{0,2}[0-9]{2,4}(?:[ \-]?[0-9]{2,4}){1,3}",
        _AFTER_ZERO,
        (31, 32),
        True,
    ),
    _AtHome(
        rb"dzwoni\xc4\x87|zadzwo\xc5\x84|dzwo\xc5\x84|numer|numerem|kontakt|kom\.|kom\xc3\xb3rka|infolinia",
        rb"(?:[0-9]{3}[ \-][0-9]{3}[ \-][0-9]{3}|[0-9]{2}[ \-][0-9]{3}[ \-][0-9]{2}[ \-][0-9]{2})",
        rb"(?i:dzwoni\xc4\x87|dzwo\xc5\x84|numer(?:em)?|kontakt|kom\.|kom\xc3\xb3rka|infolinia)"
        rb"[^0-9+;!?\x00\n]{1,25}[0-9]{2,3}[ \-][0-9]{3}",
        (48,),
        False,
    ),
)
# Between such a word and its number: no digit, no end of a sentence.
_CLAUSE = rb"[^0-9+.;!?\x00\n]{1,24}?"


def _at_home(entry: _AtHome) -> Pattern:
    def accepts(span: bytes) -> bool:
        digits = digits_of(span)
        national = digits.removeprefix(b"0") if entry.trunk else digits
        return not _DATE.match(span) and any(is_national(code, national) for code in entry.codes)

    words = rb"(?i:" + entry.words + rb")"
    return Pattern(
        kind="phone",
        cores=(entry.core,),
        pattern=words + _WORD_END + _CLAUSE + rb"(?<=[ (])(?P<span>" + entry.number + rb")",
        before=rb"\w",
        after=AFTER_NUMBER + rb"|[ .,/][0-9]",
        seen=rb"[^\x00\n]",
        longest=104,
        measure=whole_if(accepts),
    )


PATTERNS = (
    Pattern(
        kind="phone",
        cores=(rb"\+[0-9]" + _SEPARATOR + rb"{0,2}[0-9]" + _SEPARATOR + rb"{0,2}[0-9]",),
        pattern=rb"\+" + _DIGITS + rb"{6,16}" + _EXTENSION,
        before=_BEFORE,
        seen=_SEEN,
        longest=160,
        measure=longest_number,
    ),
    # Without separators such a number could be anything.
    Pattern(
        kind="phone",
        cores=(
            rb"00[1-9][0-9]{0,2}[ .\-](?:[0-9]|\(0\) ?[0-9])"
            + _SEPARATOR
            + rb"{0,2}[0-9]"
            + _SEPARATOR
            + rb"{0,2}[0-9]",
        ),
        pattern=rb"00[1-9][0-9]{0,2}[ .\-](?:\(0\) ?)?" + _DIGITS + rb"{5,14}" + _EXTENSION,
        before=_BEFORE,
        seen=_SEEN,
        longest=160,
        measure=longest_number,
    ),
    # North American Numbering Plan: area codes and exchanges begin with 2 to 9.
    Pattern(
        kind="phone",
        cores=(rb"[2-9][0-9]{2}[ .\-][0-9]{4}",),
        pattern=rb"(?:\+?1[ .\-]?)?(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[ .\-])[2-9][0-9]{2}[ .\-][0-9]{4}" + _EXTENSION,
        before=_BEFORE,
        seen=_SEEN,
        longest=34,
        measure=north_american,
    ),
    Pattern(
        kind="phone",
        cores=(rb"\(0[0-9]{1,4}\)[ \-]?[0-9]",),
        pattern=rb"\(0[0-9]{1,4}\)[ \-]?[0-9](?:[ .\-]?[0-9]){5,9}",
        before=_BEFORE,
        seen=_SEEN,
        longest=27,
        measure=bracketed,
    ),
    Pattern(
        kind="phone",
        cores=(_ANNOUNCED.replace(_WORD_END, rb"\b") + rb"[+([]{0,3}[0-9]",),
        # The first letters of all words: this rules most places out.
        pattern=rb"(?=[CDFHMOPRTWcdfhmoprtw])"
        + _ANNOUNCED
        + rb"(?P<span>"
        + _CODE
        + rb"\(?\+?\(?"
        + _DIGITS
        + rb"{6,16}"
        + _EXTENSION
        + rb")",
        before=rb"\w",
        seen=rb"[^\x00\n]",
        longest=200,
        measure=announced,
    ),
    Pattern(
        kind="phone",
        cores=(rb"[0-9]" + _TRAILING,),
        pattern=rb"(?P<span>\+?" + _DIGITS + rb"{7,12}" + _EXTENSION + rb")" + _TRAILING,
        before=_BEFORE,
        # A colon: the word announces what follows it.
        after=rb"\w|:",
        seen=rb"[\w.@\-+()/ ,:\xa0\xc2\xe2\x80\x90-\x93]",
        longest=130,
        measure=announced,
    ),
    *(_at_home(entry) for entry in _AT_HOME),
)
