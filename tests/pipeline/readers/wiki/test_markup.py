"""Tags, tables, code and links in wikitext, as MediaWiki shows them."""

import time

import pytest

from pipeline.readers.wiki.expressions import evaluated, shown
from pipeline.readers.wiki.wikitext import wikitext_to_text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        # Only known tags are tags.
        ("Use #include <stdio.h> map<string, int> <https://x.example/a> <foo bar> <Enter>", ""),
        ("p<q while r>s and i<b and c>d and List<String> and x <- y -> z <<EOF a<=b>=c <3", ""),
        ("<a href=\"x\">l</a> <?php echo ?> <!doctype html>", ""),
        ("<B>bold</B> <span style=\"a:b\">s</span> <u >u</u> <q cite=\"x\">q</q> <ins/>i <s>s</s>", "bold s u q i s"),
        ("a<br>b<br />c<BR clear=\"all\">d</br>e<br/ >f", "a\nb\nc\nd\ne\nf"),
        ("a<p>b</p>c<div class=x>d</div>", "a\nb\nc\nd"),
        ("<ul><li>one</li><li>two</li></ul>", "• one\n\n• two"),
        ("<blockquote>quoted</blockquote>x", "quoted\nx"),
        ("<poem>\nrose\nred\n</poem>", "rose\nred"),
        ("say &lt;b&gt; and &amp;lt;", "say <b> and &lt;"),
        ("<noinclude>a</noinclude><onlyinclude>b</onlyinclude><includeonly>c</includeonly><section begin=x />d", "abd"),
        # Powers.
        (
            "10<sup>6</sup> cells, 2<sup>10</sup> bytes, 10<SUP>''6''</SUP>, 10<sup>&minus;3</sup>",
            "10^6 cells, 2^10 bytes, 10^6, 10^−3",
        ),
        ("10<sup>{{nowrap|6}}</sup>, 10<sup>[[six|6]]</sup>, 10<sup><b>6</b></sup>", "10^6, 10^6, 10^6"),
        ("10<sup>6<sup> cells and 10<sup>6 cells", "10^6 cells and 10^6 cells"),
        ("5 m<sup>2</sup>, x<sub>1</sub>, the 1<sup>st</sup>, 10<sup>6 or 7</sup>", "5 m2, x1, the 1st, 10^6 or 7"),
        ("10<sup>6</sup><b>5</b>, 10<sup>6</sup>''5'', 5<sup>1</sup>&frasl;<sub>2</sub>", "10^6 5, 10^6 5, 5 1⁄2"),
        ("HPO<sub>4</sub><sup>2−</sup>, PO<sub>4</sub><b><sup>3−</sup></b>, x<sub>1</sub><sup>2</sup>", "HPO4^2−, PO4^3−, x1^2"),
        ("10⁶ and x² stay", ""),
        # Tables.
        ("a\n{| class=x\n| colspan=2 | c\n\nAfter it.\n== Next ==\n| x\nMore.", "a\n\nAfter it.\n\nNext\n\n| x\nMore."),
        ("a\n:{| style=x\n| b\n|}\nc", "a\n\nc"),
        ("a\n{{(!}} class=x\n{{!}}-\n{{!}} colspan=3 {{!}} c\n{{!)}}\nd", "a\nd"),
        ("a\n{| class=x\n|-\n| rowspan=2 | c\n{{end}}\nd", "a\nd"),
        ("a\n{|\n|\n{|\n| x\n|}\n|}\nb", "a\n\nb"),
        ("{{start table}}\n|-\n| rowspan=2 | a\n|}\nb", "b"),
        # Code.
        (
            "a\n<syntaxhighlight lang=\"py\">\ndef f(x):\n    return x  # ''two'' [[y]] <b>\n</syntaxhighlight>\nb",
            "a\n\ndef f(x):\n    return x  # ''two'' [[y]] <b>\n\nb",
        ),
        ('a <source lang="c" inline>int x = f(3);</source> b <code>f(3)</code> c', "a int x = f(3); b f(3) c"),
        ("<pre><nowiki>\n [[x]]</nowiki></pre>", "[[x]]"),
        ("Code:\n for x in y:\n     print(x)\n\nEnd.", "Code:\nfor x in y:\n    print(x)\n\nEnd."),
        ("a\n slip of one blank\nb", "a\nslip of one blank\nb"),
        # Links, comments, references.
        ("[[bus]]es, [[a|b|c]], [[x|]]", "buses, b|c, x"),
        ("[[Fil:A b.svg|thumb|A [[b|c]] d]]e", "e"),
        ("a\n<!-- alone -->\nb<!-- in -->c", "a\nbc"),
        ("One.<ref>two. Three. <ref>four</ref> Five.", "One. two. Three. Five."),
        ("İstanbul <math>x</math> <ref>y</ref>z", "İstanbul $x$ z"),
        ("a\n----\nb\n-----c", "a\n\nb\nc"),
        ("ISBN 0-306-40615-2, RFC 2822, PMID 1", ""),
    ],
)  # fmt: skip
def test_markup(source, text):
    assert wikitext_to_text(source) == (text or source)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        *(
            ("1+2*3", "7"),
            ("2^10", "1024"),
            ("7 mod 4", "3"),
            ("100*1/3 round 1", "33.3"),
            ("2.5 round 0", "3"),
            ("-2.5 round 0", "-3"),
        ),
        *(("1.2e-3", "0.0012"), ("5 > 3 and 2 < 1", "0"), ("2*(3+4)*5", "70"), ("0.1+0.2", "0.3"), ("-2^2", "4")),
        # As PHP writes numbers, with 14 digits: an exponent behind 14 places, and below four zeros.
        *(
            ("10^20", "1.0E+20"),
            ("1.5*10^25", "1.5E+25"),
            ("10^-7", "1.0E-7"),
            ("1e100", "1.0E+100"),
            ("0-10^20", "-1.0E+20"),
        ),
        *(
            ("10^13", "10000000000000"),
            ("10^14", "1.0E+14"),
            ("123456789012345678", "1.2345678901235E+17"),
            ("0.0001", "0.0001"),
        ),
        *(
            ("0.00001", "1.0E-5"),
            ("99999999999999", "99999999999999"),
            ("99999999999999.99", "1.0E+14"),
            ("1/3", "0.33333333333333"),
        ),
        *(
            ("(1+2", None),
            ("1)", None),
            ("1/0", None),
            ("", None),
            ("1 2", None),
            ("9^9^9^9", None),
            ("x", None),
            ("1" * 300, None),
        ),
    ],
)
def test_sums(expression, value):
    result = evaluated(expression)
    assert (None if result is None else shown(result)) == value


GROWING = [
    *(
        "<ref>",
        "<sup>",
        "<sup>1</sup>",
        "10<sup>6<sup>",
        "<b ",
        "<b></b>",
        "{{foo|a}} ",
        "{{foo|",
        "{{foo|a {{bar|b}} c}} d",
    ),
    *(
        "{|\n|-\n",
        "|-\n",
        "{{!}}\n",
        "\n{{(!}}\n",
        "{{end}}\n",
        "{{#if:a|b|",
        "{{#switch:a|",
        "{{#expr:1+",
        "{{convert|1|to|2|km}} ",
    ),
    *(
        "{{convert|1|ft|",
        "[[a|b|",
        "<!---->\n",
        ":::{|",
        " : {| ",
        "a |} ",
        "<syntaxhighlight>",
        "<source>",
        "<ref>a</ref>",
    ),
    *(
        "<ref name=a",
        " a b\n",
        "    x\n",
        "\x031\x03",
        "----\n",
        "{{quote|",
        "{{hlist|a|b}}",
        "{{padleft:1|99|",
        "<li>",
        "</sup>",
    ),
    *("<sup></sup>", "{{film date|1|2|3}}", "[[File:a.jpg|", "{{coord|1|2}} "),
]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("piece", GROWING)
def test_cost_grows_with_size(piece):
    def seconds(size):
        source = piece * (size // len(piece))
        began = time.process_time()
        wikitext_to_text(source)
        return time.process_time() - began

    small, large = seconds(40_000), seconds(320_000)
    for _ in range(5):
        if large < 20 * small or large < 0.1:  # a square would take seconds
            return
        small, large = min(small, seconds(40_000)), min(large, seconds(320_000))
    assert large < 20 * small
