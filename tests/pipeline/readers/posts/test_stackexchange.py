import bz2
import gzip
import random
from collections import Counter
from xml.sax.saxutils import quoteattr

import pytest
import zstandard

from manifests.errors import GristmillError
from pipeline.losses import Tally
from pipeline.readers.posts import post_spool, stackexchange
from pipeline.readers.posts.post_html import post_to_text
from pipeline.readers.posts.stackexchange import read_stackexchange, site_of
from tests.growth import check_growth
from tests.pipeline.readers.collected import collect
from tests.pipeline.readers.samples import write


def row(number, kind, body="", **attributes):
    given = {"Id": number, "PostTypeId": kind, **attributes, "Body": body}
    return "  <row " + " ".join(f"{name}={quoteattr(str(value))}" for name, value in given.items()) + " />\n"


def question(number, body="<p>Why?</p>", *, title="Title", score=0):
    return row(number, 1, body, Score=score, Title=title)


def answer(number, parent, body, *, score=0):
    return row(number, 2, body, ParentId=parent, Score=score)


def posts(*rows):
    return ('\ufeff<?xml version="1.0" encoding="utf-8"?>\n<posts>\n' + "".join(rows) + "</posts>").encode()


def read(path):
    return collect(read_stackexchange(str(path)))


SMALL = posts(
    question(1, "<p>First &amp; <b>foremost</b>?</p>", title="On  mills"),
    answer(2, 1, "<p>low</p>", score=-2),
    question(3, "<p>Nobody knows.</p>", title="Lonely"),
    answer(4, 1, "<p>high</p>", score=7),
    answer(5, 1, "<p>also high</p>", score=7),
    answer(6, 99, "<p>lost</p>"),
    row(7, 5, "wiki"),
    row(8, 4, "excerpt"),
    row(9, 42, "?"),
    answer(10, 3, "<p>I do.</p>"),
)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, zstandard.compress])
def test_questions_with_their_answers_by_score(tmp_path, pack):
    folder = tmp_path / "mills.stackexchange.com"
    folder.mkdir()
    result = read(write(folder / "Posts.xml", pack(SMALL)))
    assert [(r.name, r.url, r.text) for r in result.documents] == [
        (
            "1",
            "https://mills.stackexchange.com/questions/1",
            "On mills\n\nFirst & foremost?\n\nhigh\n\nalso high\n\nlow",
        ),
        ("3", "https://mills.stackexchange.com/questions/3", "Lonely\n\nNobody knows.\n\nI do."),
    ]
    assert result.skipped == {
        "answer": 4,
        "answer_without_question": 1,
        "tag_wiki": 1,
        "tag_wiki_excerpt": 1,
        "unknown_post_type": 1,
    }
    assert (result.total, result.broken) == (10, [])
    assert [SMALL[r.offset :].startswith(f'<row Id="{r.name}"'.encode()) for r in result.documents] == [True, True]


def test_the_result_does_not_depend_on_what_goes_to_disk(tmp_path, monkeypatch):
    chance = random.Random(5)
    rows, expected = [], {}
    for number in range(1, 2_000):
        if number < 5 or chance.random() < 0.4:
            rows.append(question(number, f"<p>q{number}</p>"))
            expected[number] = []
        else:
            parent, score = chance.choice(list(expected)), chance.randrange(-3, 4)
            rows.append(answer(number, parent, f"<p>a{number}</p>", score=score))
            expected[parent].append((-score, number))
    path = write(tmp_path / "Posts.xml", posts(*rows))
    texts = [
        "\n\n".join(["Title", f"q{q}", *(f"a{n}" for _, n in sorted(answers))])
        for q, answers in sorted(expected.items())
    ]
    whole = read(path)
    assert whole.texts == texts
    assert whole.total == len(rows)
    for name, value in (("_MOST_WAITING", 1_000), ("CACHE_KIB", 16)):
        monkeypatch.setattr(post_spool, name, value)
        again = read(path)
        assert (again.documents, again.skipped) == (whole.documents, whole.skipped), name


def test_a_document_has_the_best_answers_that_fit(tmp_path, monkeypatch):
    rows = [question(1), *(answer(number, 1, "<p>" + "x" * 100 + "</p>", score=number) for number in range(2, 52))]
    path = write(tmp_path / "Posts.xml", posts(*rows))
    monkeypatch.setattr(stackexchange, "MOST_DOCUMENT_CHARACTERS", 1_010)
    result = read(path)
    assert (len(result.documents), result.total, result.skipped) == (1, 51, {"answer": 10, "answers_too_large": 40})


def test_a_full_disk_ends_the_step_and_is_not_taken_for_a_broken_row(tmp_path, monkeypatch):
    class Full(post_spool.Spool):
        def __init__(self):
            super().__init__()
            self.database.execute("PRAGMA temp.max_page_count = 20")

    monkeypatch.setattr(stackexchange, "Spool", Full)
    path = write(tmp_path / "Posts.xml", posts(*(question(number, "x" * 1_000) for number in range(1, 1_000))))
    with pytest.raises(GristmillError, match=r"cannot be put aside .* disk is full\n.*SQLITE_TMPDIR"):
        read(path)


def test_what_the_posts_of_a_document_lost_is_counted_with_it(tmp_path, monkeypatch):
    path = write(
        tmp_path / "Posts.xml",
        posts(
            question(1, "<p>a &#0; b</p><script>no()</script><style>p{}</style>"),
            answer(2, 1, "<p>&#xD800; and &#57343;</p><script>no()</script>"),
            answer(3, 99, "<script>no()</script>&#0;"),  # of no document
            question(4, "<p>nothing lost &amp; all kept</p>"),
            question(5, "<script>no()</script>"),
        ),
    )

    def inside():
        total = Tally()
        for records in read_stackexchange(str(path)):
            total.merge(records.lost)
        return {
            kind: (of.documents, of.count, {name: one.count for name, one in of.names.items()})
            for kind, of in total.inside().items()
        }

    wanted = {"dropped_elements": (1, 3, {"script": 2, "style": 1}), "replaced_characters": (1, 3, {"references": 3})}
    assert inside() == wanted
    monkeypatch.setattr(post_spool, "_MOST_WAITING", 10)
    assert inside() == wanted
    monkeypatch.setattr(stackexchange, "MOST_DOCUMENT_CHARACTERS", 8)  # the answer is left out
    assert inside() == {
        "dropped_elements": (1, 2, {"script": 1, "style": 1}),
        "replaced_characters": (1, 1, {"references": 1}),
    }


def test_rows_without_their_numbers_are_broken_and_others_are_not_lost(tmp_path, monkeypatch):
    monkeypatch.setattr(stackexchange, "MOST_POST_CHARACTERS", 1_000)
    result = read(
        write(
            tmp_path / "Posts.xml",
            posts(
                '<row PostTypeId="1" Body="x" />',
                '<row Id="two" PostTypeId="1" Body="x" />',
                '<row Id="3" PostTypeId="2" Body="no parent" />',
                '<row Id="4" Text="a comment" PostId="1" />',
                '<row Id="-5" PostTypeId="1" Body="x" />',
                '<row Id="6" PostTypeId="2" ParentId="1" Score="99999999999999999999" Body="x" />',
                question(7, "x" * 1_001),
                question(8, ""),
                question(9, "kept"),
                question(9, "kept as well"),
                answer(10, 9, "an answer"),
                answer(11, 8, "an answer to a title"),
            ),
        )
    )
    assert result.kinds == ["invalid row"] * 6
    assert result.texts == ["Title\n\nan answer to a title", "Title\n\nkept as well", "Title\n\nkept\n\nan answer"]
    assert result.skipped == {"post_too_large": 1, "answer": 2}
    assert read(write(tmp_path / "Posts.xml", posts(question(1, "")))).skipped == {"empty_text": 1}


@pytest.mark.parametrize("damage", [b"<", b"\xff\xfe", b"\x01", b"&undefined;", b'"'])
def test_a_place_that_is_no_xml_costs_its_row_only(tmp_path, damage):
    data = posts(*(question(number, f"body of {number}") for number in range(1, 6))).replace(
        b"body of 3", b"body" + damage
    )
    result = read(write(tmp_path / "Posts.xml", data))
    assert [r.name for r in result.documents] == ["1", "2", "4", "5"]
    assert result.kinds == ["damaged XML"]
    assert data.index(b'Id="3"') - 10 < result.broken[0].offset < data.index(b'Id="4"')


def test_truncation_delivers_what_was_before(tmp_path):
    data = posts(*(question(number, f"body of {number}") for number in range(1, 200)))
    result = read(write(tmp_path / "Posts.xml", data[: len(data) // 2]))
    assert [int(r.name) for r in result.documents] == list(range(1, data[: len(data) // 2].count(b"/>") + 1))
    assert result.kinds == ["damaged XML"]
    packed = gzip.compress(data, mtime=0)
    assert read(write(tmp_path / "Posts.xml.gz", packed[:-300])).kinds == ["damaged gzip"]
    assert read(write(tmp_path / "Posts.xml", b"")).kinds == ["empty file"]
    assert read(write(tmp_path / "Posts.xml", b'<!DOCTYPE x [<!ENTITY a "b">]>' + data)).kinds == ["refused"]


def test_7z_and_missing_files_are_said_plainly(tmp_path):
    with pytest.raises(GristmillError, match="7z x"):
        read(write(tmp_path / "mills.7z", b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(100)))
    with pytest.raises(GristmillError, match=r"gone\.xml: no such file"):
        read(tmp_path / "gone.xml")


@pytest.mark.parametrize(
    ("path", "site"),
    [
        ("/data/math.stackexchange.com/Posts.xml", "math.stackexchange.com"),
        ("/data/stackoverflow.com-Posts.xml.gz", "stackoverflow.com"),
        ("s3://dumps/meta.askubuntu.com/Posts.xml.zst", "meta.askubuntu.com"),
        ("/data/es.stackoverflow.com/Posts.xml", "es.stackoverflow.com"),
        ("/data/mathoverflow.net/Posts.xml", "mathoverflow.net"),
        ("/stackoverflow.com/superuser.com/Posts.xml", "superuser.com"),
        ("/data/stackoverflow.community/Posts.xml", None),
        ("/data/Posts.xml", None),
    ],
)
def test_the_site_is_what_file_or_folder_is_named_after(path, site):
    assert site_of(path) == site


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("", ""),
        ("plain", "plain"),
        ("<p>one\ntwo</p>\n\n<p>three</p>", "one two\n\nthree"),
        ("<p>a <b>b</b><i> c</i> d</p>", "a b c d"),
        ("a<br>b<br/>c<br><br>d", "a\nb\nc\n\nd"),
        (
            "<p>Use <code>x &lt; y</code>:</p>\n<pre><code>if x:\n    y = 1\n\nz\n</code></pre>\n<p>Done.</p>",
            "Use x < y:\n\nif x:\n    y = 1\n\nz\n\nDone.",
        ),
        ("<pre>\n  indented\n</pre>", "  indented"),
        (
            "<ul>\n<li>one</li>\n<li>two\n<ul>\n<li>deep</li>\n</ul></li>\n</ul>\n<p>after</p>",
            "• one\n• two\n• deep\n\nafter",
        ),
        ("<ol><li><p>one</p></li><li><p>two</p></li></ol>", "1. one\n\n2. two"),
        ("<blockquote><p>said</p></blockquote><p>I</p><hr><h2>Head</h2>x", "said\n\nI\n\nHead\n\nx"),
        ('<a href="https://e.org/?a=1&b=2" title="t">link</a> <img src="x" alt="no">!', "link !"),
        ("<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>", "a b\n1 2"),
        ("a <!-- hidden --> b <script>no()</script><style>p{}</style>c", "a b c"),
        ("1 < 2 and 3 > 2 &copy; &#x1F600; &bogus;", "1 < 2 and 3 > 2 © 😀 &bogus;"),
        ("a <!-- never closed", "a"),
        ("</ul></li></pre>x", "x"),
        # Powers and indices stay what they are.
        ("<p>10<sup>6</sup> rows, 2<SUP class='x'><b>10</b></SUP> bytes</p>", "10^6 rows, 2^10 bytes"),
        ("10<sup>-3</sup> and x<sub>i</sub>, 101<sub>2</sub>", "10^-3 and x_i, 101_2"),
        ("km<sup>2</sup>, the 1<sup>st</sup>, H<sub>2</sub>O, a<sup>[1]</sup>.", "km2, the 1st, H2O, a."),
        ("10<sup>6</sup><i>5</i> and 5<sup>1</sup>&frasl;<sub>2</sub>", "10^6 5 and 5 1\u20442"),
        ("<p>5</p><p><sup>1</sup>2</p><ul><li><sup>3</sup> see</li></ul>", "5\n\n1 2\n\n• 3 see"),
        ("<pre>2<sup>n</sup>\n  10<sup> 6 </sup></pre>", "2^n\n  10^6"),
        ("2<sup>3<sup>2</sup></sup>", "2^3^2"),
        ("10<sup>6 rows</p><p>next</p>", "10^6 rows\n\nnext"),
        ("10<sup>6", "10^6"),
        ("10<sup>6<sup> rows", "10^6 rows"),
        ("10<sup/>6 and </sup>x<sup></sup>", "106 and x"),
        ("10<sup>&#54;</sup>", "10^6"),
        ("SO<sub>4</sub><sup>2-</sup> and x<sub>1</sub><b><sup>2</sup></b>", "SO4^2- and x1^2"),
        ("<p>10 <sup>a remark that is longer than any power</sup></p>", "10 a remark that is longer than any power"),
    ],
)
def test_posts_become_text(source, text):
    assert post_to_text(source) == text


@pytest.mark.parametrize("piece", ["<sup>", "1<sup>2", "</sup>", "1<sup>2</sup><i a>", "1<sub><sup>", "x<sup><p>"])
@pytest.mark.timeout(20)
def test_powers_take_linear_time(piece):
    check_growth(lambda size: piece * size, post_to_text)


@pytest.mark.parametrize(
    "piece",
    [
        "<",
        "<a ",
        "<ul>",
        "<li>",
        "<pre>",
        "</pre>",
        "<!--",
        "&",
        "&#",
        " ",
        "\n",
        "<p>",
        "<br>",
        "<script>",
        "<td>x",
        "x<ul>",
    ],
)
@pytest.mark.timeout(20)
def test_posts_take_linear_time(piece):
    assert len(post_to_text(piece * (500_000 // len(piece)))) <= 3_000_000


def test_every_row_is_counted_once_whatever_the_bytes(tmp_path):
    chance = random.Random(9)
    for _ in range(150):
        data = bytearray(SMALL)
        for _ in range(chance.randrange(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        result = read(write(tmp_path / "Posts.xml", bytes(data)))
        rows = bytes(data).count(b"<row ")
        # A damaged place costs at most the row that it lies in, and may lie between rows.
        assert rows <= result.total <= rows + len(result.broken)
    assert Counter(read(write(tmp_path / "Posts.xml", SMALL)).skipped)["answer"] == 4
