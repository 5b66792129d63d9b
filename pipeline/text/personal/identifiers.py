r"""Identifiers that have the form of an e-mail address: those of messages and of their parts.

In: a local part and the text before it. Out: whether they are such an identifier.
"""

from __future__ import annotations

import re

# Fields whose values are identifiers (RFC 5322 section 3.6.4, RFC 2045 section 7, RFC 5536), from the end of their
# names on.
_FIELDS = (b"-id:", b"in-reply-to:", b"references:", b"supersedes:")
# Words of text before one: `In article <...> Jane writes`.
_WORDS = re.compile(
    rb"(?i:\b(?:article|message|msg|msgid|message-?id|thread|post|references|in-reply-to|id)[:=]? ?<\Z)"
)
# What may come between such a field and one of its identifiers: others in angle brackets, the rest of the line, folded
# lines.
_SAME_FIELD = re.compile(rb"(?:[^\n<>]|\n[ \t]|<[^<>\s]{1,500}>)*<")
# `In-Reply-To: Message from Jane Roe <jane@example.org> of Friday`.
_NAMED = re.compile(rb"(?i:from) [^<>\"\n]{1,60}<\Z")
_IDENTIFIERS = re.compile(rb"(?:\s|<[^<>\s]{1,500}>)*")
_NAME = re.compile(rb"(?:^|\n)[ \t>|]{0,20}[A-Za-z\-]{0,40}\Z")
# RFC 2392 and RFC 5538.
_SCHEME = re.compile(rb"(?i:\b(?:cid|mid|news|msgid|nntp):(?://)?)\Z")
# Shapes that programs give: ten digits and more, `1991Jul31.174523` (RFC 5322 section 3.6.4 suggests date, time and
# process), Mozilla's `4F1A2B3C.5060708`, UUIDs, Exim's `E1abcd2-0001Xy-Z4`, long ones of Gmail.
_SHAPE = re.compile(
    rb"[0-9]{10,}[.\-]|(?:19|20)[0-9]{2}[A-Z][a-z]{2}[0-9]{1,2}\.[0-9]{4}|[0-9A-Fa-f]{7,8}\.[0-9]{6,8}\Z"
    rb"|[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}\Z|[0-9A-Za-z]{7}-[0-9A-Za-z]{6}-[0-9A-Za-z]{2}\Z"
    rb"|CA[\w+=\-]{30,}\Z"
)


def is_message_identifier(before: bytes, local: bytes) -> bool:
    """Whether an address with this local part is the identifier of a message; `before` is the text in front, up to a
    thousand bytes.
    """
    if _SHAPE.match(local) or _SCHEME.search(before[-12:]):
        return True
    bracketed = before.endswith(b"<")
    if bracketed and _WORDS.search(before[-24:]):
        return True
    if not bracketed and before[-1:] not in (b" ", b":", b"\t", b"\n"):
        return False
    lowered = (before if bracketed else before[-40:]).lower()
    places = [lowered.rfind(field) for field in _FIELDS]
    place = max(places)
    if place < 0 or not _NAME.search(lowered[max(0, place - 60) : place]):
        return False
    rest = lowered[place + len(_FIELDS[places.index(place)]) :]
    if _NAMED.search(rest[-68:]) and not any(48 <= byte <= 57 for byte in local):
        return False
    return (_SAME_FIELD if bracketed else _IDENTIFIERS).fullmatch(rest) is not None
