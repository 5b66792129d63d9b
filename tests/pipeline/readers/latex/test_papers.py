import bz2
import gzip
import json
import lzma
import random

import pytest

from manifests.errors import GristmillError
from pipeline.readers.latex import papers, source
from pipeline.readers.latex.comments import without_comments
from pipeline.readers.latex.macros import expand
from pipeline.readers.latex.papers import arxiv_id, latex_to_text, read_latex
from pipeline.readers.latex.source import decode, main_file
from tests.paths import SHARED
from tests.pipeline.readers.collected import collect
from tests.pipeline.readers.latex.test_tar import archive
from tests.pipeline.readers.samples import write

PAPER = r"""\documentclass{article} % the class
\newcommand{\R}{\mathbb{R}}
\begin{document}
\title{On Mills} \maketitle
\begin{abstract}Short.\end{abstract}
\section{Introduction}
Let $x \in \R$.% a remark
\bibliographystyle{plain}
\bibliography{refs}
\end{document}
Notes.
"""
CLEAN = "\\section{Introduction}\nLet $x \\in \\mathbb{R}$.\n"


def read(path, name=None):
    return collect(read_latex(str(path), name=name or path.name))


def strip(text):
    verbatim = []
    return papers._restored(without_comments(text, verbatim), verbatim)


# Comments


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("one % two\nthree", "one three"),
        ("one%\n   two", "onetwo"),
        ("one\n  % a whole line\ntwo", "one\n  two"),
        ("one % two\n\nthree", "one \n\nthree"),
        (r"5\% of \\% all" + "\nend", r"5\% of \\end"),
        ("\\alpha%\nbeta", "\\alpha beta"),
        ("%\n%\nfirst", "first"),
        ("last % x", "last "),
        ("\\verb|a % b| c % d", "\\verb|a % b| c "),
        ("\\begin{verbatim}\n% kept\n\\end{verbatim} x % y", "\\begin{verbatim}\n% kept\n\\end{verbatim} x "),
        ("\\begin{lstlisting}\n50 % 7 \\R\n\\end{lstlisting}", "\\begin{lstlisting}\n50 % 7 \\R\n\\end{lstlisting}"),
        ("a\\begin{comment}\nhidden \\fi\n\\end{comment}b", "ab"),
        ("\\url{http://e.org/a%20b} % c", "\\url{http://e.org/a%20b} "),
        ("\\href{http://e.org/a%20b}{it} % c", "\\href{http://e.org/a%20b}{it} "),
        ("a \\iffalse b \\ifx c \\fi d % \\fi\n e \\fi f", "a  f"),
        ("a \\iffalse b \\else c \\ifx d \\fi e \\fi f", "a  c \\ifx d \\fi e  f"),
        ("a \\iffalse b, never ended", "a \\iffalse b, never ended"),
        ("\\newif\\iffoo \\iff \\iffalse x \\iff \\newif\\ifbar \\fi y", "\\newif\\iffoo \\iff  y"),
        ("\\verb|never % ended\nx", "\\verb|never x"),
        ("\\begin{verbatim} never ended", "\\begin{verbatim} never ended"),
    ],
)
def test_comments_go_as_tex_reads_them(source, text):
    assert strip(source) == text


# Macros


@pytest.mark.parametrize(
    ("preamble", "body", "text"),
    [
        (r"\newcommand{\R}{\mathbb{R}}", r"$x\in\R$ and \Rx", r"$x\in\mathbb{R}$ and \Rx"),
        (r"\newcommand\R{\mathbb R}", r"$\R$", r"$\mathbb R$"),
        (
            r"\newcommand{\f}[2]{\frac{#1}{#2}}",
            r"\f{a}{b} \f12 \f \alpha {b c}",
            r"\frac{a}{b} \frac{1}{2} \frac{\alpha}{b c}",
        ),
        (r"\newcommand{\n}[2][2]{\|#2\|_{#1}}", r"\n{x} \n[p]{x} \n [{]}] {y}", r"\|x\|_{2} \|x\|_{p} \|y\|_{{]}}"),
        (r"\def\be{\begin{equation}}\def\ee{\end{equation}}", r"\be x \ee", r"\begin{equation} x \end{equation}"),
        (r"\def\pair#1#2{(#1,#2)}", r"\pair xy", "(x,y)"),
        (
            r"\DeclareMathOperator{\Tr}{Tr} \DeclareMathOperator*{\argmin}{arg\,min}",
            r"\Tr\argmin",
            r"\operatorname{Tr}\operatorname*{arg\,min}",
        ),
        (r"\newcommand{\a}{\b}\newcommand{\b}{c}", r"\a", "c"),
        (r"\newcommand{\bb}{\mathbb}\newcommand{\x}[1]{<#1>}\newcommand{\y}{\x}", r"\bb R \y{z}", r"\mathbb R <z>"),
        (
            r"\renewcommand{\phi}{\varphi}\let\oldeps\epsilon\renewcommand{\epsilon}{\oldeps'}",
            r"\phi\epsilon",
            r"\varphi\epsilon'",
        ),
        (r"\let\a\b \newcommand{\b}{x}", r"\a\b", r"\b x"),
        (r"\newcommand{\b}{x}\let\a=\b \renewcommand{\b}{y}", r"\a\b", "xy"),
        (r"\providecommand{\a}{one}\providecommand{\a}{two}", r"\a", "one"),
        (r"\newcommand{\ie}{i.e.\xspace}", r"\ie, \ie{} and \ie it", "i.e., i.e. and i.e. it"),
        (
            r"\def\1{\alpha}\newcommand{\f}[1]{#1\beta}\newcommand{\g}[1]{\gamma#1}",
            r"\1x \f{a}b \g{c}",
            r"\alpha x a\beta b \gamma c",
        ),
        (r"\newcommand{\todo}[1]{}", r"a\todo{hidden {deep}}b", "ab"),
        (
            r"\newenvironment{claim}[1][]{\textbf{Claim #1.}}{\qed}",
            r"\begin{claim}[2]x\end{claim}",
            r"\textbf{Claim 2.}x\qed",
        ),
        (r"\NewDocumentCommand{\v}{O{0} m}{v_{#1}^{#2}}", r"\v{a}\v[1]{b}", "v_{0}^{a}v_{1}^{b}"),
        (r"\NewDocumentCommand{\v}{s m}{x}", r"\v{a}", r"\v{a}"),
        ("", r"a \newcommand{\x}{y}\x \global\long\def\z#1{(#1)}\z{\x} b", "a y (y) b"),
        (r"\newcommand{\set}[1]{\def\x{#1}\newcommand{\y}[1]{##1#1}}", r"\set{a}\x\y{b}", "aba"),
        # What is not expanded, and says so by staying.
        (r"\def\upto#1.{<#1>}", r"\upto x.", r"\upto x."),
        (r"\newcommand{\d}[1]{\ifdraft #1\fi}\newcommand{\e}{\csname x\endcsname}", r"\d{x}\e", r"\d{x}\e"),
        (r"\renewcommand{\section}[1]{\bf #1}", r"\section{A}", r"\section{A}"),
        (r"\newcommand{\f}[2]{#1#2}", r"\f{a}", r"\f{a}"),
        (r"\newcommand{\f}[1]{#1}", "\\f\n\nx", "\\f\n\nx"),
        (r"\newcommand{\f}[1]{#2}", r"\f{a}", r"\f{a}"),
        (r"\newcommand{\iff}{\Leftrightarrow}\newcommand{\q}{a \iff b}", r"\q", r"a \Leftrightarrow b"),
        # What has no end.
        (r"\newcommand{\x}{a\x}", r"b \x{} c \x", r"b \x{} c \x"),
        (r"\newcommand{\x}{\y}\newcommand{\y}{\x}\newcommand{\z}{ok}", r"\x \z", r"\x ok"),
        (r"\newcommand{\x", r"a \x b \newcommand{\y", r"a \x b \newcommand{\y"),
    ],
)
def test_macros(preamble, body, text):
    assert expand(preamble, body) == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (r"\lstinline[language=C]{a % {b} c} d % no", r"\lstinline[language=C]{a % {b} c} d "),
        (r"\lstinline!a % b! c % no", r"\lstinline!a % b! c "),
        (r"\mintinline{python}{x % 2} \mintinline[a=b]{c}|y % 3| z % no", r"\mintinline{python}{x % 2} \mintinline[a=b]{c}|y % 3| z "),
        (
            r"\path{a%b} \path|c%d| \nolinkurl{e%20f} \url|g%h| \doi{1/(x)%3C} % no",
            r"\path{a%b} \path|c%d| \nolinkurl{e%20f} \url|g%h| \doi{1/(x)%3C} ",
        ),
        (r"\url{a{b}%20c} % no", r"\url{a{b}%20c} "),
        (r"\path (0,0) % no", r"\path (0,0) "),
        (
            "\\begin{alltt}\n% kept\n\\end{alltt}\\begin{verbatim*}\n% \\begin{comment}\n\\end{verbatim*}x % no",
            "\\begin{alltt}\n% kept\n\\end{alltt}\\begin{verbatim*}\n% \\begin{comment}\n\\end{verbatim*}x ",
        ),
        (r"{\catcode`\%=12 100% sure} b % no", r"{\catcode`\%=12 100% sure} b "),
        ("\\if0\nno\n\\fi a \\if0\\blind{x}\\fi", "\n a \\if0\\blind{x}\\fi".lstrip("\n")),
        (r"\iffalse a \ifx b \else c \fi d \else e \ifx b c \else d \fi e \fi f", r" e \ifx b c \else d \fi e  f"),
        (r"\\\% b \\% no", r"\\\% b \\"),
        (r"\Verb|1 % 2| \verb*!5 % 3! c % no", r"\Verb|1 % 2| \verb*!5 % 3! c "),
    ],
)  # fmt: skip
def test_percent_signs_that_begin_no_comment(source, text):
    assert strip(source).lstrip("\n") == text.lstrip("\n")


def test_environments_that_the_author_makes():
    preamble = "\\excludecomment{hide}\\lstnewenvironment{code}{}{}\n\\newminted{python}{}\n%\\excludecomment{proof}\n"
    body = (
        "\\begin{hide}no\\end{hide}\\begin{code}\n% a\n\\end{code}\\begin{pythoncode}\nx %"
        " b\n\\end{pythoncode}\\begin{proof}c\\end{proof}"
    )
    text = latex_to_text(
        {"a.tex": f"\\documentclass{{a}}{preamble}\\begin{{document}}\\section{{A}}{body}\\end{{document}}"}
    )
    assert text == "\\section{A}" + body.removeprefix("\\begin{hide}no\\end{hide}") + "\n"


def test_the_document_ends_where_it_ends():
    body = "\\section{A}%\\end{document}\na \\verb|\\end{document}| b\n\\end {document}\nafter"
    assert (
        latex_to_text({"a.tex": f"\\documentclass{{a}}\\begin{{document}}{body}"})
        == "\\section{A}a \\verb|\\end{document}| b\n"
    )


def test_what_a_paper_loses_is_counted():
    body = (
        "\\begin{abstract}x\\end{abstract}\\section{A}\\begin{comment}\nx\n\\end{comment}\\iffalse x\\fi b"
        "\\begin{thebibliography}{9}x\\end{thebibliography}\\bibliography{x}\\printbibliography"
    )
    paper = papers.extract_latex({"a.tex": f"\\documentclass{{a}}\\begin{{document}}{body}\\end{{document}}"})
    assert paper.text == "\\section{A} b\n"
    assert paper.lost == {
        **{("dropped_elements", name): 1 for name in ("abstract", "comment", "iffalse", "thebibliography")},
        **{("dropped_commands", name): 1 for name in ("bibliography", "printbibliography")},
    }


@pytest.mark.timeout(60)
def test_a_bomb_stays_as_it_is_and_the_rest_is_expanded():
    doubling = "".join(rf"\newcommand{{\{chr(98 + i)}}}{{\{chr(97 + i)}\{chr(97 + i)}}}" for i in range(20))
    assert expand(r"\newcommand{\a}{boom}\newcommand{\ok}{fine}" + doubling, r"\u{} and \ok") == r"\u{} and fine"
    assert expand(r"\def\x#1{\x{#1#1}}", r"\x{a}\x{b}") == r"\x{a}\x{b}"
    text = expand(r"\newcommand{\x}{" + "y" * 30_000 + "}", r"\x " * 10_000)
    assert len(text) < 2_000_000
    assert text.endswith(r"\x \x ")


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "piece",
    [
        "{", "}", "[", "\\", "%", "%\n", "\\x{", "\\y{", "\\z[", "\\z[{", "\\newcommand{\\q}[", "\\newcommand\\q[{",
        "\\newenvironment{", "\\def\\q", "\\x\\y",
        "\\newenvironment{q}{", "\\iffalse ", "\\iffalse\\else ", "\\if", "\\verb|", "\\begin{verbatim}", "\\begin{comment}",
        "\\input{", "\\input{a}",
        "\\begin{thebibliography}", "\\bibliography{", "\\section", "\\section{References} ", "\\url{", " ", "\n", "\\\n",
        "\x00", "\\comment", "\\usepackage{a,",
        "\\lstinline{", "\\lstinline[", "\\mintinline{c}{", "\\mintinline{c}|", "\\url|", "\\if0 ", "\\catcode`\\%=12{}", "\\begin{alltt}",
        "\\excludecomment{a}", "\\excludecomment", "\\href[a]{{}",
    ],
)  # fmt: skip
def test_no_source_costs_more_than_linear_time(piece):
    preamble = r"\newcommand{\x}[1]{}\newcommand{\y}[2]{#2#1}\newcommand{\z}[2][d]{#1#2}\begin{document}\section{A}"
    text = latex_to_text({"main.tex": decoded(preamble + piece * (150_000 // len(piece)) + "}" * 30_000)})
    assert len(text) < 3_000_000


# Papers


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            "\\section{A}\nx\\begin{thebibliography}{9}\\bibitem{a} B.\\end{thebibliography}\n\\appendix y",
            "\\section{A}\nx\n\\appendix y\n",
        ),
        ("\\section*{A} x \\section*{References}\n\\begin{thebibliography}{9}never ended", "\\section*{A} x\n"),
        ("\\chapter[short]{A} x\\nocite{*}\\printbibliography[heading=none]", "\\chapter[short]{A} x\n"),
        ("intro \\section{A}\n\n\n\n  x  \n\\begin{references}r\\end{references}", "\\section{A}\n\n  x\n"),
        (
            "\\section{A}\\begin{verbatim}\n\\begin{thebibliography}\n\\end{verbatim}",
            "\\section{A}\\begin{verbatim}\n\\begin{thebibliography}\n\\end{verbatim}\n",
        ),
        ("\\section{A}\\comment hidden\\endcomment{} \\commentary x", "\\section{A}{} \\commentary x\n"),
    ],
)
def test_what_stands_before_the_first_section_and_the_bibliography_go(body, text):
    assert latex_to_text({"a.tex": f"\\documentclass{{a}}\\begin{{document}}{body}\\end{{document}}"}) == text


def test_included_files_take_the_place_of_the_command():
    files = {
        "main.tex": (
            "\\documentclass{a}\\usepackage{amsmath, mine}\\input{defs}\\begin{document}"
            "\\input intro \n\\include{sec/two}\\import{sec/}{three}\\input{missing}\\end{document}"
        ),
        "mine.sty": "\\newcommand{\\mine}{M}\\newcommand{\\at@x}{}",
        "defs.tex": "\\newcommand{\\defs}{D}",
        "intro.tex": "\\section{I} \\mine\\defs % \\input{sec/two}",
        "sec/two.tex": "two \\input{deep}\\endinput never",
        "sec/deep.tex": "deep \\input{sec/two}",
        "sec/three.tex": "\\documentclass[../main]{subfiles}\\begin{document}three\\end{document}",
    }
    assert latex_to_text(files) == "\\section{I} MD\ntwo deep \\input{sec/two}three\\input{missing}\n"


def test_including_is_bounded(monkeypatch):
    files = {f"{n}.tex": f"\\section{{A}}x\\input{{{n + 1}}}\\input{{{n + 1}}}" for n in range(30)}
    files["0.tex"] = "\\documentclass{a}\\begin{document}" + files["0.tex"]
    monkeypatch.setattr(source, "MOST_CHARACTERS", 100_000)
    assert len(latex_to_text(files)) < 200_000


@pytest.mark.parametrize(
    ("files", "main"),
    [
        ({"a.tex": "\\section{x}"}, "a.tex"),
        ({"a.tex": PAPER, "b.tex": PAPER * 2}, "b.tex"),
        ({"a.tex": PAPER, "b.tex": PAPER * 2, "00README.XXX": "a.tex toplevelfile"}, "a.tex"),
        ({"main.tex": "\\documentclass{a}\\begin{document}\\input{b}", "b.tex": PAPER * 2}, "main.tex"),
        ({"paper": PAPER, "x.tex": "x"}, "paper"),
        ({"a.tex": "\\begin{document}\\input{pre}", "pre.tex": "\\documentclass{a}" * 9}, "a.tex"),
        ({"a.tex": "% \\documentclass{a}", "b.tex": "b"}, None),
        ({}, None),
    ],
)
def test_the_main_file(files, main):
    assert main_file(files) == main


def decoded(text, charset="utf-8"):
    texts, lost = decode({"a.tex": text.encode(charset)})
    assert not lost
    return texts["a.tex"]


def test_charsets_of_sources():
    assert decoded("\ufeffé\r\nx\rz\x00") == "é\nx\nz"
    assert decoded("é", "latin-1") == "é"
    assert decoded("Ein schöner Gruß", "latin-1") == "Ein schöner Gruß"


@pytest.mark.parametrize(
    ("declaration", "charset", "word"),
    [
        ("\\usepackage[koi8-r]{inputenc}", "koi8-r", "мельница"),
        ("\\usepackage[latin2]{inputenc}", "iso8859-2", "młyn"),
        ("\\usepackage[latin9]{inputenc}", "iso8859-15", "œuvre à 5 €"),
        ("\\usepackage[latin10]{inputenc}", "iso8859-16", "ță"),
        ("\\usepackage [ansinew] {inputenc}", "cp1252", "“mill”"),
        ("\\usepackage[applemac]{inputenc}", "mac-roman", "mühle"),
        ("\\usepackage[macce]{inputenc}", "mac-latin2", "młyn"),
        ("\\usepackage[cp850]{inputenc}", "cp850", "mühle"),
        ("\\usepackage[cp866]{inputenc}", "cp866", "мельница"),
        ("\\usepackage[cp1257]{inputenc}", "cp1257", "malūnas"),
        ("\\usepackage[maccyr]{inputenc}", "mac-cyrillic", "мельница"),
        ("\\usepackage[iso88595]{inputenc}", "iso8859-5", "мельница"),
        ("\\usepackage[utf8,koi8-u]{inputenc}", "koi8-u", "млин"),
        ("\\RequirePackage[latin1]{inputenc}", "latin-1", "mühle"),
        ("\\inputencoding{cp1251}", "cp1251", "мельница"),
        ("%\\usepackage[latin1]{inputenc}\n\\usepackage[cp1251]{inputenc}", "cp1251", "мельница"),
        ("\\usepackage[utf8]{inputenc}", "cp1252", "mühle"),  # nor is it
        ("\\usepackage[nonsense]{inputenc}", "cp1252", "mühle"),
    ],
)
def test_a_source_is_in_the_charset_that_it_declares(declaration, charset, word):
    assert decoded(f"{declaration} {word} x", charset) == f"{declaration} {word} x"


def test_chapters_are_in_the_charset_that_the_main_file_declares():
    files = {
        "a/one.tex": "мельница".encode("koi8-r"),
        "main.tex": b"\\usepackage[koi8-r]{inputenc}",
        "two.tex": "мельница".encode(),
    }
    assert decode(files)[0] == {
        "a/one.tex": "мельница",
        "main.tex": "\\usepackage[koi8-r]{inputenc}",
        "two.tex": "мельница",
    }


def test_characters_that_cannot_be_read_are_counted(tmp_path):
    texts, lost = decode({"a.tex": b"\\usepackage[latin3]{inputenc} \xa5\xae \xe9t\xe9"})
    assert texts["a.tex"].endswith(" \ufffd\ufffd été")
    assert lost == {("replaced_characters", "iso-8859-3"): 2}
    slips = "é" * 100
    assert decode({"a.tex": slips.encode() + b"\xff"}) == (
        {"a.tex": slips + "\ufffd"},
        {("replaced_characters", "utf-8"): 1},
    )
    assert decode({"a.tex": "a \ufffd of its own".encode()})[1] == {}
    paper = b"\\usepackage[latin3]{inputenc}\n" + PAPER.encode("ascii", "ignore") + b"\xa5\xc3"
    (batch,) = read_latex(str(write(tmp_path / "mill.tex", paper)))
    assert batch.lost.inside()["replaced_characters"].count == 2


@pytest.mark.parametrize(
    ("name", "identifier"),
    [
        ("0704.0001.gz", "0704.0001"), ("src/2301.12345v2.tex", "2301.12345"), ("hep-th9901001.gz", "hep-th/9901001"),
        ("math/0211159", "math/0211159"),
        ("9912/astro-ph9912001.gz", "astro-ph/9912001"), ("paper.tex", None), ("2399.12345.tex", None), ("12345.tex", None),
    ],
)  # fmt: skip
def test_arxiv_identifiers(name, identifier):
    assert arxiv_id(name) == identifier


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_paper_in_one_file_or_one_archive(tmp_path, pack):
    for data in (PAPER.encode(), archive({"./ms.tex": PAPER.encode(), "fig.pdf": b"%PDF", "a.png": b"\x89PNG"})):
        result = read(write(tmp_path / "2301.00001.tar.gz", pack(data)))
        (record,) = result.documents
        assert (record.offset, record.name, record.url, record.text) == (
            0,
            "2301.00001",
            "https://arxiv.org/abs/2301.00001",
            CLEAN,
        )
        assert result.total == 1
    assert [(r.name, r.url) for r in read(write(tmp_path / "mill.tex", pack(PAPER.encode()))).documents] == [
        ("mill.tex", None)
    ]


def test_a_bulk_file_holds_a_paper_per_member(tmp_path, monkeypatch):
    monkeypatch.setattr(papers, "MOST_PAPER_BYTES", 50_000)
    whole = gzip.compress(PAPER.encode())
    members = {
        "0704": None,
        "0704/0704.0001.gz": whole,
        "0704/0704.0002.pdf": b"%PDF-1.4",
        "0704/0704.0003.gz": gzip.compress(
            archive({"main.tex": PAPER.encode(), "sub/x.tex": b"x", "fig.eps": b"%!PS"})
        ),
        "0704/0704.0004.gz": gzip.compress(b"%auto-ignore\nThis paper has been withdrawn."),
        "0704/0704.0005.gz": whole[:-20],
        "0704/0704.0006.gz": gzip.compress(b"%!PS-Adobe"),
        "0704/0704.0007.gz": gzip.compress(archive({"fig.eps": b"%!PS"})),
        "0704/0704.0008.gz": gzip.compress(b"\\documentclass{a}\\begin{document}A letter.\\end{document}"),
        "0704/0704.0009.gz": gzip.compress(archive({"a.tex": b"a", "b.tex": b"b"})),
        "0704/0704.0010.gz": random.Random(1).randbytes(60_000),
        "0704/0704.0011.gz": gzip.compress(archive({"main.tex": PAPER.encode()})[:700]),
        "hep-th9901001.gz": whole,
    }
    data = archive(members)
    result = read(write(tmp_path / "arXiv_src_0704_001.tar", data))
    assert [(r.name, r.text) for r in result.documents] == [
        (name, CLEAN) for name in ("0704.0001", "0704.0003", "hep-th/9901001")
    ]
    assert data[result.documents[1].offset :].startswith(b"0704/0704.0003.gz\x00")
    assert result.skipped == {"not_latex": 3, "withdrawn": 1, "no_section": 1, "no_main_file": 1, "source_too_large": 1}
    assert [(b.name, b.error.split(":")[0]) for b in result.broken] == [
        ("0704.0005", "damaged gzip"),
        ("0704.0011", "damaged tar"),
    ]
    assert result.total == len(members) - 1
    # Damage to the bulk file itself costs what it hits.
    broken = bytearray(data)
    broken[result.documents[1].offset] = 0
    again = read(write(tmp_path / "broken.tar", bytes(broken)))
    assert ([r.name for r in again.documents], again.total) == (["0704.0001", "hep-th/9901001"], result.total)
    cut = read(write(tmp_path / "cut.tar", data[: result.documents[1].offset + 600]))
    assert ([r.name for r in cut.documents], cut.kinds) == (["0704.0001"], ["damaged tar"])


@pytest.mark.parametrize(
    "packed",
    [
        lambda data: gzip.compress(data[:100]) + gzip.compress(data[100:]),
        lambda data: b"".join(gzip.compress(data[at : at + 50]) for at in range(0, len(data), 50)),
        lambda data: gzip.compress(b"") + gzip.compress(data) + bytes(512),
        lambda data: gzip.compress(data) + bytes(7) + gzip.compress(b""),
        bz2.compress,
        lambda data: lzma.compress(data[:200]) + lzma.compress(data[200:]),
    ],
)
@pytest.mark.parametrize("make", [lambda: PAPER.encode(), lambda: archive({"ms.tex": PAPER.encode()})])
def test_a_paper_of_a_bulk_file_may_have_several_members(tmp_path, packed, make):
    data = packed(make())
    bulk = write(
        tmp_path / "arXiv_src_0704_001.tar",
        archive({"0704/0704.0001.gz": data, "0704/0704.0002.gz": gzip.compress(make())}),
    )
    alone = write(tmp_path / "0704.0001.gz", data)
    assert [(r.name, r.text) for r in read(bulk).documents] == [("0704.0001", CLEAN), ("0704.0002", CLEAN)]
    assert read(alone).texts == [CLEAN]


@pytest.mark.parametrize("rest", [b"no member at all", gzip.compress(PAPER.encode(), mtime=0)[:-4], b"\x1f\x8b\x08"])
def test_what_follows_a_paper_and_is_no_member_is_said(tmp_path, rest):
    data = gzip.compress(PAPER.encode()) + rest
    bulk = read(write(tmp_path / "arXiv_src_0704_001.tar", archive({"0704/0704.0001.gz": data})))
    alone = read(write(tmp_path / "0704.0001.gz", data))
    for result in (bulk, alone):
        assert (result.total, result.kinds, result.broken[0].name) == (
            1,
            ["damaged gzip"],
            "0704.0001" if result is bulk else "0704.0001.gz",
        )


def test_what_gives_no_paper(tmp_path, monkeypatch):
    monkeypatch.setattr(papers, "MOST_TEXT_BYTES", 10_000)
    cases = [
        (b"%PDF-1.5 ...", "not_latex"),
        (b"\\documentclass\x00", "not_latex"),
        (archive({"a.png": b"x"}), "not_latex"),
        (b"\\section{A} " + b"x" * 10_000, "source_too_large"),
        (archive({f"{n}.tex": b"x" * 4_000 for n in range(4)}), "source_too_large"),
        (b"no section", "no_section"),
    ]
    for data, reason in cases:
        assert read(write(tmp_path / "x", data)).skipped == {reason: 1}
    packed = gzip.compress("".join(map(str, range(2_500))).encode())
    for data, kind in (
        (b"", "empty file"),
        (packed[:-100], "damaged gzip"),
        (archive({"a.tex": PAPER.encode()})[:700], "damaged tar"),
    ):
        result = read(write(tmp_path / "x", data))
        assert (result.total, result.kinds) == (1, [kind])
    with pytest.raises(GristmillError, match="no such file"):
        read(tmp_path / "gone.tex")


def test_any_bytes_are_one_record(tmp_path):
    chance = random.Random(11)
    seed = (
        PAPER.encode() + b"\\newcommand{\\x}[2][a]{#1#2}\\x{b}\\input{y}\\begin{verbatim}%\\end{verbatim}\\iffalse\\fi"
    )
    for _ in range(300):
        data = bytearray(seed)
        for _ in range(chance.randrange(1, 8)):
            data[chance.randrange(len(data))] = chance.choice(b"\\{}[]%#\n\x00\xff ab" + bytes([chance.randrange(256)]))
        assert read(write(tmp_path / "x.tex", bytes(data))).total == 1


@pytest.mark.corpora
@pytest.mark.skipif(SHARED is None, reason="the development corpora are not beside the project")
def test_a_real_book_in_many_files():
    with gzip.open(SHARED / "corpora" / "scientific" / "stacks.jsonl.gz") as lines:
        chapters = {json.loads(line)["id"].split("/")[-1]: json.loads(line)["text"] for line in lines}
    for name in ("adequate.tex", "stacks.tex", "sets.tex"):
        text = latex_to_text({name: chapters[name], "preamble.tex": chapters["preamble.tex"]})
        assert text.startswith("\\section{Introduction}")
        assert "\\bibliography" not in text
        assert "\\begin{slogan}" not in text  # its environment hides what it holds
        assert "\\Spec" not in text.replace("\\Special", "")  # defined in the preamble
        assert len(text) > 0.8 * len(chapters[name])
