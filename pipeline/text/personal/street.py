r"""Street addresses: a house number and a street as English, German, Dutch, French, Italian, Spanish, Portuguese and
Polish write them, with what follows on the same line.

Out: `PATTERNS` of the kind `street_address`. A street's name begins with a capital letter. Types of streets that are
also common words count only where a unit, a postcode or a town with its state follows.
"""

from __future__ import annotations

from pipeline.text.personal.patterns import Pattern

_SEEN = rb"[^\x00\n]"
# A letter of any alphabet: ASCII, or a byte of a longer character.
_LETTER = rb"[A-Za-z\x80-\xff]"
_CAPITAL = rb"(?:[A-Z]|[\xc3-\xdf][\x80-\xbf])"

# English (US: USPS Publication 28, appendix C1, the suffixes in use as words; UK: the common thoroughfare types).
_STRONG = (
    rb"(?:Street(?! Journal)|Avenue|Ave|Road|Rd|Boulevard|Blvd|Drive|Lane|Ln|Parkway|Pkwy|Highway|Hwy|Turnpike"
    rb"|Crescent|Terrace|Broadway)"
)
_WEAK = (
    rb"(?:Court|Ct|Place|Pl|Square|Sq|Way|Circle|Cir|Trail|Close|Gardens|Grove|Mews|Row|Hill|Park|Walk|View|Loop|Alley"
    rb"|Plaza)"
)
# All others (USPS Publication 28, appendix C1): too common to count without a place or a word that announces an
# address.
_RARE = (
    rb"(?:Annex|Arcade|Bayou|Beach|Bend|Bluffs?|Bottom|Branch|Bridge|Brooks?|Bypass|Camp|Canyon|Cape|Causeway|Centers?|Centre|Circles|Cliffs?"
    rb"|Club|Commons?|Corners?|Course|Courts|Coves?|Creek|Crest|Crossing|Crossroads?|Curve|Dale|Dam|Divide|Drives|Estates?|Expressway"
    rb"|Extensions?|Falls?|Ferry|Fields?|Flats?|Fords?|Forest|Forges?|Forks?|Fort|Freeway|Garden|Gateway|Glens?|Greens?|Groves|Harbors?|Haven"
    rb"|Heights|Hills|Hollow|Inlet|Islands?|Isle|Junctions?|Keys?|Knolls?|Lakes?|Landing|Lights?|Locks?|Lodge|Mall|Manors?|Meadows?|Mills?"
    rb"|Mission|Motorway|Mount|Mountains?|Neck|Orchard|Oval|Overpass|Parks|Parkways|Pass|Passage|Path|Pike|Pines?|Plains?|Points?|Ports?"
    rb"|Prairie|Ramp|Ranch|Rapids?|Rest|Ridges?|River|Roads|Route|Run|Shoals?|Shores?|Skyway|Springs?|Spurs?|Squares|Station|Stream|Streets"
    rb"|Summit|Throughway|Trace|Track|Trafficway|Tunnel|Underpass|Unions?|Valleys?|Viaduct|Views|Villages?|Ville|Vista|Walks|Wall|Ways|Wells?)"
)
_DIRECTION = rb"(?:(?:N|S|E|W|NE|NW|SE|SW|North|South|East|West)\.? )?"
# A word with a capital, or an ordinal number: `West 42nd`.
_WORD = rb"(?:[A-Z][A-Za-z0-9'.\-]{0,24}|[0-9]{1,3}(?:st|nd|rd|th))"
_NAME = rb"(?:" + _WORD + rb" ){1,4}?"
# "St." and "Dr." begin names of people as well: no name may follow.
_SHORT = rb"(?:St|Dr)"
_CORE = rb"[0-9][A-Za-z]? [A-Z0-9][A-Za-z0-9'.\- ]{0,110} "
_HOUSE = rb"[1-9][0-9]{0,4}(?:-[0-9]{1,4})?[A-Za-z]? "
_END = rb"\b\.?(?: (?:N|S|E|W|NE|NW|SE|SW)\b)?"
_UNIT = rb"(?:[ ,]{1,3}(?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|Room|#)\.? ?[A-Za-z0-9\-]{1,6})"
_TOWN = rb"(?:[A-Z][A-Za-z'.\-]{1,24} ?){1,3}"
_STATE = (
    rb"(?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]"
    rb"|UT|V[AT]|W[AIVY]|AS|FM|GU|M[HP]|P[RW]|VI)"
)
_POSTCODE = rb"[A-Z]{1,2}[0-9][0-9A-Z]? ?[0-9][A-Z]{2}"
_TOWN_AND_CODE = _TOWN + rb",? (?:" + _STATE + rb",? [0-9]{5}(?:-[0-9]{4})?|" + _POSTCODE + rb")"
# A postcode without its space is too much like the number of a part.
_TOWN_AND_SPACED_CODE = _TOWN_AND_CODE.replace(_POSTCODE, _POSTCODE.replace(b" ?", b" "))
_PLACE = rb"(?:[ ,]{1,2}" + _TOWN_AND_CODE + rb"|[ ,]{1,2}" + _POSTCODE + rb")"
# A town in capitals, as Royal Mail and post offices of other countries want it, up to the next comma or the end of the
# line.
_TOWN_IN_CAPITALS = rb"(?:, [A-Z]{4,20}(?: [A-Z]{2,20}){0,2}(?![^,\n\x00]))"
# Where an address is announced; the number follows.
_ANNOUNCED = (
    rb"(?i:(?:address|resid(?:es?|ed|ing|ence)|liv(?:e|es|ed|ing)|located|deliver(?:y|ed|ies)?|shipped|moved)"
    rb"(?: (?:is|at|to|on))?)(?::| ){1,2}\n?"
)
# Type and unit together need no capitals.
_ANY_CASE = (
    rb"(?i:[1-9][0-9]{0,4}[a-z]? (?:[a-z][a-z'.\-]{0,24}"
    rb" ){1,3}(?:street|st|avenue|ave|road|rd|boulevard|blvd|drive|dr|lane|ln"
    rb"|court|ct|place|pl|way|terrace|parkway|highway)\.?,? (?:apt|apartment|suite|ste|unit|flat)\.?"
    rb" ?[0-9][0-9a-z\-]{0,5})"
)

# German and Dutch: the type ends the street's name or comes after it, and the number comes last.
_COMPOUND = (
    rb"(?:stra(?:\xc3\x9f|ss)e|str\.|gasse|allee|weg|ufer|damm|g\xc3\xbcrtel|straat|laan|gracht|plein|kade|singel"
    rb"|dreef|steeg)"
)
# Types that are common words too: only with a postcode and a town.
_COMPOUND_WEAK = rb"(?:platz|ring|hof|markt|pfad|steig|graben|berg|winkel|zeile|kamp|pad|dijk|baan|boulevard|plantsoen)"
_APART = rb"(?:Stra(?:\xc3\x9f|ss)e|Str\.|Allee|Platz|Gasse|Weg|Ufer|Damm|Ring|G\xc3\xbcrtel)"
_NUMBER_LAST = rb" [1-9][0-9]{0,2}(?: ?[a-z]\b)?(?: ?[-/] ?[0-9]{1,4}[a-z]?)?"
_TOWN_AFTER_CODE = rb"(?:,? (?:[A-Z]{1,2}-)?[0-9]{4,5}(?: ?[A-Z]{2})? " + _CAPITAL + _LETTER + rb"{1,30})"

# French: number, type, name.
# Capitals make English words of some types: `9 Place Names`.
_FRENCH = (
    rb"(?:(?i:rue|avenue|boulevard|chemin|all\xc3\xa9e|impasse|quai)|cours|route|place"
    rb"|(?:Cours|Route|Place)(?= (?:de|du|des|la|le|les) | [ld]'))"
)
_FRENCH_WORD = _CAPITAL + rb"[A-Za-z\x80-\xff'\-]{1,30}"
_FRENCH_NAME = rb" (?:(?:de|du|des|la|le|les) |[ld]'){0,3}" + _FRENCH_WORD + rb"(?: " + _FRENCH_WORD + rb"){0,3}"

# Italian, Spanish, Portuguese and Polish: type, name, number; the town with its postcode may follow. A name of Roman
# numerals or a date: `Via XX Settembre 12`, `Calle 2 de Mayo, 5`.
_ROMANCE = (
    rb"(?:Via|Viale|V\.le|Piazza|P\.zza|Piazzale|Corso|C\.so|Largo|Vicolo|Strada|Contrada"
    rb"|Calle|C/|Avda\.?|Avenida|Av\.|Plaza|Pza\.|Paseo|P\xc2\xba|Ronda|Camino|Traves\xc3\xada|Carretera|Rua|Travessa)"
)
_ROMANCE_NAME = (
    rb" (?:[0-9]{1,2} )?"
    rb"(?:(?:d[aeio]|de[li]|della|delle|dello|dei|degli|das|dos|la|las|los|el|[Dd]ell'|[DdLl]')[ ']?){0,3}"
    rb"(?:" + _CAPITAL + rb"|(?<=')" + _LETTER + rb")(?:" + _LETTER + rb"|[.'\-]){0,30}"
    rb"(?: (?:(?:d[aeio]|de[li]|della|delle|dei|degli|y|e|das|dos|la|las|los) ){0,2}"
    + _CAPITAL
    + rb"(?:"
    + _LETTER
    + rb"|[.'\-]){0,30}){0,4}"
)
_ROMANCE_NUMBER = rb",? (?:n(?:\.?\xc2[\xba\xb0]|\.)? ?)?[1-9][0-9]{0,3}(?: ?(?:bis|[A-Da-d])\b)?(?:/[0-9A-Za-z]{1,3})?"
_ROMANCE_TOWN = rb"(?:(?:,| [\-\xe2\x80\x93]{1,3})? [0-9]{5} " + _CAPITAL + _LETTER + rb"{1,30})?"
_POLISH = rb"(?:ul\.|al\.|os\.|pl\.|[Uu]lica|[Aa]leja|[Aa]leje|[Oo]siedle)"
_POLISH_NAME = (
    rb" (?:(?:gen|ks|\xc5\x9bw|dr|prof|pl|kard|bp|mjr|p\xc5\x82k)\. )?(?:[0-9]{1,2} )?"
    + _CAPITAL
    + rb"(?:"
    + _LETTER
    + rb"|[.\-]){0,30}"
    rb"(?: (?:" + _CAPITAL + rb"|i )(?:" + _LETTER + rb"|[.\-]){0,30}){0,3}"
)
_POLISH_NUMBER = (
    rb" [1-9][0-9]{0,3}[A-Za-z]?(?:(?:/| m\. ?)[1-9][0-9]{0,3}[a-z]?)?(?:, [0-9]{2}-[0-9]{3} "
    + _CAPITAL
    + _LETTER
    + rb"{1,30})?"
)

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
        pattern=_HOUSE
        + _DIRECTION
        + _NAME
        + _WEAK
        + _END
        + rb"(?:"
        + _UNIT
        + _PLACE
        + rb"?|"
        + _PLACE
        + rb"|"
        + _TOWN_IN_CAPITALS
        + rb")",
        before=rb"[\w.,$:/\-]|[\x80-\xff]",
        after=rb"[\w\x80-\xff]",
        seen=_SEEN,
        longest=320,
    ),
    # A place with its code makes an address of any name. What looks like a year comes before the owners of rights.
    Pattern(
        kind="street_address",
        cores=(rb"[A-Z]{2},? [0-9]{5}", rb"[A-Z][0-9]{1,2}[A-Z]? [0-9][A-Z]{2}"),
        pattern=rb"(?!(?:19|20)[0-9]{2} )"
        + _HOUSE
        + _WORD
        + rb"(?: "
        + _WORD
        + rb"){0,5}"
        + _UNIT
        + rb"?, "
        + _TOWN_AND_SPACED_CODE,
        before=rb"[\w.,$:/\-]|[\x80-\xff]",
        after=rb"[\w\x80-\xff]",
        seen=_SEEN,
        longest=420,
    ),
    Pattern(
        kind="street_address",
        cores=(_ANNOUNCED + rb"[1-9][0-9]{0,4}(?:-[0-9]{1,4})?[A-Za-z]? [A-Z0-9]",),
        # The first letters of all words: this rules most places out.
        pattern=rb"(?=[ADLMRSadlmrs])"
        + _ANNOUNCED
        + rb"(?P<span>"
        + _HOUSE
        + _DIRECTION
        + _NAME
        + rb"(?:"
        + _RARE
        + rb"|"
        + _WEAK
        + rb")"
        + _END
        + _UNIT
        + rb"?)",
        before=rb"\w",
        after=rb"[\w\x80-\xff]",
        seen=rb"[^\x00]",
        longest=340,
    ),
    Pattern(
        kind="street_address",
        cores=(
            rb"(?i:street|st|avenue|ave|road|rd|boulevard|blvd|drive|dr|lane|ln|court|ct|place|pl|way|terrace|parkway|highway)\.?,?"
            rb" (?i:apt|apartment|suite|ste|unit|flat)\.? ?[0-9]",
        ),
        pattern=_ANY_CASE,
        before=rb"[\w.,$:/\-]|[\x80-\xff]",
        after=rb"[\w\x80-\xff]",
        seen=_SEEN,
        longest=160,
    ),
    Pattern(
        kind="street_address",
        cores=(
            _COMPOUND_WEAK + rb" [1-9]",
            _COMPOUND + rb" [1-9]",
            rb"[A-Za-z\x80-\xff] " + _APART + rb" [1-9]",
            rb"-" + _APART + rb" [1-9]",
        ),
        pattern=rb"(?!Bundesstr|Landesstr|Kreisstr|Autobahn)"
        + _CAPITAL
        + _LETTER
        + rb"{1,40}(?:-"
        + _LETTER
        + rb"{1,40}){0,3}?(?:"
        rb"(?:" + _COMPOUND + rb"|[ \-]" + _APART + rb")" + _NUMBER_LAST + _TOWN_AFTER_CODE + rb"?"
        rb"|" + _COMPOUND_WEAK + _NUMBER_LAST + _TOWN_AFTER_CODE + rb")",
        before=rb"[\w.@\-]|[\x80-\xff]",
        # The rest of a character that the match would cut.
        after=rb"[\w@\x80-\xbf]|[.,][0-9]",
        seen=_SEEN,
        longest=340,
    ),
    Pattern(
        kind="street_address",
        cores=(
            (
                rb"[0-9](?: ?(?:bis|ter|[A-D]))?,?"
                rb" (?i:rue|avenue|boulevard|chemin|all\xc3\xa9e|impasse|quai|cours|route|place) "
            ),
        ),
        pattern=rb"[1-9][0-9]{0,3}(?: ?(?:bis|ter|[A-D]))?,? " + _FRENCH + _FRENCH_NAME,
        before=rb"[\w.,@\-]|[\x80-\xff]",
        after=rb"[\w]|[\x80-\xff]",
        seen=_SEEN,
        longest=200,
    ),
    Pattern(
        kind="street_address",
        cores=(_ROMANCE + rb" [A-Z0-9a-z\xc3-\xdf]",),
        pattern=_ROMANCE + _ROMANCE_NAME + _ROMANCE_NUMBER + _ROMANCE_TOWN,
        before=rb"[\w.,@\-/]|[\x80-\xff]",
        after=rb"[\w]|[\x80-\xff]|[.,:][0-9]",
        seen=_SEEN,
        longest=400,
    ),
    Pattern(
        kind="street_address",
        cores=(_POLISH + rb" [A-Z0-9a-z\xc3-\xdf]",),
        pattern=_POLISH + _POLISH_NAME + _POLISH_NUMBER,
        before=rb"[\w.,@\-/]|[\x80-\xff]",
        after=rb"[\w]|[\x80-\xff]|[.,:][0-9]",
        seen=_SEEN,
        longest=320,
    ),
)
