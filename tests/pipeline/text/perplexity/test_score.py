"""Perplexity: a model small enough to compute by hand, the run through the text pass, and what is wrong with files."""

from __future__ import annotations

import gzip
import io
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import sentencepiece

from manifests.corpus import CorpusManifest, Perplexity
from manifests.errors import GristmillError
from pipeline.extract.settings import extract_job, extract_settings
from pipeline.extract.text_pass import run_text_pass, signal_schema, text_pass
from pipeline.readers.records import Record, raw_batch
from pipeline.text.perplexity.arpa import read_arpa, score
from pipeline.text.perplexity.models import read_model
from pipeline.text.perplexity.models import score as score_any
from pipeline.text.perplexity.score import load_scorer, perplexities, perplexity, perplexity_settings
from tests.property.arpas import NGrams, arpa, slow_score
from tests.property.kenlm_files import Form, binary, murmur, rounded
from tests.property.texts import buffers

BY_HAND = """
\\data\\
ngram 1=5
ngram 2=4
ngram 3=2

\\1-grams:
-2\t<unk>\t0
0\t<s>\t-0.5
-1\t</s>
-0.75\ta\t-0.25
-1.5\tb\t-0.125

\\2-grams:
-0.5\t<s> a\t-0.0625
-0.375\ta b\t-0.03125
-0.25\ta </s>
-0.3125\tb </s>

\\3-grams:
-0.1875\t<s> a b
-0.21875\ta b </s>

\\end\\
"""


def write(path: Path, text: str) -> str:
    path.write_bytes(text.encode())
    return str(path)


def test_scores_by_hand(tmp_path: Path) -> None:
    model = read_arpa(write(tmp_path / "m", BY_HAND))
    wanted = {
        # <s> a, <s> a b, a b </s>
        "a b": (-0.5 - 0.1875 - 0.21875, 2),
        "  a\t\tb\n": (-0.5 - 0.1875 - 0.21875, 2),
        # <s> a; then neither `<s> a </s>` nor a backoff left out: backoff of `<s> a`, then `a </s>`
        "a": (-0.5 + (-0.0625 - 0.25), 1),
        # backoff of <s> and the 1-gram; then backoff of nothing longer than b, and `b </s>`
        "b": ((-0.5 - 1.5) - 0.3125, 1),
        # backoff of <s>; unknown; after an unknown word no context is left
        "zz a": ((-0.5 - 2) - 0.75 - 0.25, 2),
        # <s> a; backoffs of `<s> a` and of `a`; then backoff of `a` alone
        "a a": (-0.5 + (-0.0625 - 0.25 - 0.75) - 0.25, 2),
        "": (-0.5 - 1, 0),
        "<unk>": (-0.5 - 2 - 1, 1),
    }
    scores, tokens = score(model, *buffers(list(wanted)))
    assert scores.dtype == np.float32
    assert list(zip(scores.tolist(), tokens.tolist(), strict=True)) == list(wanted.values())


@pytest.mark.parametrize("order", [1, 2, 3])
def test_orders_line_ends_and_compression(tmp_path: Path, order: int) -> None:
    text = "\n".join(line for line in BY_HAND.split("\n") if not any(line.startswith(f"ngram {more}=") for more in range(order + 1, 4)))
    for more in range(order + 1, 4):
        start = text.index(f"\\{more}-grams:")
        text = text[:start] + text[min(at for at in (text.find(f"\\{more + 1}-grams:"), text.find("\\end\\")) if at > 0) :]
    # The last section has no backoffs.
    head, last = text.split(f"\\{order}-grams:")
    text = head + f"\\{order}-grams:" + "\n".join("\t".join(line.split("\t")[:2]) for line in last.split("\n"))
    ngrams = {}
    for line in text.split("\n"):
        if "\t" in line:
            number, words, *backoff = line.split("\t")
            ngrams[tuple(words.split(" "))] = (float(number), float(backoff[0]) if backoff else 0.0)
    data, offsets = buffers(["a b", "b a a", "zz a b a"])
    wanted = [slow_score(ngrams, sentence.split(), order=order) for sentence in ("a b", "b a a", "zz a b a")]
    found = [
        score(read_arpa(write(tmp_path / str(i), some)), data, offsets)[0].tolist()
        for i, some in enumerate((text, text.replace("\n", "\r\n"), text.rstrip()))
    ]
    (tmp_path / "packed").write_bytes(gzip.compress(text.encode()))
    found.append(score(read_arpa(str(tmp_path / "packed")), data, offsets)[0].tolist())
    assert found == [wanted] * 4


def test_a_model_without_unknown_words_gives_them_100(tmp_path: Path) -> None:
    text = BY_HAND.replace("-2\t<unk>\t0\n", "").replace("ngram 1=5", "ngram 1=4")
    scores, _ = score(read_arpa(write(tmp_path / "m", text)), *buffers(["zz"]))
    assert scores.tolist() == [-0.5 - 100 - 1]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("\\data\\", "data", "line 2: is no ARPA file"),
        ("ngram 2=4", "ngram 3=4", "line 4: should be `ngram N=COUNT`"),
        ("ngram 2=4", "ngram 2=-4", "line 4: should be `ngram N=COUNT`"),
        ("ngram 3=2", "ngram 3=2\nngram 4=0\nngram 5=0\nngram 6=0", "of order 6"),
        ("ngram 2=4", "ngram 2=400000000000000", "line 19: the section ends after 4 of the 400000000000000 n-grams of 2 words"),
        ("\\2-grams:", "\\3-grams:", "line 14: should be"),
        ("-1.5\tb", "-1.5 b", "line 12: the 1-gram has no number"),
        ("-1.5\tb", "-1.5e\tb", "line 12: the 1-gram has no number"),
        ("-1.5\tb", "1.5\tb", "line 12: the 1-gram has a positive logarithm"),
        ("-1.5\tb", "-1.5\ta", "line 12: the n-gram is there twice"),
        ("-1.5\tb\t-0.125", "-1.5\tb\t-0.125 c", "line 12: the 1-gram goes on"),
        ("-0.375\ta b\t-0.03125", "-0.375\ta", "line 16: the 2-gram has fewer words"),
        ("-0.375\ta b", "-0.375\ta zz", "line 16: the 2-gram has a word that is not among"),
        ("-0.1875\t<s> a b", "-0.1875\t<s> a b\t-1", "line 21: the 3-gram goes on"),
        ("-0.1875\t<s> a b", "-0.1875\tb a b", "line 21: the 3-gram has a context"),
        ("-0.1875\t<s> a b", "-0.1875\t<s> a a", "line 21: the 3-gram has a suffix"),
        ("\t<s>\t-0.5", "\ts\t-0.5", "no `<s>`"),
        ("</s>\n-0.75", "/s\n-0.75", "no `</s>`"),
        ("\n\\end\\\n", "", "the file ends before"),
        (BY_HAND, "", "is no ARPA file"),
        (BY_HAND, "x" * (5 << 20), "a line of more than 1 MiB"),
        (BY_HAND, "mmap lm http://kheafield.com/code format version 5\n\0" + "x" * 99, "binary files, but compressed"),
    ],
)
def test_what_is_wrong_with_a_model(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in BY_HAND
    path = write(tmp_path / "m.arpa", BY_HAND.replace(old, new, 1))
    with pytest.raises(GristmillError) as caught:
        read_arpa(path)
    assert message in str(caught.value)
    assert path in str(caught.value)
    assert caught.value.remedy


SMALL: NGrams = {(word,): (-1.0, -0.25) for word in ("<s>", "</s>", "<unk>", "a")} | {("<s>", "a"): (-0.5, 0.0), ("a", "</s>"): (-0.5, 0.0)}
PLAIN, TRIE, QUANTISED = Form(), Form(trie=True), Form(trie=True, quantised=(3, 2))


def changed(form: Form, at: int, new: bytes, *, without: str = "") -> bytes:
    data = binary({words: of for words, of in SMALL.items() if without not in words}, order=2, form=form)
    return data[:at] + new + data[at + len(new) :]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (changed(PLAIN, 33, b" incomplete\n"), "did not finish"),
        (changed(PLAIN, 49, b"4"), "of version 4; 5 is read"),
        (changed(TRIE, 60, b"\x3f\x80\0\0\xbf\0\0\0"), "big-endian"),
        (changed(TRIE, 72, b"\1"), "its test numbers differ"),
        (changed(PLAIN, 96, b"\1"), "of the kind rest probing"),
        (changed(PLAIN, 96, b"\7"), "of the kind number 7"),
        (changed(TRIE, 104, b"\2"), "version 2 of KenLM's trie"),
        (changed(TRIE, 88, b"\7"), "of order 7; 2 to 6"),
        (changed(TRIE, 88, b"\1"), "of order 1; 2 to 6"),
        (changed(TRIE, 108, b"\xff" * 8), "promises 18,446,744,073,709,551,615 n-grams"),
        (changed(TRIE, 116, b"\xc8"), "a trie of 4, 200 n-grams takes"),
        (changed(PLAIN, 92, b"\0\0\x80\x7f"), "multiplier of inf"),
        (changed(PLAIN, 128, b"\1"), "words of version 1"),
        (changed(PLAIN, 132, b"\x09"), "9 words, but 4 1-grams"),
        (changed(TRIE, 128, b"\x09"), "9 words and `<unk>`, but 4 1-grams"),
        (changed(QUANTISED, 168, b"\1"), "quantised by version 1"),
        (changed(QUANTISED, 169, b"\x1a"), "quantised to 26 and 2 bits"),
        (changed(PLAIN, 0, b"", without="<s>"), "no `<s>`"),
        (changed(TRIE, 0, b"", without="</s>"), "no `</s>`"),
        (changed(TRIE, 0, b"")[:-1], "of its 4 words"),
        (changed(TRIE, 0, b"")[:-3], "after 3 of its 4 words"),
        (changed(TRIE, 0, b"")[:100], "ends after 100 bytes, in its head"),
        (changed(PLAIN, 0, b"")[:120], "ends after 120 bytes, in its head"),
        (changed(TRIE, 0, b"")[:200], "has 200 bytes, but"),
        (changed(QUANTISED, 0, b"")[:160], "ends after 160 bytes"),
        (changed(TRIE._replace(words=False), 0, b"") + b"\0", "bytes, but a trie"),
    ],
)
def test_what_is_wrong_with_a_binary_file(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "m.bin").write_bytes(data)
    with pytest.raises(GristmillError) as caught:
        read_model(str(tmp_path / "m.bin"))
    assert message in str(caught.value)
    assert f"{tmp_path}/m.bin" in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize("form", [PLAIN, TRIE])
def test_tables_that_lead_out_of_the_file(tmp_path: Path, form: Form) -> None:
    data = changed(form, 0, b"")
    # The row of a word in "probing"; in "trie", where the last word's 2-grams end.
    at = data.index(murmur(b"a").to_bytes(8, "little")) + 8 if form is PLAIN else 168 + 16 * 4 + 8
    (tmp_path / "m.bin").write_bytes(data[:at] + b"\xff\xff\xff\x7f" + data[at + 4 :])
    model = read_model(str(tmp_path / "m.bin"))
    with pytest.raises(GristmillError, match="is damaged"):
        score_any(model, *buffers(["a </s> <s>"]))


def test_damaged_missing_and_other_files(tmp_path: Path) -> None:
    packed = gzip.compress(BY_HAND.encode())
    (tmp_path / "cut.gz").write_bytes(packed[:-20])
    with pytest.raises(GristmillError, match="is damaged"):
        read_arpa(str(tmp_path / "cut.gz"))
    (tmp_path / "packed.gz").write_bytes(gzip.compress(changed(TRIE, 0, b"")))
    with pytest.raises(GristmillError, match="but compressed"):
        read_model(str(tmp_path / "packed.gz"))
    with pytest.raises(GristmillError, match="no such file"):
        read_model(str(tmp_path / "none"))
    model = {"ngrams": str(tmp_path / "none"), "sentencepiece": str(tmp_path / "cut.gz")}
    with pytest.raises(GristmillError, match="no such file"):
        perplexity_settings(Perplexity(models={"en": model}))
    with pytest.raises(GristmillError, match="is no SentencePiece model"):
        load_scorer(model["ngrams"], model["sentencepiece"], ("", ""))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`en.sp.model`, trained on a few words, and `en.arpa`, a bigram model of its pieces."""
    folder = tmp_path_factory.mktemp("models")
    written = io.BytesIO()
    lines = ["the cat sat on the mat 000", "a dog sat on a log", "the dog and the cat"] * 20
    sentencepiece.SentencePieceTrainer.Train(
        sentence_iterator=iter(lines), model_writer=written, model_type="unigram", vocab_size=32, hard_vocab_limit=False, minloglevel=2
    )
    (folder / "en.sp.model").write_bytes(written.getvalue())
    (folder / "en.arpa").write_text(arpa(ngrams(written.getvalue()), order=2))
    return folder


def ngrams(model: bytes) -> dict[tuple[str, ...], tuple[float, float]]:
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    pieces = ["<s>", "</s>", "<unk>", *(processor.id_to_piece(i) for i in range(3, processor.vocab_size()))]
    found = {(piece,): (-1.0 - index / 64, -index / 128) for index, piece in enumerate(pieces)}
    return found | {(pieces[i], pieces[i + 2]): (-0.25 - i / 64, 0.0) for i in range(3, len(pieces) - 2)}


def manifest(models: Path, **more: object) -> CorpusManifest:
    given = {
        "name": "c",
        "sources": [{"name": "a", "format": "jsonl", "files": ["x"], "licence": "none"}],
        "tokenizer": {"model": "m"},
        "perplexity": {"models": {"en": {"ngrams": f"{models}/en.arpa", "sentencepiece": f"{models}/en.sp.model"}}},
    }
    return CorpusManifest.model_validate(given | more)


def test_documents_in_the_text_pass(models: Path) -> None:
    english = "The Cat sat on the mat, 123.\nAnd the dog sat on the log with the other dogs of this house."
    german = "Der Hund und die Katze sitzen auf der Matte und schauen aus dem Fenster auf die Straße."
    records = raw_batch([Record(i, None, None, text) for i, text in enumerate([english, german, english])])
    for sentences, lines in (
        ("document", ["the cat sat on the mat, 000.and the dog sat on the log with the other dogs of this house."]),
        ("lines", ["the cat sat on the mat, 000.", "and the dog sat on the log with the other dogs of this house."]),
    ):
        asked = manifest(models)
        assert asked.perplexity is not None
        asked = asked.model_copy(update={"perplexity": asked.perplexity.model_copy(update={"sentences": sentences})})
        signals = run_text_pass(records, text_pass(extract_job(asked, folder=""))).signals
        assert signals.schema == signal_schema(bad_words=False, perplexity=True)
        assert signals["language"].to_pylist() == ["en", "de", "en"]
        model = (models / "en.sp.model").read_bytes()
        processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        pieces = [processor.encode(line, out_type=str) for line in lines]
        total = sum(slow_score(ngrams(model), some, order=2) for some in pieces)
        wanted = round(10 ** (-total / sum(len(some) + 1 for some in pieces)), 1)
        assert wanted > 2
        assert signals["perplexity"].to_pylist() == [wanted, None, wanted]
    without = manifest(models, perplexity=None)
    assert "perplexity" not in run_text_pass(records, text_pass(extract_job(without, folder=""))).signals.schema.names


def test_nothing_to_score_is_null(models: Path) -> None:
    scorer = load_scorer(f"{models}/en.arpa", f"{models}/en.sp.model", ("", ""))
    found = perplexities(*buffers(["\x01\n\x02", "", "cat", "cat"]), ["en", "en", "en", "xx"], {"en": scorer}, sentences="document")
    assert found.type == pa.float64()
    # The same model as a binary file of KenLM's.
    model = rounded(ngrams((models / "en.sp.model").read_bytes()))
    (models / "en.arpa.bin").write_bytes(binary(model, order=2, form=TRIE))
    binary_scorer = load_scorer(f"{models}/en.arpa.bin", f"{models}/en.sp.model", ("", ""))
    assert perplexities(*buffers(["cat", "the log"]), ["en", "en"], {"en": binary_scorer}, sentences="document").equals(
        perplexities(*buffers(["cat", "the log"]), ["en", "en"], {"en": scorer}, sentences="document")
    )
    assert found.is_null().to_pylist() == [True, True, False, True]
    assert perplexity([-1.0, -2.5], 2) == round(10**1.75, 1)
    assert perplexity([-1e9], 1) == math.inf


def test_settings_follow_the_contents_of_the_models(models: Path, tmp_path: Path) -> None:
    for name in ("en.arpa", "en.sp.model"):
        (tmp_path / name).write_bytes((models / name).read_bytes())
    before = extract_settings(manifest(models))
    assert extract_settings(manifest(tmp_path)) == before
    assert extract_job(manifest(tmp_path), folder="") != extract_job(manifest(models), folder="")
    (tmp_path / "en.arpa").write_text((models / "en.arpa").read_text() + "\n")
    assert extract_settings(manifest(tmp_path)) != before
    assert perplexity_settings(None) is None


def test_terciles_need_models(models: Path) -> None:
    terciles = [{"variant": "ccnet", "terciles": {"en": [1.0, 2.0], "de": [1.0, 2.0]}}]
    with pytest.raises(ValueError, match=r"need a model in `perplexity.models` for: de "):
        manifest(models, filters=terciles)
    with pytest.raises(ValueError, match=r"need a model in `perplexity.models` for: any "):
        manifest(models, filters=[{"variant": "ccnet", "terciles": {"any": [1.0, 2.0]}}], perplexity=None)
    assert manifest(models, filters=[{"variant": "ccnet", "terciles": {"en": [1.0, 2.0], "any": [1.0, 2.0]}}]).perplexity is not None
    assert manifest(models, filters=["ccnet"], perplexity=None).perplexity is None
