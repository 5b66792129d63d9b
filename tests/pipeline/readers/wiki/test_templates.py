"""Templates in sentences: each gives the text that its documentation in the English (or the named) Wikipedia says."""

import tracemalloc

import pytest

from pipeline.readers.wiki import hidden, templates, units, words
from pipeline.readers.wiki.flatten import MOST_ADDED
from pipeline.readers.wiki.wikitext import extract_wikitext, wikitext_to_text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        # Quantities: the author's number and unit.
        ("a {{convert|5|mi|km|adj=on}} run", "a 5-mile run"),
        ("a {{convert|5|mi|km|adj=mid|-long}} run", "a 5-mile-long run"),
        ("a {{convert|93|m|adj=on|sp=us}} tower", "a 93-meter tower"),
        ("{{convert|1/2|mi|km}} and {{convert|5+1/2|in|mm}} and {{convert|3//4|in}}", "1/2 mi and 5 1/2 in and 3/4 in"),
        (
            "{{convert|-40|C|F}} or {{convert|2.5e3|km}} or {{convert|1,234|ft|m|0|abbr=on}}",
            "-40 °C or 2.5×10^3 km or 1,234 ft",
        ),
        (
            "{{convert|5|-|7|km|mi}}, {{convert|5|x|10|x|15|ft}}, {{convert|6|by|4|m|ft}}",
            "5–7 km, 5 × 10 × 15 ft, 6 by 4 m",
        ),
        (
            "{{convert|5|ft|7|in|cm}}, {{convert|5|lb|4|oz|kg}}, {{convert|12|st|3|lb}}",
            "5 ft 7 in, 5 lb 4 oz, 12 st 3 lb",
        ),
        ("{{convert|3|mi|yd}} {{convert|100|km|0}} {{convert|10|km|mi|1}}", "3 mi 100 km 10 km"),
        (
            "{{convert|3.5|sqmi|km2}} {{convert|100|USgal|L}} {{convert|30000|LT}}",
            "3.5 sq mi 100 US gal 30000 long tons",
        ),
        ("{{convert|20|mi|km|order=flip}} {{convert|20|mi|km|disp=number}}", "20 mi 20"),
        ("{{km to mi|5}} {{height|ft=6|in=3}} {{height|m=1.85}}", "5 km 6 ft 3 in 1.85 m"),
        (
            "{{val|1.234|0.005|u=m/s}}, {{val|1.2|+0.3|-0.1|e=-5|u=kg}}, {{val|3|ul=m|upl=s}}",
            "1.234 ± 0.005 m/s, (1.2 +0.3 −0.1)×10^-5 kg, 3 m/s",
        ),
        (
            "{{convert|1.5|e6m3}} {{convert|5|e3km2|adj=on}} {{cvt|2|e9USgal|e9L}} {{convert|1|ell}}",
            "1.5×10^6 m3 5×10^3 km2 2×10^9 US gal 1 ell",
        ),
        (
            "{{convert|2|-|3|e6acre}} {{convert|7|e12BTU}} {{convert|1,234|e3t|abbr=on}}",
            "(2–3)×10^6 acres 7×10^12 BTU 1,234×10^3 t",
        ),
        ("{{convert|1.5|e6m3|disp=number}} {{convert|1.5|e6m3|disp=unit}} {{convert|6|ft|e3cm}}", "1.5 ×10^6 m3 6 ft"),
        (
            "{{val|11.1|(2)|u=m}} {{val|11.1(2)|u=m}} {{val|11.1|(2)|e=5|u=m}} {{val|5|±0.1|u=%}}",
            "11.1(2) m 11.1(2) m 11.1(2)×10^5 m 5 ± 0.1%",
        ),
        ("{{val|1.5|(2)|0.3|u=s}} {{val|2.5|u=°C}} {{val|2.5|u=°}}", "1.5(2) ± 0.3 s 2.5 °C 2.5°"),
        ("{{val|1.5|(2)|(3)}} {{val|1.2(3)e5|u=m}} {{val|1.2e5}}", "1.5(2)(3) 1.2(3)×10^5 m 1.2×10^5"),
        (
            "{{unité|2000|m}} {{unité|10|m|2}} {{dunité|5|6|m}} {{unidad|5|km}} {{M|5|ul=km}}",
            "2000 m 10 m2 5 × 6 m 5 km 5 km",
        ),
        ("density {{Pop density|3645257|640081.87|km2|sqmi|prec=1}}", "density 5.7/km2"),
        # Numbers.
        (
            "{{formatnum:12345.678}} {{formatnum:-10}} {{formatnum:12,345|R}} {{formatnum:{{#expr:2*3}}}}",
            "12345.678 -10 12345 6",
        ),
        ("{{frac|1|2}} {{sfrac|3|4}} {{frac|3|1|2}} {{frac|7}} {{1/2}} cup", "1/2 3/4 3 1/2 1/7 1/2 cup"),
        (
            "6.02{{e|23}} a 10{{sup|−3}} b 4{{times}}10<sup>5</sup> c {{10^|6}} d 5{{x10^|3}}",
            "6.02×10^23 a 10^−3 b 4×10^5 c 10^6 d 5×10^3",
        ),
        ("CO{{sub|2}} {{chem|SO|4|2-}} {{chem2|SO4(2-)}}", "CO2 SO4^2- SO4^2-"),
        ("19{{e}} s. {{s-|XIX|e}} {{siglo|XIX||s}}", "19e s. XIXe siècle siglo XIX"),
        (
            "{{percentage|1|4}} {{percentage|1|3|1}} {{ordinal|3}} {{ordinal|11}} {{ratio|4|3}} {{rating|4|5}}",
            "25% 33.3% 3rd 11th 4:3 4/5",
        ),
        (
            "{{INR|600}} {{US$|75}} {{£|8}} {{€|9}} {{currency|600|EUR}} {{INRConvert|5|c}} {{GBP|1.5 million}}",
            "₹600 US$75 £8 €9 €600 ₹5 crore £1.5 million",
        ),
        ("worth {{Inflation|US|100|1900}} today", "worth today"),  # computed: its arguments are other numbers
        ("up {{increase|5%}} and {{increase}} on", "up 5% and on"),
        ("{{duration|1|23|45}} {{duration|m=3|s=5}}", "1:23:45 3:05"),
        # Dates.
        (
            "{{birth date|1901|5|12|df=y}} {{birth date and age|1980|5|1}} {{birth-date|12 May 1901}}",
            "12 May 1901 May 1, 1980 12 May 1901",
        ),
        (
            "{{start date|1999}} {{start date|1999|5}} {{dts|2001-03-04}} {{dts|March 4, 2001}}",
            "1999 May 1999 March 4, 2001 March 4, 2001",
        ),
        ("{{death date and age|1990|1|2|1900|3|4|df=yes}}", "2 January 1990 (aged 89)"),
        ("{{age|1980|5|1|2000|4|30}} years; {{age|1980|5|1}} years", "19 years; years"),  # of today there is none
        ("{{film date|1999|2|3|Cannes|1999|5|6}}", "February 3, 1999 (Cannes), May 6, 1999"),
        (
            "{{circa|1450|1500}} {{fl.|1200|1230}} {{reign|1066|1087}} {{BCE|44}} {{AD|44}}",
            "c. 1450 – c. 1500 fl. 1200–1230 r. 1066–1087 44 BCE AD 44",
        ),
        ("{{oldstyledate|4 May|1700|23 April}} {{as of|2010|5|3}}", "4 May [O.S. 23 April] 1700 As of 3 May 2010"),
        ("at {{coord|51|30|26|N|0|7|39|W|display=inline,title}}", "at 51°30′26″N 0°7′39″W"),
        ("at {{coord|44.112|-87.913}} x{{coord|1|2|display=title}}", "at 44.112°N 87.913°W x"),
        # Quotations, with links and references in them.
        ("He:\n{{quote|[[A|B]] said.<ref>{{cite web|url=x?a=b}}</ref>|author}}\nEnd.", "He:\n\nB said.\n\nEnd."),
        ("{{rquote|left|The words|Author}} {{bq|More.}}", "The words\n\nMore."),
        ("{{poem quote|Line one\nLine two|Poet}}", "Line one\nLine two"),
        ("{{verse translation|Arma virumque|Arms and the man}}", "Arma virumque\n\nArms and the man"),
        # Words.
        (
            "{{lang|fr|mot}} {{hlist|a|b}} {{zh|s=国|p=guó}} {{music|flat}} {{keypress|Ctrl|C}}",
            "mot a · b simplified Chinese: 国; pinyin: guó ♭ Ctrl+C",
        ),
        (
            "{{harvtxt|Smith|Jones|2010}} {{citation|texte}} {{sic|teh}} {{ISBN|0-306}}",
            "Smith & Jones (2010) « texte » teh [sic] ISBN 0-306",
        ),
        ("{{citation|last=x|title=y}}{{Template:Convert|5|km}} {{subst:lang|fr|x}}", "5 km x"),
        # Functions of the parser.
        ("{{#if: x | yes | no}} {{#if: | yes | no}} {{lc:ABC}} {{uc:abc}} {{ucfirst:abc}}", "yes no abc ABC Abc"),
        ("{{#ifeq:1|1.0|same|other}} {{#switch:b|a=1|b|c=2|#default=3}} {{#time:Y}} {{CURRENTYEAR}}x", "same 2 x"),
        ("{{nowrap|a{{=}}b{{!}}c}} {{quote|[[x=y|z]]}}", "a=b|c\nz"),
    ],
)
def test_templates_in_sentences(source, text):
    assert wikitext_to_text(source) == text


@pytest.mark.parametrize(
    ("source", "text", "lost"),
    [
        ("so {{foobar|visible words}} in it", "so visible words in it", {"foobar": 1}),
        ("so {{Foo_bar|en|words|class=x}} in it", "so words in it", {"foo bar": 1}),
        (
            "so {{x|background:#fff|a b.jpg|http://x.y|text|on}} in",
            "so in",
            {"x": 1},
        ),  # more arguments than a sentence has
        ("so {{x|background:#fff|http://x.y|text}} in", "so text in", {"x": 1}),
        ("so {{x}} in", "so in", {"x": 1}),
        ("{{foobar|alone}}\n* {{foobar|alone}}", "", {"foobar": 2}),
        ("so {{box|\na\n|b}} in", "so in", {"box": 1}),
        ("* {{foobar|first}} with words", "• first with words", {"foobar": 1}),
        ("{{small|(a {{foo|b}} c)}}", "(a b c)", {"foo": 1}),
        ("a {{foo|b {{bar|c}} d}} e", "a b c d e", {"foo": 1, "bar": 1}),
        ("{{Infobox x|{{bar|c}}}}\ntext", "text", {"infobox x": 1}),
        ("a{{cite web|title=x}} b{{citation needed|date=x}} c{{sfn|a|b}} {{who?}}", "a b c", {}),
    ],
)
def test_templates_that_are_not_known_give_their_arguments_in_a_sentence_and_are_counted(source, text, lost):
    extracted = extract_wikitext(source)
    assert (
        extracted.text,
        {name: count for (kind, name), count in extracted.lost.items() if kind == "templates_not_expanded"},
    ) == (
        text,
        lost,
    )


@pytest.mark.parametrize(
    "name",
    [
        *(
            "product",
            "production",
            "prodigy",
            "literature",
            "literatures",
            "ipad",
            "commonsense",
            "commons2x words",
            "sisters",
            "sisterhood",
        ),
        *(
            "portale",
            "furthermore",
            "redirection",
            "updater",
            "disputedly",
            "noprinting",
            "weaseling",
            "peacocks",
            "cleanups",
            "afdb",
        ),
        *(
            "rfda",
            "hatnotes",
            "flagiconic",
            "ouvrages",
            "wiktionaryesque",
            "currently",
            "currents",
            "inflationary",
            "to usdt",
        ),
    ],
)
def test_a_name_that_only_begins_like_a_note_is_no_note(name):
    extracted = extract_wikitext(f"sells {{{{{name}|soap}}}} in town")
    shown = "soap" if name != "commons2x words" else ""
    assert (extracted.text, dict(extracted.lost)) == (
        f"sells {shown} in town".replace("  ", " "),
        {("templates_not_expanded", name): 1} if shown else {},
    )


@pytest.mark.parametrize(
    "name",
    [
        *(
            "IPA-fr",
            "IPAc-en",
            "IPA",
            "IPAlink",
            "prod",
            "prod blp",
            "Prod2",
            "Commons-inline",
            "Commons and category",
            "commonscat",
        ),
        *(
            "Sister project",
            "sisterlinks",
            "Portal",
            "portal bar",
            "portals",
            "further",
            "further information",
            "Redirect2",
        ),
        *(
            "Redirect-multi",
            "Update",
            "update section",
            "Disputed-inline",
            "Cleanup-rewrite",
            "cleanup",
            "More citations needed",
        ),
        *(
            "Additional citations",
            "Additional citation needed",
            "Harvard citations",
            "Wikisource1911Enc",
            "wiktionarypar",
        ),
        *(
            "Literatur",
            "Internetquelle",
            "Cite web",
            "Refimprove section",
            "refimprovesect",
            "Unreferenced section",
            "AfD",
            "afdx",
            "R from move",
        ),
        *(
            "Self-published inline",
            "Too many links",
            "Weasel words",
            "Flagicon",
            "flagicon image",
            "Hatnote group",
            "Sprotect2",
        ),
    ],
)
def test_notes_and_marks_of_the_page_leave_nothing(name):
    extracted = extract_wikitext(f"sells {{{{{name}|soap}}}} in town")
    assert (extracted.text, dict(extracted.lost)) == ("sells in town", {})


def test_no_name_stands_in_a_table_in_vain():
    assert [name for name in hidden._NAMES if hidden._BEGINNINGS.match(name) or name.endswith(hidden._ENDINGS)] == []
    assert set(words.RENDER) & set(templates._NUMBERS) == set()
    assert set(units._SYMBOLS) & units._NEVER == set()


def test_what_is_dropped_is_counted_by_its_kind():
    source = (
        "a<ref>b</ref><ref name=x/>\n{|\n| c\n|}\n[[File:a.jpg|thumb|d]]\n<gallery>\ne.jpg\n</gallery>[[Category:F|g]]"
    )
    assert extract_wikitext(source).lost == {
        ("dropped_elements", name): 1 for name in ("ref", "table", "file", "gallery")
    }


def test_the_title_stands_for_its_variable():
    assert wikitext_to_text("'''{{PAGENAME}}''' is", title="Ähre") == "Ähre is"


def test_no_title_is_longer_than_mediawiki_lets_titles_be():
    long = "ä" * 128
    assert wikitext_to_text("a {{PAGENAME}} b", title=long[1:]) == f"a {long[1:]} b"
    for source in ("a {{PAGENAME}} b", "a {{FULLPAGENAME}} b", "a {{PAGENAME:x}} b"):
        assert long not in wikitext_to_text(source, title=long)


@pytest.mark.parametrize(
    "piece",
    [
        *(
            "{{PAGENAME}} x ",
            "{{padleft:|499|y}} ",
            "{{padright:a|499}} ",
            "{{uc:ΐ}}",
            "{{Pop density|1e300|1|km2}} x ",
            "{{lang-de|{{PAGENAME}}}} ",
        ),
    ],
)
def test_what_templates_add_is_bounded(piece):
    source = piece * 100_000
    extracted = extract_wikitext(source, title="T" * 255)
    assert len(extracted.text) <= len(source) + MOST_ADDED
    # What is beyond is counted.
    grown = extract_wikitext(piece, title="T" * 255)
    assert bool(extracted.lost) == (len(grown.text) * 100_000 > len(source) + MOST_ADDED)


@pytest.mark.parametrize(
    "source", ["{{padleft:a|9|%s}}", "{{padright:a|9|%s}}", "{{padleft:%s|9|b}}", "{{padleft:a|%s|b}}", "{{uc:%s}}"]
)
def test_a_filling_of_any_length_costs_no_more_than_itself(source):
    tracemalloc.start()
    try:
        wikitext_to_text(source % ("7" * 1_000_000))
        assert tracemalloc.get_traced_memory()[1] < 40_000_000
    finally:
        tracemalloc.stop()


def test_marks_of_repeated_templates_are_used_once():
    nested = "{{padleft:|400|{{foo|x}}}}"
    for _ in range(20):
        nested = "{{padleft:|400|{{foo|" + nested + "}}}}"
    assert len(wikitext_to_text(f"a {nested} b")) < 10_000
