"""E-mail addresses are masked whole or not at all. All addresses are made up."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.text.personal import search
from tests.property.texts import thorough


def masked(text: str) -> str:
    data, pieces, reached = text.encode(), [], 0
    for start, stop in search(data, "email"):
        pieces.append(data[reached:start])
        reached = stop
    return b"\xff".join([*pieces, data[reached:]]).decode("utf-8", "replace").replace("�", "▮")


# Each address that stands between two ⟨⟩ is masked, all else stays.
WHOLE = (
    # Characters of atoms (RFC 5322).
    "Write to ⟨miles.o'brien@acme-mill.com⟩ soon.",
    "Bounce to ⟨owner-list+jane=acme.example@lists.acme-mill.com⟩ today.",
    "Ask ⟨a&b.jones@acme-mill.com⟩ now, or ⟨x!y#z$a%b*c/d?e^f_g`h{i}j~k|l@acme-mill.com⟩.",
    "To ⟨bounce-jane=acme.org@lists.acme-mill.com⟩, ⟨jane_roe@sub.acme-mill.co.uk⟩!",
    '⟨"jane roe"@acme-mill.com⟩ and ⟨"a\\"b"@acme-mill.com⟩, ⟨"x@y"@acme-mill.com⟩',
    "mailto:⟨jane%20roe@acme-mill.com⟩ link",
    # An `@` that is encoded.
    "?email=⟨jane%40acme-mill.com⟩&b=1 %3C ⟨jane%40acme.com@relay.example⟩",
    # Letters beyond ASCII (RFC 6531), international domains.
    "Ask ⟨jörg.müller@acme-mill.de⟩ or ⟨info@müller-mühle.de⟩ now.",
    "⟨иван.петров@почта.рф⟩, ⟨김철수@예시.한국⟩, ⟨محمد@مثال.السعودية⟩, ⟨παράδειγμα@δοκιμή.ελ⟩, ⟨张三@例子.中国⟩",
    "⟨jane@xn--mller-kva.de⟩ ⟨jane@example.xn--p1ai⟩",
    # Words of other scripts that touch an address.
    (
        "请联系⟨jane@example.org⟩。请联系⟨jane@example.org⟩文 почта⟨jane@example.org⟩и ⟨jane@例え.jp⟩まで"
        " メール⟨jane@example.org⟩へ"
    ),
    "ไทย⟨jane@example.org⟩ไทย 메일⟨jane@example.org⟩로",
    "「⟨jane@example.org⟩」 “⟨jane@example.org⟩” ⟨jane@example.org⟩—yes ⟨jane@example.org⟩…",
    # Several with one domain.
    "⟨{ann,bob}@acme-mill.edu⟩ wrote ⟨{ann, bob, carl.x} @ acme-mill.edu⟩, ⟨{ann,\nbob}@acme-mill.edu⟩",
    "⟨\\{jane,john\\}@acme-mill.edu⟩",
    (
        "⟨[ann, bob]@acme-mill.edu⟩ ⟨(ann|bob)@acme-mill.edu⟩ ⟨<ann; bob>@acme-mill.edu⟩"
        " ⟨{firstname.lastname}@acme-mill.edu⟩"
    ),
    # What stands around addresses is no part of them.
    (
        "'⟨jane@acme.org⟩' *⟨jane@acme.org⟩* **⟨jane@acme.org⟩** _⟨jane@acme.org⟩_ `⟨jane@acme.org⟩` ~⟨jane@acme.org⟩"
        " <⟨jane@acme.org⟩>"
    ),
    (
        '"⟨jane@acme.org⟩" (⟨jane@acme.org⟩) [⟨jane@acme.org⟩] {⟨jane@acme.org⟩} -⟨jane@acme.org⟩ ...⟨jane@acme.org⟩'
        " ⟨jane@acme.org⟩..."
    ),
    "email=⟨jane@acme.org⟩ --username=⟨jane@acme.org⟩ user.email=⟨jane@acme.org⟩",
    "EmailAddress=⟨jane@acme.org⟩ href='mailto:⟨jane@acme.org⟩'",
    "http://x.com/?email=⟨jane@acme.org⟩&a=b https://x.com/u/⟨jane@acme.org⟩/p",
    "foo.php?mail=⟨jane@acme.org⟩ mailto:⟨jane@acme.org⟩?cc=⟨joe@acme.org⟩",
    "https://x.com/" + "a/" * 300 + "?to=⟨jane@acme.org⟩",
    (
        "Jane Roe|⟨jane@acme.org⟩|555; ⟨jane@acme.org⟩/⟨joe@acme.org⟩ ⟨jane@acme.org⟩,⟨joe@acme.org⟩"
        " ⟨jane@acme.org⟩&⟨joe@acme.org⟩"
    ),
    # Ends of domains.
    (
        "⟨jane@acme.org⟩. ⟨jane@acme.org⟩- ⟨jane@acme.org⟩--hi ⟨jane@acme.org⟩; ⟨jane@acme.org⟩:22 ⟨jane@acme.org⟩/path"
        " ⟨jane@acme.org⟩%3E"
    ),
    "⟨jane@[93.184.216.34]⟩ ⟨jane@[IPv6:2a00:1450::200e]⟩ ⟨JANE@ACME-MILL.COM⟩",
    # As long as they may be (RFC 5321, 1035).
    "⟨" + "x" * 64 + "@acme.org⟩ ⟨jane@" + "y" * 63 + ".org⟩ ⟨jane@" + "y." * 8 + "org⟩",
)
NOTHING = (
    "x" * 65 + "@acme.org",
    "ü" * 33 + "@acme.org",
    "jane@" + "y" * 64 + ".org",
    "jane@" + "y." * 12 + "org",
    (
        "jane@localhost, jane@x.y, user@10.0.0.1, root@93.184.216.34, jane@[300.1.1.1], jane@-x.org, a@b@c.de,"
        " @jane@mast.social, *@acme.org"
    ),
    "jane@acme.org_y jane@acme.org@x jane@acme.or9 jane@acme.orgé",
    # Not supported, and so left alone.
    "jane [at] acme-mill [dot] org, jane (at) acme-mill.com, jane @ acme.org",
    # Identifiers.
    "In-Reply-To: <4F1A2B3C.5060708@x-mail.example>\nMessage-ID: <CAB1a2b3cXyz=Q@mail.g.example>",
    "References: <1234567890.12345.abc@x.example>",
    "References: <abc@x.example>\n\t<def@y.example> <ghi@z.example>",
    "Content-ID: <part1.logo@x.example> cid:logo.part@x.example mid:abc@x.example <news:abc@x.example>",
    'In-Reply-To: Your message of "Fri, 3 May" <foo@netlabs.example>',
    "Message-Id: foo.bar@x.example",
    "In article <foo1@netlabs.example> he wrote; <123e4567-e89b-12d3-a456-426614174000@x.example>",
    "git clone ssh://git@host.example/x.git or git@host.example:a/b.git, svn+ssh://svn@host.example/x, hg@host.example",
    "npm i @scope/pkg@1.2.3 react@18.2.0-rc.beta lodash@4.17.21 icon@2x.png x@y.js foo@v1.2-rc.one actions/checkout@v4",
    "@app.route('/') @media.print @Override f(x)@app.route [1]@foo.bar memcpy@GLIBC_2.2.5 sha@sha256.x",
)


@pytest.mark.parametrize("text", WHOLE)
def test_addresses_are_masked_whole(text: str) -> None:
    assert masked(re.sub("[⟨⟩]", "", text)) == re.sub("⟨[^⟨⟩]*⟩", "▮", text)


@pytest.mark.parametrize("text", NOTHING)
def test_nothing_of_these_is_masked(text: str) -> None:
    assert masked(text) == text


def test_people_in_fields_of_messages_are_none_of_their_identifiers() -> None:
    text = (
        "In-Reply-To: Message from Jane Roe <⟨jane@acme.org⟩> of Friday\n"
        "From: Jane <⟨jane@acme.org⟩>\nMessage-ID: <a@b.org>\nTo: <⟨joe@acme.org⟩>"
    )
    test_addresses_are_masked_whole(text)


atoms = st.text("abcXYZ019!#$%&'*+-/=?^_`{|}~äßñéøİ", min_size=1, max_size=12)
locals_ = st.lists(atoms, min_size=1, max_size=4).map(".".join)
domains = st.lists(
    st.from_regex(r"[a-z0-9äöü]([a-z0-9äöü-]{0,8}[a-z0-9])?", fullmatch=True), min_size=1, max_size=4
).map(".".join)
around = st.sampled_from(["", " ", "\n", "(", "<", ", ", "。", "请", "“", "\x00", "; ", "\t", "e-mail: "])


@thorough
@given(
    around,
    locals_,
    domains,
    st.sampled_from(["com", "org", "de", "рф", "中国"]),
    st.sampled_from(["", " ", ",", ".", ">", "。", ")\n", "…", "\x00"]),
)
@example("", "a=b", "x", "org", "")
@example("", "&_=?0", "0", "com", "")
def test_whole_or_not_at_all(before: str, local: str, domain: str, top: str, behind: str) -> None:
    """Left before a mask stay only signs, or a name and `=` as of an option, and signs; nothing of the domain behind
    it.
    """
    address = f"{local}@{domain}.{top}"
    text = masked(before + address + behind)
    if "▮" not in text:
        assert text == before + address + behind
        return
    head, _, tail = text.partition("▮")
    assert tail == behind
    left = head.removeprefix(before)
    assert not re.search(r"\w", left) or re.search(r"[=/|][^\w=/|]*\Z", left)
