"""Quotations of posts within articles, as social networks have them embedded: they are text of the article.

In: the tree of a page. Out: the tree, changed: such a quotation is a plain `blockquote`, out of the wrappers that hold
nothing else.

Extractors leave out what is named after a network, since most of that is buttons and feeds. A network's own embed code
is a `blockquote` with the post's text, which its script replaces by a frame: what a reader without scripts sees, and
what the article's author quoted.

Sources for the class names: the embed codes that X/Twitter, Instagram, TikTok, Facebook, Threads, Bluesky, Mastodon,
Reddit, Imgur and WordPress (oEmbed) give to authors.
"""

from __future__ import annotations

import re
from typing import Any

from resiliparse.parse.html import NodeType

from pipeline.readers.web.html_tree import names_of, remove_names

_QUOTED = re.compile(
    r"(?:^|\s)(?:twitter-(?:tweet|video)|instagram-media|tiktok-embed|fb-(?:post|xfbml-parse-ignore)|text-post-media|bluesky-embed"
    r"|mastodon-embed|reddit-(?:embed-bq|card)|imgur-embed-pub|wp-embedded-content|embedly-card)(?:\s|$)"
)
# Class names of wrappers of one quotation, and of feeds and widgets of quotations beside a text.
_WRAPPER = re.compile(
    r"embed|tweet|twitter|instagram|tiktok|facebook|social|bluesky|mastodon|reddit|imgur|quote|^$", re.IGNORECASE
)
_BESIDE = re.compile(
    r"(?:tweet|twitter|instagram|facebook|social)s?[-_]?(?:feed|timeline|stream|widget)|latest[-_]"
    r"|(?:^|\s)(?:widget|timeline|sidebar|footer)(?:\s|$)",
    re.IGNORECASE,
)
_WRAPPING = ("div", "figure", "p", "span", "section")
_SILENT = ("script", "style", "noscript", "br", "meta", "link", "template")
_MOST_WRAPPERS, _MOST_BESIDE = 6, 10
# Whole pages are named after a sidebar that they have; a feed's own name is near its posts.
_NEAR = 3
_MOST = 200


def open_quotations(body: Any) -> None:
    """Put quotations of posts, without their names, in place of what wraps them."""
    for quotation in body.get_elements_by_tag_name("blockquote")[:_MOST]:
        if _QUOTED.search(quotation.class_name or "") is None or _in_feed(quotation) or not quotation.text.strip():
            continue
        outermost = _outermost(quotation)
        remove_names(quotation)
        if outermost is not quotation:
            outermost.replace_with(quotation)


def _outermost(quotation: Any) -> Any:
    """The wrapper that holds nothing else, or the quotation itself."""
    around = quotation
    for _ in range(_MOST_WRAPPERS):
        parent = around.parent
        if parent is None or parent.tag not in _WRAPPING:
            break
        if _WRAPPER.search(names_of(parent)) is None or not _alone(around):
            break
        around = parent
    return around


def _in_feed(quotation: Any) -> bool:
    around = quotation.parent
    for _ in range(_NEAR):
        if around is None:
            return False
        if _BESIDE.search(names_of(around)) is not None:
            return True
        around = around.parent
    return False


def _alone(node: Any) -> bool:
    """Nothing that a reader sees is beside it."""
    for step in ("prev", "next"):
        beside = getattr(node, step)
        for _ in range(_MOST_BESIDE):
            if beside is None:
                break
            if beside.type == NodeType.ELEMENT:
                if beside.tag not in _SILENT and beside.first_child is not None:
                    return False
            elif beside.type == NodeType.TEXT and beside.text.strip():
                return False
            beside = getattr(beside, step)
        else:
            return False
    return True
