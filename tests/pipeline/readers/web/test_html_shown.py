"""What all choices of extraction keep, and what all leave out: lists, figures, cells, hidden text, superscripts."""

import contextlib
import time

import pytest

from pipeline.readers.web.html import TooComplex, html_to_text
from pipeline.readers.web.html_blocks import blocks_of
from pipeline.readers.web.html_census import take_census

EXTRACTIONS = ("resiliparse", "trafilatura", "adaptive")
TEXT = (
    "The miller grinds the grain of the whole valley, and nobody in the village has ever complained about the flour. "
    * 3
)
ITEMS = "<li>200 g of flour</li><li>two eggs beaten in a cup of milk</li><li>one pinch of salt</li>"
MENU = "<nav><ul><li><a href='/'>Home</a></li><li><a href='/b'>Journal</a></li></ul></nav>"


def _page(inside: str, *, around: str = "<main><article><h1>Plum cake</h1>{}</article></main>") -> str:
    text = around.format(f"<p>{TEXT}</p>{inside}<p>{TEXT}</p>")
    foot = "<footer><ul><li><a>Imprint</a></li></ul></footer>"
    return f"<!DOCTYPE html><html><head><title>T</title></head><body>{MENU}{text}{foot}</body></html>"


@pytest.mark.parametrize("extraction", EXTRACTIONS)
@pytest.mark.parametrize(
    "around", ["{}", "<main>{}</main>", "<main><article><div>{}</div></article></main>", "<div><div>{}</div></div>"]
)
@pytest.mark.parametrize(
    "inside",
    [
        f"<ul>{ITEMS}</ul>",
        f"<ol>{ITEMS}</ol>",
        f"<h2>You need</h2><ul>{ITEMS}</ul>",
        f"<ul><li>for the dough<ul>{ITEMS}</ul></li></ul>",
        f"<section><ul>{ITEMS}</ul></section>",
        f"<blockquote><ul>{ITEMS}</ul></blockquote>",
        f"<details open><summary>Needed</summary><ul>{ITEMS}</ul></details>",
        (
            "<ul><li>200 g of <a href='/f'>flour</a></li>"
            "<li>two eggs beaten in a <a href='/c'>cup of milk</a></li><li>one pinch of salt</li></ul>"
        ),
    ],
)
def test_lists_of_running_text_stay(inside, around, extraction):
    text = html_to_text(_page(inside, around=around), extraction=extraction)
    for item in ("200 g of flour", "two eggs beaten in a cup of milk", "one pinch of salt"):
        assert item in " ".join(text.split())
    assert "Imprint" not in text
    assert "Journal" not in text


@pytest.mark.parametrize("extraction", EXTRACTIONS)
@pytest.mark.parametrize("item", ["{} {} &lt;<a href='mailto:{}'>{}</a>&gt;", "<a href=' MAILTO:{2}'>{0} {1}</a>."])
def test_lists_of_people_with_their_addresses_stay(item, extraction):
    people = ("Ada Quern", "Bo Hopper", "Cy Sieve")
    items = "".join(f"<li>{item.format(*name.split(), *[f'{name[:2]}@mill.example'] * 2)}</li>" for name in people)
    text = html_to_text(_page(f"<ul>{items}</ul>"), extraction=extraction)
    assert [name for name in people if name not in text] == []
    elsewhere = html_to_text(
        _page(f"<ul>{items.replace('mailto:', '/').replace('MAILTO:', '/')}</ul>"), extraction="resiliparse"
    )
    assert people[0] not in elsewhere


@pytest.mark.parametrize("extraction", EXTRACTIONS)
@pytest.mark.parametrize("tag", ["code", "kbd", "samp", "var", "tt"])
def test_literals_are_no_frames_whatever_they_are_called(tag, extraction):
    """DocBook writes addresses as `code` of class `email`, and what is chosen in a menu as `kbd` of a menu's class."""
    literal = f"<{tag} class='email menu' id=share>flour@mill.example</{tag}>"
    assert "Write to flour@mill.example for a sack." in html_to_text(
        _page(f"<p>Write to {literal} for a sack.</p>"), extraction=extraction
    )
    hidden = literal.replace("id=", "hidden id=")
    assert "flour@" not in html_to_text(_page(f"<p>Write to {hidden} for a sack.</p>"), extraction=extraction)


@pytest.mark.parametrize("extraction", EXTRACTIONS)
@pytest.mark.parametrize(
    "around",
    [
        "<div class='post type-post tag-cakes category-baking'>{}</div>",
        "<div class='content-sidebar-wrap'><div>{}</div></div>",
        "<article class='has-post-comments tag-cakes'>{}</article>",
        "<main id='menu'>{}</main>",
    ],
)
def test_names_of_what_holds_the_page_do_not_make_its_lists_menus(around, extraction):
    """WordPress writes a post's tags and the layout of the page into the classes of the elements around the text."""
    linked = "<ul><li>200 g of <a href='/f'>strong white flour</a></li><li>two <a href='/c'>eggs</a> beaten</li></ul>"
    text = " ".join(html_to_text(_page(linked, around=around), extraction=extraction).split())
    assert "200 g of strong white flour" in text
    assert "two eggs beaten" in text


@pytest.mark.parametrize("extraction", EXTRACTIONS)
def test_lists_in_what_is_named_a_menu_stay_out(extraction):
    beside = f"<div class='widget tags'><p>{TEXT[:60]}</p><ul>{ITEMS.replace('flour', 'sand')}</ul></div>"
    assert "200 g of sand" not in html_to_text(_page("", around="<main>{}</main>" + beside), extraction=extraction)


@pytest.mark.parametrize("extraction", ["resiliparse", "adaptive"])
@pytest.mark.parametrize("name", ["print-only", "sidebar", "comments", "related", "footer", "nav"])
def test_a_page_within_an_element_that_is_named_like_a_part_of_it_is_not_lost(name, extraction):
    text = html_to_text(
        _page(f"<ul>{ITEMS}</ul>", around=f"<div class='{name}'><div>{{}}</div></div>"), extraction=extraction
    )
    assert " ".join(text.split()).count(" ".join(TEXT.split())) == 2
    assert "two eggs beaten in a cup of milk" in text
    assert "Journal" not in text


@pytest.mark.parametrize("extraction", EXTRACTIONS)
@pytest.mark.parametrize("name", ["entry themeform share", "post share", "jp-carousel"])
def test_an_article_that_is_named_like_a_button_is_not_lost_beside_an_author(name, extraction):
    paragraphs = "".join(f"<p>Number {number}. {TEXT}</p>" for number in range(4))
    author = (
        "<div class='bio'><p>"
        + "David keeps the mill, and writes about it whenever the wheel stands still. " * 4
        + "</p></div>"
    )
    article = (
        f"<article><h1>Plum cake</h1><div><div class='{name}'><div"
        f" class='entry-inner'>{paragraphs}</div></div>{author}</article>"
    )
    found = html_to_text(f"<html><body>{MENU}<main>{article}</main></body></html>", extraction=extraction)
    assert [found.count(f"Number {number}. The miller") for number in range(4)] == [1] * 4


@pytest.mark.parametrize("extraction", ["resiliparse", "adaptive"])
def test_what_is_said_of_an_article_does_not_take_its_place(extraction):
    said = f"<div class='comments'><div class='comment share'>{f'<p>{TEXT}</p>' * 4}</div></div>"
    teasers = f"<div class='next share'>{f'<p>{TEXT}</p>' * 4}</div>"
    words = "<p>" + "The mill has a new wheel, made of oak by a carpenter of the village. " * 4 + "</p>"
    for beside in (said, teasers):
        found = html_to_text(
            f"<html><body>{MENU}<article><h1>Wheel</h1>{words}</article>{beside}</body></html>", extraction=extraction
        )
        assert "made of oak" in found


def test_a_notice_is_no_text_where_there_is_no_other():
    assert (
        html_to_text(
            f"<body><div id=app></div><div class='cookie-banner sidebar'><p>{TEXT}</p><p>{TEXT}</p></div></body>"
        )
        == ""
    )


@pytest.mark.parametrize("extraction", EXTRACTIONS)
@pytest.mark.parametrize("anchor", ["<a id='here'/>", '<a name="here" />', "<A ID='here' class='x'/>"])
def test_anchors_of_xhtml_are_no_links_to_what_follows(anchor, extraction):
    inside = (
        f"<h2>{anchor}What you need</h2><p>{anchor}{TEXT} (twice)</p><ul>{ITEMS}</ul><div><p>{TEXT}"
        f" (again)</p><ol>{ITEMS}</ol></div>"
    )
    text = " ".join(html_to_text(_page(inside), extraction=extraction).split())
    assert "(twice)" in text
    assert "(again)" in text
    assert text.count("two eggs beaten in a cup of milk") == 2


@pytest.mark.parametrize("extraction", EXTRACTIONS)
def test_links_that_are_closed_late_stay_links(extraction):
    link = "<a href='/a'/>Next page of the journal</a>"
    assert "Next page" not in html_to_text(_page(f"<ul><li>{link}</li><li>{link}</li></ul>"), extraction=extraction)


def test_lists_that_are_the_frame_of_a_page_are_opened():
    method = (
        "<li><section><h3>{0}</h3><div><a href='#{0}'>{0}</a> (<a href='/Grain'>Grain</a>)</div><div>Grinds"
        " {0}.</div></section></li>"
    )
    inside = f"<ul class='block-list'>{''.join(method.format(f'grind{number}') for number in range(4))}</ul>"
    assert "Grinds grind3." in html_to_text(_page(inside))


@pytest.mark.parametrize("extraction", EXTRACTIONS)
def test_figures_around_text_are_opened(extraction):
    inside = (
        "<figure class='wp-block-table'><table><tr><td>CELL</td><td>OTHER</td></tr></table>"
        "<figcaption>A caption of a table.</figcaption></figure>"
        f"<p>{TEXT}</p><figure class='highlight'><pre><code>CODE = 1</code></pre></figure><p>{TEXT}</p>"
        f"<figure><blockquote><p>QUOTE of a speaker.</p></blockquote></figure><p>{TEXT}</p>"
    )
    text = html_to_text(_page(inside), extraction=extraction)
    for words in ("CELL", "OTHER", "CODE = 1", "QUOTE of a speaker."):
        assert words in text


@pytest.mark.parametrize("extraction", EXTRACTIONS)
def test_cells_are_kept_apart(extraction):
    inside = (
        "<table><tr><th>Day</th><th>Hours</th></tr><tr><td>Monday</td><td><ul><li>10:00</li><li>18:00</li></ul></td></tr><tr><td>Tuesday<br>Weekend</td><td>A"
        " <a href='/w'>walnut</a> tree</td></tr></table>"
    )
    text = html_to_text(_page(inside), extraction=extraction)
    for words in ("Monday", "10:00", "18:00", "Tuesday", "Weekend", "A walnut tree"):
        assert words in text
    assert "10:0018:00" not in text
    assert "TuesdayWeekend" not in text


@pytest.mark.parametrize("extraction", EXTRACTIONS)
@pytest.mark.parametrize(
    "hidden",
    [
        "<p>Born<span style='display:none'>(SECRET)</span> in town.</p>",
        "<p>Born<span style='color: red; display: none !important'>(SECRET)</span> in town.</p>",
        "<p hidden>SECRET in a paragraph that nobody sees.</p>",
        "<div hidden><p hidden>SECRET in a paragraph that nobody sees.</p></div>",
        "<template><p>SECRET of a card.</p></template>",
        "<noscript><p>SECRET: please enable scripts.</p></noscript>",
    ],
)
def test_what_is_not_shown_is_no_text(hidden, extraction):
    assert "SECRET" not in html_to_text(_page(hidden), extraction=extraction)


@pytest.mark.parametrize("extraction", EXTRACTIONS)
@pytest.mark.parametrize(
    "shown",
    [
        "<details><summary>More</summary><p>The OPEN explanation of how the town was built on two hills.</p></details>",
        "<p hidden=until-found>The OPEN explanation of how the town was built on two hills.</p>",
    ],
)
def test_what_can_be_opened_is_text(shown, extraction):
    assert "OPEN" in html_to_text(_page(shown), extraction=extraction)


@pytest.mark.parametrize("extraction", EXTRACTIONS)
@pytest.mark.parametrize(
    "inside",
    [
        "<p class='jp'>水車小屋で小麦を挽く</p><p class='en'>The mill grinds wheat.</p>",
        "<p>The mill <span class='word JP'>水車小屋で小麦を挽く</span> grinds wheat.</p>",
        "<div class='gd jp b'><p>水車小屋で小麦を挽く: see <a href='/mill'>the mill</a>.</p></div>",
        "<pre><span class='gd wa b'>水車小屋で小麦を挽く</span></pre>",
    ],
)
def test_short_classes_do_not_make_text_a_button(inside, extraction):
    assert "水車小屋で小麦を挽く" in html_to_text(_page(inside), extraction=extraction)


@pytest.mark.parametrize(
    ("attribute", "seen"),
    [
        ("class=jp", True),
        ("class='a wa'", True),
        ('CLASS="WA b"', True),
        ('class="\n\tjp\n"', True),
        ('id="jp"', False),
        ('class="jp-x xwa awa wab j p"', False),
        ('class=""', False),
        ("class", False),
    ],
)
def test_short_classes_are_seen_in_the_markup(attribute, seen):
    assert blocks_of(f"<p {attribute}>rye".encode()).short_classes == seen
    assert blocks_of(f"<script>'<p {attribute}>'</script>".encode()).short_classes is False


def test_buttons_of_messengers_stay_out():
    for button in (
        "<a class='wa' href='/s'>Send it by WhatsApp</a>",
        "<span class='wa'><a href='/s'>Send it by WhatsApp</a></span>",
    ):
        assert "WhatsApp" not in html_to_text(_page(f"<div>{button}</div>"))


@pytest.mark.parametrize("extraction", EXTRACTIONS)
def test_powers_are_no_other_numbers(extraction):
    inside = (
        "<p>There are 10<sup>6</sup> cells and <b>2</b><sup>10</sup> bytes on 5 km<sup>2</sup> of land, the"
        " 1<sup>st</sup> with water, H<sub>2</sub>O, and in 1990<sup><a href='#n'>1</a></sup> nobody counted them.</p>"
    )
    text = " ".join(html_to_text(_page(inside), extraction=extraction).split())
    for words in ("10^6 cells", "2^10 bytes", "5 km2 of land", "the 1st with", "H2O", "in 1990 nobody"):
        assert words in text


@pytest.mark.parametrize("quoted", ['b=">" ', "b='>' ", "b='<a>' ", "b=\"<c d='>'\" ", "b "])
@pytest.mark.parametrize("begin", ["<div ", "</div ", "<!-- <p> --><svg ", "<script>a<b</script><p "])
def test_attributes_are_counted_whatever_is_quoted(begin, quoted):
    tag = begin + "".join(f"a{number}=1 " + (quoted if number % 3_000 == 0 else "") for number in range(12_000)) + ">x"
    assert take_census(tag.encode()).attributes >= 12_000
    with pytest.raises(TooComplex, match="too many attributes"):
        html_to_text(tag)


@pytest.mark.parametrize(
    "name", ["meta", "link", "code", "script", "style", "svg><title", "select><style", "frameset><script"]
)
def test_attributes_that_only_trafilatura_reads_are_counted(name):
    text = "<p>" + "Some words of a text that is long enough to be one. " * 20 + "</p>"
    page = f"{text}<{name} {' '.join(f'a{number}' for number in range(30_000))}></{name.rpartition('<')[2]}>{text}"
    began = time.process_time()
    with pytest.raises(TooComplex, match="too many attributes"):
        html_to_text(page, extraction="trafilatura")
    for extraction in ("resiliparse", "adaptive"):
        with contextlib.suppress(TooComplex):
            assert "Some words" in html_to_text(page, extraction=extraction)
    assert time.process_time() - began < 3


@pytest.mark.parametrize("extraction", EXTRACTIONS)
@pytest.mark.parametrize(
    "page",
    ["<frameset><frame src=a></frameset>", "<frameset><frame><noframes><p>{}</p></noframes></frameset>", "<frameset><p>{}", "",
     "<frameset><frame></frameset><body><p>{}</body>", "<html><frameset></frameset></html><p>{}", "<template><p>{}", "<!-- {} -->"],
)  # fmt: skip
def test_a_page_without_a_body_has_no_text(page, extraction):
    assert html_to_text(page.format(TEXT), extraction=extraction) == ""


@pytest.mark.parametrize(
    "around",
    [
        "<select><title>{}</title>",
        "<frameset><style>{}</style>",
        "<svg><![CDATA[>{}]]></svg>",
        "<plaintext>{}",
        "<svg><title>{}</title>",
    ],
)
def test_tags_where_the_parser_may_read_none_are_counted(around):
    tags = "<i " + " ".join(f"a{number}" for number in range(30_000)) + ">"
    began = time.process_time()
    with contextlib.suppress(TooComplex):
        html_to_text(around.format(tags))
    assert time.process_time() - began < 2


def test_many_tags_with_few_attributes_are_no_tag_with_many():
    page = "<p>" + "<i class='a' title='x > y' data-x=\"<b>\">word</i> " * 20_000
    assert take_census(page.encode()).attributes == 3


@pytest.mark.parametrize(
    "unit", ["<", "<a ", "<a b='", "<a b=\"<c d='<", "<a b='<c d=\"<e f=g<h ", "<ul><li>x</ul>", "a=b "]
)
def test_the_census_costs_what_the_size_costs(unit):
    def seconds(size: int) -> float:
        page = "<p " + unit * (size // len(unit))
        found = []
        for _ in range(3):
            began = time.process_time()
            take_census(page.encode())
            found.append(time.process_time() - began)
        return min(found)

    seconds(1_000)
    base = max(seconds(500_000), 0.02)
    assert seconds(1_000_000) < 3.5 * base
    assert seconds(4_000_000) < 20 * base


@pytest.mark.parametrize(
    "page",
    [
        "<p>" + "word " * 20_000 + "<ul><li>an item <a href=x>link link</a></ul>" * 2_000,
        "<p>x" + "<sup>2</sup>" * 20_000,
        "<p>" + "<i></i><sup>2</sup>" * 10_000,
        "<ul><li>some words here" * 90 + "word " * 50_000,
        "<figure><div>" * 90 + "word " * 20_000,
        "<table><tr><td>" + "<ul><li>x</ul>" * 2_000,
    ],
)
def test_pages_of_many_such_elements_cost_seconds_at_most(page):
    began = time.process_time()
    for extraction in ("resiliparse", "adaptive"):
        html_to_text("<html><body>" + page, extraction=extraction)
    assert time.process_time() - began < 8
