r"""E-mail addresses.

Out: `PATTERNS` of the kind `email`. A span is the whole address or there is none: nothing of its local part is left
before it, and nothing of its domain after it.

The standards say which characters belong to an address (RFC 5322 section 3.2.3 for the local part, RFC 6531 for letters
beyond ASCII, RFC 5891 for domains), but text puts addresses into quotes, tables, queries of URLs and next to words of
scripts without spaces. So the patterns find an `@` and a domain, and the functions here look backward from it: as many
characters as a local part may have, less what is known to come before addresses. In doubt a character belongs to the
address.

Not supported: `jane [at] example [dot] org`, and addresses with space around the `@`, except those with several names
in braces.
"""

from __future__ import annotations

import re
from functools import cache, partial
from ipaddress import AddressValueError, IPv4Address, IPv6Address

import numpy as np
import numpy.typing as npt

from kernels.characters import ALONE, LETTER, MARK, WORD, classes
from pipeline.text.personal.identifiers import is_message_identifier
from pipeline.text.personal.patterns import ANYTHING, Pattern

# RFC 5321 sections 4.5.3.1.1 and 4.5.3.1.2, RFC 1035 section 2.3.4.
_LONGEST_LOCAL, _LONGEST_DOMAIN, _LONGEST_LABEL = 64, 255, 63
# How far back a local part is looked for: those in URLs come after much else.
_BACK = 400
# Names in braces: those of the authors of a paper.
_BACK_BRACES = 600
# References to messages are folded at 998 characters (RFC 5322 section 2.1.1).
_BACK_HEADER = 1000

_ATOM = rb"A-Za-z0-9!#$%&'*+\-/=?^_`{|}~.\x80-\xff"
_LABEL = rb"[A-Za-z0-9\-\x80-\xff]{1,%d}" % (3 * _LONGEST_LABEL)
_NAMES = rb"(?:" + _LABEL + rb"(?:\." + _LABEL + rb"){1,9})"
_LITERAL = rb"\[(?:(?i:IPv6):[0-9A-Fa-f:.]{2,45}|(?:[0-9]{1,3}\.){3}[0-9]{1,3})\]"
_DOMAIN = rb"(?:" + _NAMES + rb"|" + _LITERAL + rb")"
_LONGEST_MATCH = 10 * (3 * _LONGEST_LABEL + 1)

_RUN = re.compile(rb"[" + _ATOM + rb"]*")
# Most local parts and domains, at a third of the cost: from their ends on, so that nothing may be before them that
# would belong to them or count against them; and labels of a length that is allowed.
_PLAIN_LOCAL = re.compile(rb"[A-Za-z0-9._+\-]{1,64}+(?<=[A-Za-z0-9])(?![" + _ATOM + rb"@])")
_PLAIN_DOMAIN = re.compile(rb"(?:[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?\.)+([A-Za-z]{2,63})")
_TOP_LEVEL = re.compile(rb"[A-Za-z]{2,63}|xn--[A-Za-z0-9\-]{1,59}", re.IGNORECASE)
# Last labels that are endings of files, not top-level domains: `icon@2x.png`.
_FILES = frozenset(
    (b"png", b"jpg", b"jpeg", b"gif", b"svg", b"webp", b"bmp", b"css", b"js", b"json", b"html", b"php", b"pdf")
)
# Versions of packages: `pkg@1.2.3-beta.rc`.
_VERSION = re.compile(rb"[vV]?[0-9]+\.[0-9]+[.\-]")
# Users of hosts of source code, who are nobody.
_NOBODY = frozenset((b"git", b"hg", b"svn", b"cvs", b"anoncvs", b"anonymous"))
# What comes before `=` and an address, as an attribute or an option, by how it ends; other names belong to the address,
# as in those that lists write to: `list-bounces+jane=example.org@lists.example.org`.
_KEYS = (
    rb"(?:e?-?mail|mailto|mail_?from|to|from|b?cc|addr(?:ess)?|user(?:name|id)?|login|name|author|contact|id|sender|recipient|reply|reply-?to"
    rb"|owner|maintainer|committer|account|value|href|src|query|search|rcpt|admin|webmaster|q)"
)
_KEY = re.compile(rb"(?i:(?:[A-Za-z_]\w{0,40}[._\-]|[A-Za-z]{0,20})?" + _KEYS + rb")=")
_QUERY = re.compile(rb"[?&][A-Za-z_][\w.\-]{0,40}=")
_PUNCTUATION = b"!#$&'*./=?^`|}~-"
# What most local parts cannot hold: where an address touches another one, it begins after the last of these.
_SEPARATOR = re.compile(rb"[!#$&'*/=?^`{|}~]")
_QUOTED = re.compile(rb'"(?:[^"\\\x00-\x1f]|\\[^\x00-\x1f]){1,%d}"' % _LONGEST_LOCAL)
_ITEM = re.compile(rb"[A-Za-z0-9\x80-\xff][\w.+\-'\x80-\xff]{0,63}")
_BETWEEN_ITEMS = re.compile(rb"[,;|/&\s]+|\s+and\s+")
_OPENING = {ord(b"}"): b"{", ord(b")"): b"(", ord(b"]"): b"[", ord(b">"): b"<"}
_UNDERSCORE_ENDS = re.compile(rb"_+(?![\w@\-\x80-\xff])")
# Format characters inside words: soft hyphen, zero-width non-joiner and joiner.
_INSIDE_WORDS = "\xad\u200c\u200d"
# Top-level domains in scripts without spaces (IANA root zone database, 2026), the longest first: text that touches a
# domain would become part of it.
_TOP_LEVEL_UNSPACED = (
    "ファッション 嘉里大酒店 アマゾン クラウド グーグル ポイント 组织机构 電訊盈科 香格里拉 คอม ไทย ລາວ みんな "
    "ストア セール 中文网 亚马逊 天主教 我爱你 新加坡 淡马锡 飞利浦 コム 世界 中信 中国 中國 企业 佛山 信息 健康 "
    "八卦 公司 公益 台湾 台灣 商城 商店 商标 嘉里 在线 大拿 娱乐 家電 广东 微博 慈善 手机 招聘 政务 政府 新闻 "
    "时尚 書籍 机构 游戏 澳門 澳门 点看 移动 网址 网店 网站 网络 联通 臺灣 谷歌 购物 通販 集团 食品 餐厅 香港"
)


def address(text: bytes | memoryview, start: int, stop: int, *, sign: int = 1) -> tuple[int, int] | None:
    """Bounds of the address whose `@` and domain are at `start` and `stop`; None if it is not an address.

    Args:
        sign: bytes of the `@`: three where it is written `%40`.
    """
    size = domain_size(text, start + sign, stop)
    if size == 0:
        return None
    stop = start + sign + size
    if bytes(text[start - 1 : start]) == b'"':
        head = max(0, start - _LONGEST_LOCAL - 3)
        window = bytes(text[head:start])
        opening = window.rfind(b'"', 0, -1)
        while opening > 0 and window[opening - 1] == 92:
            opening = window.rfind(b'"', 0, opening - 1)
        if opening < 0 or _QUOTED.fullmatch(window, opening) is None or _touches(window, opening):
            return None
        return head + opening, stop
    local = local_size(text, start, stop)
    if local == 0:
        return None
    begin = start - local
    before = bytes(text[max(0, begin - _BACK_HEADER) : begin]).rpartition(b"\x00")[2]
    return None if is_message_identifier(before, bytes(text[begin:start])) else (begin, stop)


def several(text: bytes | memoryview, start: int, stop: int) -> tuple[int, int] | None:
    """Bounds of several addresses with one domain, `{jane, john}@example.org`; `start` is the closing bracket's."""
    match = bytes(text[start:stop])
    at = match.index(b"@") + 1
    at += match[at : at + 1] in (b" ", b"\n")
    size = domain_size(text, start + at, stop)
    if size == 0:
        return None
    closing = start + (match[:1] == b"\\")
    head = max(0, closing - _BACK_BRACES)
    window = bytes(text[head:closing])
    braces = text[closing] == 125
    opening = window.rfind(_OPENING[text[closing]])
    if opening < 0 or b"\x00" in window[opening:] or b"@" in window[opening:]:
        return None
    items = [item for item in _BETWEEN_ITEMS.split(window[opening + 1 :].rstrip(b"\\")) if item]
    # Other brackets do not hold addresses unless they hold a list and touch the sign.
    if not items or (not braces and (match[1:2] != b"@" or len(items) < 2 or not all(map(_ITEM.fullmatch, items)))):
        return None
    return head + opening - (window[:opening].endswith(b"\\")), start + at + size


def domain_size(text: bytes | memoryview, start: int, stop: int) -> int:
    """Bytes of the domain that begins at `start`, at most up to `stop`; 0 for none.

    The last label is letters or Punycode, at least two (RFC 3696 section 2; ICANN delegates no other), and not the
    ending of a file.
    """
    domain = bytes(text[start:stop])
    behind = bytes(text[stop : stop + 4])
    if (plain := _PLAIN_DOMAIN.fullmatch(domain)) is not None:
        fits = len(domain) <= _LONGEST_DOMAIN and plain[1].lower() not in _FILES and not _VERSION.match(domain)
        return len(domain) if fits and not _goes_on(behind) else 0
    if domain.startswith(b"["):
        return len(domain) if _is_literal(domain[1:-1]) and not _goes_on(behind) else 0
    if not domain.isascii():
        decoded, size = _domain_of_letters(domain)
        if size < len(domain):
            behind = domain[size:] + behind if domain[size] < 0x80 else b""
            domain = domain[:size]
        fits = len(decoded) <= _LONGEST_DOMAIN and all(len(label) <= _LONGEST_LABEL for label in decoded.split("."))
        return size if size and fits and not _goes_on(behind) else 0
    label = domain.rpartition(b".")[2]
    if _TOP_LEVEL.fullmatch(label) is None:
        # A dash: `jane@example.org--she said`.
        found = re.match(rb"[A-Za-z]{2,63}(?=-(?:-|$))", label)
        if found is None:
            return 0
        behind, domain, label = b"", domain[: len(domain) - len(label) + found.end()], found[0]
    if label.lower() in _FILES or len(domain) > _LONGEST_DOMAIN or _VERSION.match(domain):
        return 0
    if any(len(one) > _LONGEST_LABEL or one.startswith(b"-") or one.endswith(b"-") for one in domain.split(b".")):
        return 0
    return 0 if _goes_on(behind) else len(domain)


def _goes_on(behind: bytes) -> bool:
    """Whether the text after a domain makes it something else: a name that goes on, a second `@`."""
    if behind[:1] == b"_":
        return _UNDERSCORE_ENDS.match(behind) is None
    return re.match(rb"[\w@\-]|\.[A-Za-z0-9]", behind) is not None


def _is_literal(literal: bytes) -> bool:
    """RFC 5321 section 4.1.3."""
    try:
        if literal[:5].lower() == b"ipv6:":
            IPv6Address(literal[5:].decode())
        else:
            IPv4Address(literal.decode())
    except AddressValueError:
        return False
    return True


def _domain_of_letters(domain: bytes) -> tuple[str, int]:
    """A domain with letters beyond ASCII: the part that is a domain, and its bytes."""
    characters = []
    for character in domain.decode("utf-8", "ignore"):
        if not (character in ".-" or character in _INSIDE_WORDS or _class(character) & (WORD | MARK)):
            break
        characters.append(character)
    labels = "".join(characters).rstrip(".-").split(".")
    while len(labels) > 1 and all(labels):
        last = _top_level(labels[-1])
        if last:
            found = ".".join([*labels[:-1], last])
            return found, len(found.encode())
        # A sentence that begins after a full stop without space.
        if labels[-1].isascii():
            break
        labels.pop()
    return "", 0


def _top_level(label: str) -> str:
    """The part of a last label that is a top-level domain: text of another script may touch it."""
    if label[0].isascii():
        found = re.match(r"xn--[A-Za-z0-9\-]{1,59}|[A-Za-z]{2,63}", label, re.IGNORECASE)
        rest = label[found.end() :] if found else label
        touched = not rest or (not rest[0].isascii() and not _is_latin(rest[0]))
        return found[0] if found and touched and found[0].lower().encode() not in _FILES else ""
    if any(_class(character) & ALONE for character in label):
        return next((name for name in _TOP_LEVEL_UNSPACED.split() if label.startswith(name)), "")
    letters = sum(bool(_class(character) & LETTER) for character in label)
    return label if letters >= 2 and not any(character.isascii() for character in label) else ""


def local_size(text: bytes | memoryview, at: int, stop: int) -> int:
    """Bytes of the local part before the `@` at `at`; 0 for none. `stop` is where its domain ends."""
    nearest = bytes(text[max(0, at - _LONGEST_LOCAL - 1) : at])[::-1]
    if (plain := _PLAIN_LOCAL.match(nearest)) is not None:
        return 0 if plain[0][::-1].lower() in _NOBODY else plain.end()
    head = max(0, at - _BACK)
    window = bytes(text[head:at])
    found = _RUN.match(window[::-1])
    size = found.end() if found else 0
    local = window[len(window) - size :]
    # A run that is longer than what is looked at is a URL, or no address.
    if size == _BACK:
        local = _SEPARATOR.split(local)[-1]
    if not local.isascii():
        local = _of_letters(local)
    before = bytes(text[max(0, at - len(local) - 1) : at - len(local)])
    local = _without_surroundings(local, before, bytes(text[stop : stop + 1]))
    before = bytes(text[max(0, at - len(local) - 1) : at - len(local)])
    if not local or before == b"@" or len(local) > _LONGEST_LOCAL or not re.search(rb"[A-Za-z0-9\x80-\xff]", local):
        return 0
    return 0 if local.lower() in _NOBODY else len(local)


def _without_surroundings(local: bytes, before: bytes, behind: bytes) -> bytes:
    """A run of characters that local parts may have, without what comes before addresses: URLs, keys, quotes, marks of
    emphasis.
    """
    in_url = (local.startswith(b"//") and before == b":") or (local.startswith(b"www.") and b"/" in local)
    if in_url or (before == b"@" and _SEPARATOR.search(local)):
        local = _SEPARATOR.split(local)[-1]
    # A cell of a table.
    if behind == b"|":
        local = local.rpartition(b"|")[2]
    local = _QUERY.split(local)[-1]
    local = local.lstrip(_PUNCTUATION)
    if found := _KEY.match(local):
        local = local[found.end() :]
    local = local.lstrip(_PUNCTUATION)
    if b"}" not in local:
        local = local.lstrip(b"{" + _PUNCTUATION)
    return local.lstrip(b"_") if behind == b"_" and local.startswith(b"_") else local


def _of_letters(local: bytes) -> bytes:
    """The end of a run with letters beyond ASCII that can be a local part.

    It begins after the last character beyond ASCII that is not part of a word. Where a letter touches one of another
    script without anything between, words and an address touch, and it begins there; a local part in a script without
    spaces is all of the run.
    """
    kept: list[str] = []
    script = ""
    for character in reversed(local.decode("utf-8", "ignore")):
        kind = _class(character)
        if not character.isascii() and not kind & (WORD | MARK) and character not in _INSIDE_WORDS:
            break
        if kind & LETTER:
            own = "unspaced" if kind & ALONE else "Latin" if _is_latin(character) else "other"
            if script and own != script:
                break
            script = own
        elif character.isascii() and not character.isdigit():
            script = ""
        kept.append(character)
    return "".join(reversed(kept)).encode()


def _is_latin(character: str) -> bool:
    return character < "\u0250" or "\u1e00" <= character < "\u1f00"


def _class(character: str) -> int:
    return int(_classes()[ord(character)])


@cache
def _classes() -> npt.NDArray[np.uint8]:
    return classes()


def _touches(window: bytes, at: int) -> bool:
    return at > 0 and re.match(rb"[\w@]", window[at - 1 : at]) is not None


_LOCAL_END = rb"[" + _ATOM + rb"\"]"
PATTERNS = (
    Pattern(
        kind="email",
        cores=(rb"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~.\"\x80-\xff]@[A-Za-z0-9\[\x80-\xff]",),
        # The sign first: this rules most places out.
        pattern=rb"@(?<=" + _LOCAL_END + rb"@)" + _DOMAIN,
        before=b"",
        after=b"",
        seen=ANYTHING,
        longest=_LONGEST_MATCH + _BACK + _BACK_HEADER,
        bounds=address,
    ),
    Pattern(
        kind="email",
        cores=(rb"%40",),
        pattern=rb"%40(?<=" + _LOCAL_END + rb"%40)" + _NAMES,
        before=b"",
        after=b"",
        seen=ANYTHING,
        longest=_LONGEST_MATCH + _BACK + _BACK_HEADER,
        bounds=partial(address, sign=3),
    ),
    Pattern(
        kind="email",
        cores=(rb"[})\]>][ \n]{0,3}@[ \n]?[A-Za-z0-9\[\x80-\xff]",),
        pattern=rb"\\?[})\]>][ \n]{0,3}@[ \n]?" + _DOMAIN,
        before=b"",
        after=b"",
        seen=ANYTHING,
        longest=_LONGEST_MATCH + _BACK_BRACES,
        bounds=several,
    ),
)
