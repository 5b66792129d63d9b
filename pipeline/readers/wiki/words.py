"""Templates that show words: quotations, other languages, names, signs and symbols.

In: a template's arguments. Out: the words, or None when there are no words. Which template is which: `RENDER` by its
name in lower case, and `FIXED` for those without arguments.

What each shows is documented on its page in the English Wikipedia (Template:Lang, Template:Blockquote, ...); names in
other languages are known if a template of that name means the same there.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from pipeline.readers.wiki.arguments import Given, filled, first_of, positional

Render = Callable[[Given], str | None]

# Which argument is the text: its number, or the last one.
_ONE = tuple(
    "nowrap, nobr, nobold, noitalic, noitalics, small, smaller, big, larger, large, midsize, em, strong, "
    "bold, italic, sc, smallcaps, sc2, smallcaps all, smcaps, allcaps, caps, no wrap, nobreak, center, "
    "centre, right, left, underline, overline, strikethrough, strike, del, mark, highlight, blockindent, "
    "text, math, bigmath, mvar, var, intmath, tt, mono, code, kbd, key, samp, pre, output, abbr, tooltip, "
    "vr, vanchor, anchord, visible anchor, unicode, hebrew, polytonic, polytonisch, grc, arabic, "
    "nastaliq, hebr, xt, !xt, tq, flag, flagu, flagcountry, flaglist, flag+link, not a typo, as written, "
    "proper name, ill, interlanguage link, illm, interlanguage link multi, lang-rus, formatnum, num, nts, "
    "number table sorting, fmtn, formatprice, notatypo, asiantitle, title case, typo, railgauge, rail "
    "gauge, track gauge, trackgauge, esd, citation needed span, cn-span, clarify span, failed "
    "verification span, disputed span, explain span, original research span, dubious span, plainlist, "
    "plain list, flatlist, block indent, langue, lien, link-interwiki, cap, romain, nihongo2, asbox text, "
    "wp, w, wikilink, sans-serif, serif, dfn, term, defn, birth-date and age, death-date".split(", ")
)
_TWO = tuple(
    "lang, langx, rtl-lang, ltr-lang, script, color, colour, audio, sort, fontcolor, resize, align, "
    "float, bg, background color, wikt-lang, lang+, langue2, farbe, coloré, lang-mul".split(", ")
)
_LAST = ("transl", "transliteration", "font color", "font", "font size", "tlit", "columns-list", "translittération")
_QUOTES = tuple(
    "quote, cquote, blockquote, bquote, bq, block quote, quotation, quote box, quotebox, poemquote, poem "
    "quote, poem, zitat, cita, citation bloc, pull quote, pullquote, centered pull quote, centred pull "
    "quote, centered pullquote, quote frame, blockquotation, long quotation, longquote, talkquote, "
    "epigraph, citaat, citazione, citação, citat, cytat, цитата, poetry, verse, block quotation, cita "
    "destacada, cquote2, bloc citation, poème".split(", ")
)
_SHIPS = tuple(
    "hms, hmas, hmcs, hmnzs, uss, ss, rms, mv, ms, sms, gts, usns, rfa, ins, uscgc, hmis, mts, ps, tss, usat".split(
        ", "
    )
)
_JOINED_BY = {
    **dict.fromkeys(("hlist", "flat list", "horizontal list"), " · "),
    **dict.fromkeys(("cslist", "comma separated entries", "comma separated values"), ", "),
    **dict.fromkeys(("linktext", "gaps"), ""),
    **dict.fromkeys(("keypress", "key press", "keys"), "+"),
}
_GIVEN_LISTS = tuple(
    "ubl, unbulleted list, bulleted list, blist, ordered list, olist, ublist, collapsible list".split(", ")
)
_AROUND = {
    '"': "“{}”",
    "qi": "“{}”",
    "quote inline": "“{}”",
    "guil": "« {} »",
    "'": "‘{}’",
    "gloss": "‘{}’",
    "lit": "lit. ‘{}’",
    "literal translation": "lit. ‘{}’",
    "literally": "lit. ‘{}’",
    "angbr": "⟨{}⟩",
    "angle bracket": "⟨{}⟩",
    "angbr ipa": "⟨{}⟩",
    "bracket": "[{}]",
    "interp": "[{}]",
    "brackets": "[{}]",
    "radic": "√{}",
    "sqrt": "√{}",
    "abs": "|{}|",
    "floor": "⌊{}⌋",
    "ceil": "⌈{}⌉",
    "tmath": "${}$",
    "isbn": "ISBN {}",
    "isbnt": "ISBN {}",
    "issn": "ISSN {}",
    "oclc": "OCLC {}",
    "lccn": "LCCN {}",
    "doi": "doi:{}",
    "pmid": "PMID {}",
    "pmc": "PMC {}",
    "arxiv": "arXiv:{}",
    "jstor": "JSTOR {}",
    "bibcode": "Bibcode:{}",
    "ec number": "EC {}",
    "cas": "CAS {}",
    "§": "§ {}",
    "n°": "no {}",
    "numéro": "no {}",
    "no.": "No. {}",
    "see below": "(see {})",
    "pct rule": "Rule {} PCT",
    "goal": "{}′",
}
FIXED = {
    **dict.fromkeys(("nbsp",), "\u00a0"),
    **dict.fromkeys(
        tuple(
            "spaces, space, thinsp, thin space, hair space, hairsp, en space, em space, nnbsp, figure space, pad".split(
                ", "
            )
        ),
        " ",
    ),
    **dict.fromkeys(("ndash", "endash", "en dash", "nsndns"), "–"),
    **dict.fromkeys(("snd", "spnd", "spaced ndash", "spaced en dash", "dash"), " – "),
    **dict.fromkeys(("mdash", "emdash", "em dash", "mdashb", "--"), "—"),
    **dict.fromkeys(("wj", "zwj", "zwnj", "shy", "lrm", "rlm", "wbr", "zwsp", "nowiki", "void"), ""),
    **dict.fromkeys(("times", "cross product"), "×"),
    **dict.fromkeys(("minus",), "−"),
    **dict.fromkeys(("dot", "·", "middot", "mdot", "•", "bull", "bullet", "\\"), " ·"),
    **dict.fromkeys(("ellipsis", "..."), "…"),
    **dict.fromkeys(("half",), "1/2"),
    **dict.fromkeys(("no.", "number sign", "hash", "numero"), "No."),
    **dict.fromkeys(("er", "ier", "1er"), "<sup>er</sup>"),
    **dict.fromkeys(("re", "ière"), "<sup>re</sup>"),
    **dict.fromkeys(("nd", "st", "th", "rd"), ""),
    **dict.fromkeys(("end", "end table", "table end", "s-end", "fin tableau"), "|}"),
    "'": "'",
    "' \"": "' \"",
    "\" '": "\" '",
    "pi": "π",
    "sdot": "·",
    "plus": "+",
    "plusminus": "±",
    "pm": "±",
    "approx": "≈",
    "infinity": "∞",
    "degree": "°",
    "deg": "°",
    "dagger": "†",
    "double dagger": "‡",
    "double-dagger": "‡",
    "sic": "[sic]",
    "yes": "Yes",
    "no": "No",
    "n/a": "N/A",
    "tba": "TBA",
    "tbd": "TBD",
    "won": "Won",
    "nom": "Nominated",
    "euro": "€",
    "pound": "£",
    "yen": "¥",
    "av jc": "av. J.-C.",
    "ap jc": "apr. J.-C.",
    "1re": "1<sup>re</sup>",
    "i er": "I<sup>er</sup>",
}
_MUSIC = {"sharp": "♯", "#": "♯", "flat": "♭", "b": "♭", "natural": "♮", "n": "♮"}
_CHINESE = (
    *(
        ("c", "Chinese"),
        ("s", "simplified Chinese"),
        ("t", "traditional Chinese"),
        ("p", "pinyin"),
        ("hp", "pinyin"),
        ("w", "Wade–Giles"),
    ),
    *(("j", "Jyutping"), ("l", "lit."), ("poj", "Pe̍h-ōe-jī")),
)
_COORDINATE = re.compile(r"-?\d{1,3}(?:\.\d{1,12})?")


def _argument_1(given: Given) -> str | None:
    return first_of(given, "lt", "1", "text")


def _argument_2(given: Given) -> str | None:
    return first_of(given, "2", "text", "1")


def _argument_last(given: Given) -> str | None:
    values = filled(given)
    return first_of(given, "content") or (values[-1] if values else None)


def _quote(given: Given) -> str | None:
    text = first_of(given, "text", "quote", "content", "1", "quotetext", "texte", "texto", "testo")
    return f"\n{text}\n" if text else None


def _quote_2(given: Given) -> str | None:
    """The words of `{{rquote|left|words|author}}`."""
    text = first_of(given, "quote", "2", "1")
    return f"\n{text}\n" if text else None


def _verses(given: Given) -> str | None:
    """An original and its translation."""
    parts = filled(given)[:2] or [given[name] for name in ("lang1", "original", "translation") if given.get(name)]
    return "\n" + "\n\n".join(parts) + "\n" if parts else None


def _joined_by(between: str) -> Render:
    return lambda given: between.join(filled(given)) or None


def _items(given: Given) -> str | None:
    return "".join(f"\n* {item}" for item in filled(given)) + "\n" if filled(given) else None


def _around(form: str) -> Render:
    def render(given: Given) -> str | None:
        text = first_of(given, "1", "text", "id")
        return form.format(text) if text else None

    return render


def _nihongo(given: Given) -> str | None:
    first, others = given.get("1", ""), [given[key] for key in ("2", "3") if given.get(key)]
    return f"{first} ({', '.join(others)})".strip() if others else first or None


def _chinese(given: Given) -> str | None:
    parts = [f"{label}: {given[key]}" for key, label in _CHINESE if given.get(key)]
    return "; ".join(parts) or _argument_last(given)


def _ship(given: Given) -> str:
    return " ".join(filled(given)[:2] if given.get("1") else [given.get("2", "")])


def _named_ship(prefix: str) -> Render:
    return lambda given: f"{prefix} {given.get('1', '')}".rstrip()


def _sic(given: Given) -> str | None:
    text = "".join(filled(given))
    return text if given.get("hide") or given.get("nolink") == "hide" else f"{text} [sic]" if text else "[sic]"


def _music(given: Given) -> str | None:
    text = given.get("1", "")
    return _MUSIC.get(text, text) or None


def _two_words(given: Given) -> str | None:
    return " ".join(filled(given)[:2]) or None


def _address(given: Given) -> str | None:
    """`{{URL|example.org|label}}`."""
    return first_of(given, "2", "1")


def _section(given: Given) -> str | None:
    """`{{section link|Page|Section}}`."""
    page, *sections = positional(given) or [""]
    return f"{page} § {' and '.join(one for one in sections if one)}".strip() if any(sections) else page or None


def _ruby(given: Given) -> str | None:
    above = given.get("2")
    return f"{given.get('1', '')}{f' ({above})' if above else ''}" or None


def _harvard(form: str) -> Render:
    """Names and year of a short citation, such as `{{harvtxt|Smith|2010}}`."""

    def render(given: Given) -> str | None:
        *names, year = filled(given) or [""]
        if not names:
            return form.format("", year).strip() if year else None
        several = f"{', '.join(names[:-1])} & {names[-1]}" if len(names) > 1 else names[0]
        return form.format(several if len(names) < 4 else f"{names[0]} et al.", year)

    return render


def _french_citation(given: Given) -> str | None:
    text = given.get("1")
    return f"« {text} »" if text else None


def coordinates(given: Given) -> str | None:
    """`30|12|N|74|7|W` is 30°12′N 74°7′W; None when they are shown beside the title only."""
    shown = given.get("display", "inline").lower()
    if "inline" not in shown and shown not in ("i", "it", "ti", "d"):
        return None
    parts: list[list[str]] = [[]]
    for value in positional(given):
        if value.upper() in ("N", "S", "E", "W", "O"):
            parts[-1].append(value.upper())
            parts.append([])
        elif _COORDINATE.fullmatch(value):
            parts[-1].append(value)
        else:
            break
    if len(parts) == 1 and len(parts[0]) == 2:
        latitude, longitude = parts[0]
        parts = [
            [latitude.lstrip("-"), "S" if latitude.startswith("-") else "N"],
            [longitude.lstrip("-"), "W" if longitude.startswith("-") else "E"],
        ]
    texts = [
        "".join(f"{value}{mark}" for value, mark in zip(part[:-1], "°′″", strict=False)) + part[-1]
        for part in parts
        if len(part) > 1
    ]
    return " ".join(texts) if len(texts) == 2 else None


RENDER: dict[str, Render] = {
    **dict.fromkeys(_ONE, _argument_1),
    **dict.fromkeys(_TWO, _argument_2),
    **dict.fromkeys(_LAST, _argument_last),
    **dict.fromkeys(_QUOTES, _quote),
    **dict.fromkeys(("verse translation", "text and translation", "poem translation"), _verses),
    **dict.fromkeys(_GIVEN_LISTS, _items),
    **dict.fromkeys(("zh", "lang-zh", "zh-cp", "zh-full", "zh-sp"), _chinese),
    **dict.fromkeys(("url", "official url", "website"), _address),
    **dict.fromkeys(("section link", "slink", "sectionlink"), _section),
    **dict.fromkeys(
        tuple(
            "bibleverse, bibleref, bibleref2, bibleverse-lb, bible verse, sortname, cite bible, qref, "
            "sortname text".split(", ")
        ),
        _two_words,
    ),
    **dict.fromkeys(("ruby", "ruby-ja", "furigana"), _ruby),
    **dict.fromkeys(("harvtxt", "harvcoltxt", "citet"), _harvard("{} ({})")),
    **dict.fromkeys(("harv", "harvcol", "harvp", "citep"), _harvard("({} {})")),
    **dict.fromkeys(("harvnb", "harvcolnb", "harvsp"), _harvard("{} {}")),
    **{name: _joined_by(between) for name, between in _JOINED_BY.items()},
    **{name: _around(form) for name, form in _AROUND.items()},
    **{name: _named_ship(name.upper()) for name in _SHIPS},
    "rquote": _quote_2,
    "nihongo": _nihongo,
    "nihongo3": _nihongo,
    "ship": _ship,
    "sclass": _two_words,
    "sic": _sic,
    "music": _music,
    "citation": _french_citation,
}
