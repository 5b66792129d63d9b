r"""Street addresses: a house number and a street as English, German, Dutch and French write them, with what follows on the same line.

Out: `PATTERNS` of the kind `street_address`. A street's name begins with a capital letter. Types of streets that are also common words
count only where a unit, a postcode or a town with its state follows.
"""

from __future__ import annotations

from pipeline.personal.patterns import Pattern

_SEEN = rb"[^\x00\n]"
# A letter of any alphabet: ASCII, or a byte of a longer character.
_LETTER = rb"[A-Za-z\x80-\xff]"
_CAPITAL = rb"(?:[A-Z]|[\xc3-\xdf][\x80-\xbf])"

# English (US: USPS Publication 28, appendix C1, the suffixes in use as words; UK: the common thoroughfare types).
_STRONG = (
    rb"(?:Street(?! Journal)|Avenue|Ave|Road|Rd|Boulevard|Blvd|Drive|Lane|Ln|Parkway|Pkwy|Highway|Hwy|Turnpike|Crescent|Terrace|Broadway)"
)
_WEAK = rb"(?:Court|Ct|Place|Pl|Square|Sq|Way|Circle|Cir|Trail|Close|Gardens|Grove|Mews|Row|Hill|Park|Walk|View|Loop|Alley|Plaza)"
_DIRECTION = rb"(?:(?:N|S|E|W|NE|NW|SE|SW|North|South|East|West)\.? )?"
# A word with a capital, or an ordinal number: `West 42nd`.
_NAME = rb"(?:(?:[A-Z][A-Za-z0-9'.\-]{0,24}|[0-9]{1,3}(?:st|nd|rd|th)) ){1,4}?"
# "St." and "Dr." begin names of people as well: no name may follow.
_SHORT = rb"(?:St|Dr)"
_CORE = rb"[0-9][A-Za-z]? [A-Z0-9][A-Za-z0-9'.\- ]{0,110} "
_HOUSE = rb"[1-9][0-9]{0,4}(?:-[0-9]{1,4})?[A-Za-z]? "
_END = rb"\b\.?(?: (?:N|S|E|W|NE|NW|SE|SW)\b)?"
_UNIT = rb"(?:[ ,]{1,3}(?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|Room|#)\.? ?[A-Za-z0-9\-]{1,6})"
_TOWN = rb"(?:[A-Z][A-Za-z'.\-]{1,24} ?){1,3}"
_STATE = rb"(?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY])"
_POSTCODE = rb"[A-Z]{1,2}[0-9][0-9A-Z]? ?[0-9][A-Z]{2}"
_PLACE = rb"(?:[ ,]{1,2}" + _TOWN + rb",? (?:" + _STATE + rb",? [0-9]{5}(?:-[0-9]{4})?|" + _POSTCODE + rb")|[ ,]{1,2}" + _POSTCODE + rb")"

# German and Dutch: the type closes the street's name or stands after it, the number comes last.
_COMPOUND = rb"(?:stra(?:\xc3\x9f|ss)e|str\.|gasse|allee|weg|ufer|damm|g\xc3\xbcrtel|straat|laan|gracht|plein|kade|singel)"
_APART = rb"(?:Stra(?:\xc3\x9f|ss)e|Str\.|Allee|Platz|Gasse|Weg|Ufer|Damm|Ring|G\xc3\xbcrtel)"
_NUMBER_LAST = rb" [1-9][0-9]{0,2}(?: ?[a-z]\b)?(?: ?[-/] ?[0-9]{1,4}[a-z]?)?"
_TOWN_AFTER_CODE = rb"(?:,? (?:[A-Z]{1,2}-)?[0-9]{4,5}(?: [A-Z]{2})? " + _CAPITAL + _LETTER + rb"{1,30})"

# French: number, type, name.
_FRENCH = rb"(?:rue|avenue|boulevard|chemin|all\xc3\xa9e|impasse|quai|cours|route|place)"
_FRENCH_WORD = _CAPITAL + rb"[A-Za-z\x80-\xff'\-]{1,30}"
_FRENCH_NAME = rb" (?:(?:de|du|des|la|le|les) |[ld]'){0,3}" + _FRENCH_WORD + rb"(?: " + _FRENCH_WORD + rb"){0,3}"

PATTERNS = (
    Pattern(
        kind="street_address",
        cores=(_CORE + rb"(?:" + _STRONG.replace(rb"(?! Journal)", b"") + rb"|" + _SHORT + rb")",),
        pattern=_HOUSE + _DIRECTION + _NAME + rb"(?:" + _STRONG + _END + _UNIT + rb"?" + _PLACE + rb"?"
        rb"|" + _SHORT + _END + rb"(?:" + _UNIT + _PLACE + rb"?|" + _PLACE + rb"|(?!\.? ?[A-Z\x80-\xff])))",
        before=rb"[\w.,$:/\-]|[\x80-\xff]",
        after=rb"[\w\x80-\xff]",
        seen=_SEEN,
        longest=320,
    ),
    Pattern(
        kind="street_address",
        cores=(_CORE + _WEAK + rb"[ ,.]",),
        pattern=_HOUSE + _DIRECTION + _NAME + _WEAK + _END + rb"(?:" + _UNIT + _PLACE + rb"?|" + _PLACE + rb")",
        before=rb"[\w.,$:/\-]|[\x80-\xff]",
        after=rb"[\w\x80-\xff]",
        seen=_SEEN,
        longest=320,
    ),
    Pattern(
        kind="street_address",
        cores=(rb"(?:platz|" + _COMPOUND + rb") [1-9]", rb"[A-Za-z\x80-\xff] " + _APART + rb" [1-9]", rb"-" + _APART + rb" [1-9]"),
        pattern=rb"(?!Bundesstr|Landesstr|Kreisstr|Autobahn)" + _CAPITAL + _LETTER + rb"{1,40}(?:-" + _LETTER + rb"{1,40}){0,3}?(?:"
        rb"(?:" + _COMPOUND + rb"|[ \-]" + _APART + rb")" + _NUMBER_LAST + _TOWN_AFTER_CODE + rb"?"
        rb"|platz" + _NUMBER_LAST + _TOWN_AFTER_CODE + rb")",
        before=rb"[\w.@\-]|[\x80-\xff]",
        after=rb"[\w@]|[.,][0-9]",
        seen=_SEEN,
        longest=340,
    ),
    Pattern(
        kind="street_address",
        cores=(rb"[0-9](?: ?(?:bis|ter|[A-D]))?,? (?i:" + _FRENCH + rb") ",),
        pattern=rb"[1-9][0-9]{0,3}(?: ?(?:bis|ter|[A-D]))?,? (?i:" + _FRENCH + rb")" + _FRENCH_NAME,
        before=rb"[\w.,@\-]|[\x80-\xff]",
        after=rb"[\w]|[\x80-\xff]",
        seen=_SEEN,
        longest=200,
    ),
)
