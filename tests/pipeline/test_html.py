import subprocess
import sys

import pytest

from pipeline.html import TooComplex, html_to_text

PAGE = """<!doctype html><html><head><title>T</title><script>var hidden = 1;</script><style>p {color: red}</style></head><body>
<nav><a href="/">Home</a> <a href="/about">About us</a></nav>
<main><h1>A heading</h1><p>The first paragraph has <b>bold</b> words and a <a href="http://x.org/secret">link</a>.</p>
<img src="a.png" alt="alternative text"><ol><li>one item</li><li>another item</li></ol>
<p>The second &amp; last paragraph.</p></main>
<div class="comments"><p>First! Nice article.</p></div>
<footer>Imprint and privacy</footer></body></html>"""


def test_main_content_as_lines():
    text = html_to_text(PAGE)
    assert [line.strip() for line in text.split("\n") if line.strip()] == [
        "A heading",
        "The first paragraph has bold words and a link.",
        "1. one item",
        "2. another item",
        "The second & last paragraph.",
    ]


def test_pages_without_text_give_none():
    for html in ("", " ", "<html></html>", "<script>x</script>", "<!-- only a comment -->"):
        assert html_to_text(html).strip() == ""


@pytest.mark.parametrize(
    "html", ["<", "<<<>>>", "<p", "</p></p>", "<!doctype", "&#0;&#xffffffff;&amp", "\x00\x01\ufffd", "<p>\ud7ff\U0001f600" * 3]
)
def test_what_is_hardly_html_does_not_fail(html):
    html_to_text(html)


# Each once cost (or would cost) minutes to hours in the extractor or its parser. In a process of its own: a crash
# would take the tests along.
BOMBS = {
    "nested blocks": "'<div>' * 100_000 + 'deep'",
    "nested blocks, a million": "'<div>' * 1_000_000",
    "nested blocks between stray ends": "'<div></x>' * 100_000",
    "nested blocks in links": "'<a href=x><div>' * 50_000",
    "nested lists": "'<ul><li>' * 100_000",
    "nested tables": "'<table><tr><td>' * 50_000",
    "nested inline": "'<span>' * 500_000",
    "unclosed formatting": "''.join(f'<font color=a{i}><p>x' for i in range(30_000))",
    "unclosed formatting of several kinds": "''.join(f'<b id=a{i}><i class=b{i}><p>x' for i in range(20_000))",
    "attributes": "'<div ' + ' '.join(f'a{i}=1' for i in range(500_000)) + '>x</div>'",
    "attributes without values": "'<div ' + ' '.join(f'a{i}' for i in range(500_000)) + '>x</div>'",
    "flat": "'<div>some text, some more</div>' * 300_000",
    "angle brackets": "'<' * 5_000_000",
    "entities": "'&' * 5_000_000",
    "comments": "'<!--' * 1_000_000",
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs_neither_crash_nor_hang(bomb):
    program = (
        f"from pipeline.html import html_to_text, TooComplex\ntry: html_to_text({BOMBS[bomb]})\nexcept TooComplex as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", program], timeout=120, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    if "blocks" in bomb:
        assert "nested deeper" in done.stdout


def test_depth_and_attributes_below_the_limits_are_read():
    inner = "<p>" + "Some words that make a paragraph long enough. " * 5 + "</p>"
    assert "Some words" in html_to_text("<div>" * 400 + inner + "</div>" * 400 + "<br>" * 10_000)
    attributes = " ".join(f"data-{i}='{'v' * 100}'" for i in range(2_000))
    assert "Some words" in html_to_text(f"<main {attributes}>{inner}</main>")
    with pytest.raises(TooComplex):
        html_to_text("<div>" * 600 + inner + "</div>" * 600 + "<br>" * 10_000)


def test_neutralised_formatting_keeps_the_words():
    words = [f"word{i}" for i in range(5_000)]
    html = (
        "<main>"
        + "".join(f"<p><font color=a{i}><b style='x{i}'>{word}</b></font> and more.</p>" for i, word in enumerate(words))
        + "</main>"
    )
    assert [line.split()[0] for line in html_to_text(html).split("\n") if line.strip()] == words
