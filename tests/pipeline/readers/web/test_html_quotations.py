"""Posts quoted in articles are kept, whatever wraps them; feeds and widgets of posts beside the text are removed."""

from __future__ import annotations

import time

import pytest

from pipeline.readers.web.html import html_to_text

CHOICES = ("resiliparse", "trafilatura", "adaptive")
NAMES = (
    "twitter-tweet", "twitter-tweet tw-align-center", "twitter-video", "instagram-media", "tiktok-embed", "fb-post",
    "fb-xfbml-parse-ignore", "text-post-media", "bluesky-embed", "mastodon-embed", "reddit-embed-bq", "reddit-card", "imgur-embed-pub",
    "wp-embedded-content", "embedly-card",
)  # fmt: skip
WRAPPERS = (
    "{}",
    '<div class="embed-twitter">{}</div>',
    '<figure class="wp-block-embed is-type-rich wp-block-embed-twitter"><div class="wp-block-embed__wrapper">\n{}\n</div></figure>',
    '<div class="social-embed"><!-- from the editor -->{}</div>',
    '<div class="tweet"><div>{}</div></div>',
    '<p>{}<br></p>',
    '<div class="embed-twitter">\n{}<p></p></div>',
)  # fmt: skip
POST = "We are sorry for the delay and will open the bridge again on Monday morning at six."
PARAGRAPH = (
    "<p>The council met on Tuesday to discuss the plan for the {}, and heard from many residents who had written about"
    " floods.</p>"
)


def quotation(name: str, text: str = POST) -> str:
    return (
        f'<blockquote class="{name}" data-lang="en" id="q1"><p lang="en" dir="ltr">{text}</p>&mdash; River Council'
        ' (@rivercouncil) <a href="https://example.org/status/1">March 3, 2020</a></blockquote><script async'
        ' src="widgets.js"></script>'
    )


def article(middle: str, *, beside: str = "") -> str:
    return (
        "<html><body><header><a"
        f" href=/>Home</a></header><article><h1>Bridge</h1>{PARAGRAPH.format('river') * 4}{middle}"
        f"{PARAGRAPH.format('bridge') * 4}</article>{beside}<footer>Copyright</footer></body></html>"
    )


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_quoted_post_stays_where_it_stands(choice, wrapper) -> None:
    for name in NAMES:
        text = html_to_text(article(wrapper.format(quotation(name))), extraction=choice)
        assert text.count(POST) == 1, name
        assert "(@rivercouncil)" in text, name
        assert text.index("for the river") < text.index(POST) < text.index("for the bridge"), name


@pytest.mark.parametrize("choice", CHOICES)
def test_several_in_one_wrapper_stay_in_their_order(choice) -> None:
    posts = [f"{POST} This is number {number}." for number in range(3)]
    text = html_to_text(article("".join(quotation("twitter-tweet", post) for post in posts)), extraction=choice)
    assert sorted(text.index(post) for post in posts) == [text.index(post) for post in posts]


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize(
    "beside",
    [
        '<aside>{}</aside>',
        '<div class="sidebar"><h3>Latest tweets</h3>{}</div>',
        '<div><div><div class="twitter-feed">{}</div></div></div>',
        '<div><div><div class="posts" id="latest-tweets"><div>{}</div></div></div></div>',
        '<footer class="footer"><div class="social">{}</div></footer>',
        '<div hidden>{}</div>',
    ],
)  # fmt: skip
def test_posts_beside_the_text_go(choice, beside) -> None:
    text = html_to_text(article("", beside=beside.format(quotation("twitter-tweet") * 2)), extraction=choice)
    assert POST not in text
    assert "for the bridge" in text


@pytest.mark.parametrize("choice", CHOICES)
def test_an_empty_embed_leaves_nothing(choice) -> None:
    empty = '<blockquote class="instagram-media" data-src="x"></blockquote>'
    assert html_to_text(article(empty), extraction=choice) == html_to_text(article(""), extraction=choice)


@pytest.mark.parametrize("page", ["many", "long", "nested"])
def test_hostile_pages_cost_little(page) -> None:
    one = quotation("twitter-tweet", "a")
    made = {
        "many": '<div class="embed">' + one * 5_000 + "</div>",
        "long": '<div class="embed">' + (one + "text " * 10_000) * 150 + "</div>",
        "nested": '<div class="embed">' * 200 + '<blockquote class="twitter-tweet">a' * 200,
    }[page]
    began = time.process_time()
    html_to_text(article(made))
    assert time.process_time() - began < 8
