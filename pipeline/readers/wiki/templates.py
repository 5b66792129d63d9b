"""Templates as part of a sentence.

In: the inside of `{{...}}`, inner templates and links replaced by their words already. Out: the words that it shows;
None where it shows nothing (notes, marks for editors: `pipeline.readers.wiki.hidden`); or `Unexpanded`, whose words are
its arguments and are shown only in a sentence.

Templates are programs of the site they are used on, and a dump of articles does not hold them. The ones that occur in
sentences most often are known by name (`words`, `units`, `numbers`, `dates` and `functions` of this folder): chosen by
frequency in 3.4 MB of articles, where 197 names occur in sentences and these cover what is neither a note nor a box.
Of any other template, the arguments without names are taken that can be words (`visible_arguments`), when there is text
before or after it on its line; alone on its line, or over several lines, it is a box, and is left out. Either is
counted by its name.
"""

from __future__ import annotations

import re
from functools import partial
from typing import NamedTuple

from pipeline.readers.wiki import dates, numbers, units
from pipeline.readers.wiki.arguments import parsed
from pipeline.readers.wiki.functions import KNOWN as FUNCTIONS
from pipeline.readers.wiki.functions import function, variable
from pipeline.readers.wiki.hidden import hidden, is_reference
from pipeline.readers.wiki.words import FIXED, RENDER, Render, coordinates

# A template that is not known and has more arguments is not part of a sentence.
_MOST_ARGUMENTS = 4
_NO_WORDS = re.compile(
    r"(?:https?:)?//\S*|#[0-9a-f]{3,8}"
    r"|[\w .()-]{1,200}\.(?:jpe?g|png|svg|gif|ogg|webm|pdf|tiff?)|[\w-]{1,30}\s?:\s?[#\w%.-]{1,40};?.{0,200}"
    r"|\d{1,4}px|(?:on|off|yes|no|y|n|left|right|center|none|link|true|false)|[-_.,;:|]+",
    re.IGNORECASE | re.DOTALL,
)
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z]{2,8})?")
_CONVERTED = re.compile(r"([\w.]{1,10}) to [\w.]{1,10}")
_FRACTION = re.compile(r"\d{1,4}/\d{1,4}")
# Templates whose arguments are not the numbers that they show.
_COMPUTED = re.compile(
    r"(?:inflation|to usd(?:round)?|to eur(?:round)?|current"
    r"(?:(?:year|month|day|date|time|hour|minute|week|dow|age|version|local)\w{0,12})?)(?![^\W\d_])"
    r"|(?:age|years|min|max|sum|number of|data|population) |#expr"
)
# References and sections of other pages.
_SILENT_FUNCTIONS = frozenset(("#tag", "#lst", "#lsth", "#section", "#babel", "#coordinates"))
_PREFIX = re.compile(r"(?:template|vorlage|modèle|plantilla|subst|safesubst|msg|raw|t):", re.IGNORECASE)

_NUMBERS: dict[str, Render] = {
    **dict.fromkeys(("convert", "cvt", "conv", "convinfobox", "convert/spell", "conversion"), units.convert),
    **dict.fromkeys(
        tuple("unité, unidad, unità, unitat, unit, num unit, m, unite, einheit, nb, nombre, maß, höhe".split(", ")),
        units.unit,
    ),
    **dict.fromkeys(("val", "valeur", "value", "val/sandbox"), units.value),
    **dict.fromkeys(("dunité", "tunité", "3unité"), units.sizes),
    **dict.fromkeys(("height", "weight"), units.height),
    **dict.fromkeys(("pop density", "population density"), units.density),
    **dict.fromkeys(
        ("frac", "sfrac", "fraction", "frac2", "fracn", "fract", "tfrac", "sfrac2", "bruch"), numbers.fraction
    ),
    **dict.fromkeys(("e", "exp10"), numbers.power_of_ten),
    **dict.fromkeys(("10^", "10 to the"), numbers.ten_to_the),
    **dict.fromkeys(("x10^", "×10^", "esp", "e10", "x10", "×10"), numbers.times_ten_to_the),
    **dict.fromkeys(("sup", "smallsup", "exp", "exposant", "smsup", "superscript"), numbers.raised),
    **dict.fromkeys(("sub", "smallsub", "ind", "indice", "smsub", "subscript"), numbers.lowered),
    **dict.fromkeys(("su", "sup sub", "subsup", "supsub", "physics particle"), numbers.raised_and_lowered),
    **dict.fromkeys(("chem", "fchim", "hydrogen chem", "chem/disp"), numbers.chemical),
    "chem2": numbers.chemical_formula,
    **dict.fromkeys(("nuclide", "simplenuclide", "isotope"), numbers.isotope),
    **dict.fromkeys(("percentage", "percent", "pct", "percent and number"), numbers.percentage),
    **dict.fromkeys(("percent change", "percentage change"), numbers.difference),
    **dict.fromkeys(("ordinal", "nth", "ord"), numbers.ordinal),
    "century": numbers.century,
    "ratio": numbers.ratio,
    **dict.fromkeys(("rating", "stars"), numbers.rating),
    **dict.fromkeys(
        ("increase", "decrease", "profit", "loss", "up", "down", "gain", "hausse", "baisse"), numbers.change
    ),
    "duration": numbers.times,
    "£sd": numbers.pounds_shillings,
    "currency": numbers.currency,
    **{name: numbers.money(name) for name in numbers.MONEY},
    **dict.fromkeys(
        tuple(
            "birth date, birth date and age, bda, dob, start date, end date, start date and age, end date "
            "and age".split(", ")
        ),
        dates.date,
    ),
    **dict.fromkeys(
        tuple(
            "date, dts, dtsa, date table sorting, start-date, end-date, birth-date, launch date, show date, dat".split(
                ", "
            )
        ),
        dates.date,
    ),
    **dict.fromkeys(
        tuple(
            "date de naissance, date de décès, date-, fecha, fecha de nacimiento, data, datum, opening date".split(", ")
        ),
        dates.date,
    ),
    **dict.fromkeys(("death date", "death date and age", "dda", "death-date and age"), dates.date_and_age),
    **dict.fromkeys(
        ("birth year and age", "death year and age", "birth year", "byla", "birth based on age"), dates.year
    ),
    **dict.fromkeys(("age", "age in years", "age at"), dates.age),
    **dict.fromkeys(("film date", "television date", "book date"), dates.film_dates),
    **dict.fromkeys(("as of", "asof", "as-of"), dates.as_of),
    **dict.fromkeys(("c.", "ca.", "circa", "ca"), dates.circa),
    **dict.fromkeys(("reign", "r.", "reigned"), partial(dates.between, "r.")),
    **dict.fromkeys(("fl.", "floruit", "flourished"), partial(dates.between, "fl.")),
    **dict.fromkeys(("b.", "born"), partial(dates.between, "b.")),
    **dict.fromkeys(("d.", "died"), partial(dates.between, "d.")),
    **{name: partial(dates.era, name) for name in ("bce", "ce", "bc", "ad", "ah")},
    **dict.fromkeys(("oldstyledate", "old style date", "oldstyledatedy", "oldstyledatey"), dates.old_style),
    **dict.fromkeys(("time ago", "timeago"), dates.ago),
    **dict.fromkeys(("s-", "s", "sp", "sp-", "sap", "siècle"), dates.french_century),
    "siglo": dates.spanish_century,
}
_RENDER = {**RENDER, **_NUMBERS}
# Templates that are shown beside a page's title when they are alone on a line.
_IN_SENTENCES = {"coord": coordinates, "coordinates": coordinates}


class Unexpanded(NamedTuple):
    """A template whose words depend on where it is.

    Attributes:
        name: the one it is counted under; empty when the template is known.
        words: what it gives in a sentence; may be empty.
    """

    name: str
    words: str


def template_text(content: str, *, title: str = "") -> str | Unexpanded | None:
    """The words that a template shows; None: it shows nothing.

    Args:
        title: of the page.
    """
    head, bar, rest = content.partition("|")
    name = " ".join(head.replace("_", " ").split()).lower()
    if ":" in name:
        prefix = _PREFIX.match(name)
        while prefix is not None:
            name = name[prefix.end() :].lstrip()
            prefix = _PREFIX.match(name)
        if ":" in name:
            before, _, _ = name.partition(":")
            return _function(before.strip(), content, title)
    if not bar:
        fixed = variable(name, title)
        fixed = FIXED.get(name) if fixed is None else fixed
        if fixed is not None:
            return fixed
    render = _RENDER.get(name)
    if render is None and name.startswith(("lang-", "script/", "iso639:")):
        render = RENDER["nowrap"]
    if render is not None:
        if not bar and name in FIXED:
            return FIXED[name]
        given = parsed(rest.split("|")) if bar else {}
        if name == "citation" and is_reference(frozenset(given)):
            return None
        text = render(given)
        return Unexpanded(name, "") if text is None and bar else text
    if name in _IN_SENTENCES:
        return Unexpanded("", _IN_SENTENCES[name](parsed(rest.split("|"))) or "")
    if hidden(name) or not name:
        return None
    if _COMPUTED.match(name):
        return Unexpanded(name, "")
    special = _by_form(name, rest)
    return special or Unexpanded(name, visible_arguments(rest) if bar else "")


def _function(name: str, content: str, title: str) -> str | Unexpanded | None:
    """`{{name:first|second}}`."""
    if name in FUNCTIONS:
        first, *others = content.split(":", 1)[1].split("|")
        return function(name, [first, *others])
    if name.startswith("#") and name not in _SILENT_FUNCTIONS:
        return Unexpanded(f"{name}:", "")
    # {{DEFAULTSORT:...}}, {{:Page}}, {{Site:...}}: not this page's words.
    return title or None if name in ("pagename", "fullpagename") else None


def _by_form(name: str, rest: str) -> str | None:
    """Templates known by the form of their names: `{{km to mi|5}}`, `{{1/2}}`, `{{INRConvert|6|c}}`."""
    if _FRACTION.fullmatch(name):
        return name
    if "convert" in name:
        return numbers.converted_money(name, parsed(rest.split("|")))
    found = _CONVERTED.fullmatch(name)
    return units.converted_from(found[1], parsed(rest.split("|"))) if found is not None and rest else None


def visible_arguments(rest: str) -> str:
    """The arguments of a template that is not known, as far as they can be words.

    Those without a name, and `text`; not addresses, colours, styles, files, switches, nor the language before another
    argument. More than `_MOST_ARGUMENTS` are a table's or a calculation's, and lines are a box's: nothing.
    """
    if "\n" in rest.strip():
        return ""
    given = parsed(rest.split("|"))
    values = [value for name, value in given.items() if value and (name.isdigit() or name in ("text", "content"))]
    if len(values) > _MOST_ARGUMENTS:
        return ""
    if len(values) > 1 and _LANGUAGE.fullmatch(values[0]):
        values = values[1:]
    return " ".join(value for value in values if not _NO_WORDS.fullmatch(value))
