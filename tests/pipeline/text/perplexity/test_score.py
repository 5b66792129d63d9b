"""Perplexity: a model small enough to compute by hand, a run through the text pass, and errors in files."""

from __future__ import annotations

import gzip
import io
import lzma
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import sentencepiece
import zstandard

from manifests.corpus import CorpusManifest, Perplexity
from manifests.errors import GristmillError
from pipeline.engines.runners import Runner
from pipeline.extract.settings import extract_job, extract_settings
from pipeline.extract.step import extract
from pipeline.extract.text_pass import make_text_pass, run_text_pass, signal_schema
from pipeline.readers.records import Record, raw_batch
from pipeline.text.perplexity.binary import read_model, score
from pipeline.text.perplexity.score import load_scorer, perplexities, perplexity, perplexity_settings
from tests.property.arpas import NGrams, arpa, slow_score
from tests.property.kenlm_files import FORMS, Form, binary, murmur
from tests.property.texts import buffers

BY_HAND: NGrams = {
    ("<unk>",): (-2, 0),
    ("<s>",): (0, -0.5),
    ("</s>",): (-1, 0),
    ("a",): (-0.75, -0.25),
    ("b",): (-1.5, -0.125),
    ("<s>", "a"): (-0.5, -0.0625),
    ("a", "b"): (-0.375, -0.03125),
    ("a", "</s>"): (-0.25, 0),
    ("b", "</s>"): (-0.3125, 0),
    ("<s>", "a", "b"): (-0.1875, 0),
    ("a", "b", "</s>"): (-0.21875, 0),
}
# Quantised files round the values.
EXACT = [form for form in FORMS if form.quantised is None]


def written(path: Path, ngrams: NGrams, *, order: int, form: Form) -> str:
    path.write_bytes(binary(ngrams, order=order, form=form))
    return str(path)


@pytest.mark.parametrize("form", EXACT)
def test_scores_by_hand(tmp_path: Path, form: Form) -> None:
    model = read_model(written(tmp_path / "m", BY_HAND, order=3, form=form))
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


@pytest.mark.parametrize("form", EXACT)
@pytest.mark.parametrize("order", [2, 3])
def test_orders(tmp_path: Path, order: int, form: Form) -> None:
    ngrams = {words: of for words, of in BY_HAND.items() if len(words) <= order}
    data, offsets = buffers(["a b", "b a a", "zz a b a"])
    wanted = [slow_score(ngrams, sentence.split(), order=order) for sentence in ("a b", "b a a", "zz a b a")]
    scores, _ = score(read_model(written(tmp_path / "m", ngrams, order=order, form=form)), data, offsets)
    assert scores.tolist() == wanted


@pytest.mark.parametrize("form", EXACT)
def test_a_model_without_unknown_words_gives_them_100(tmp_path: Path, form: Form) -> None:
    ngrams = {words: of for words, of in BY_HAND.items() if words != ("<unk>",)}
    scores, _ = score(read_model(written(tmp_path / "m", ngrams, order=3, form=form)), *buffers(["zz"]))
    assert scores.tolist() == [-0.5 - 100 - 1]


SMALL: NGrams = {(word,): (-1.0, -0.25) for word in ("<s>", "</s>", "<unk>", "a")} | {
    ("<s>", "a"): (-0.5, 0.0),
    ("a", "</s>"): (-0.5, 0.0),
}
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
        score(model, *buffers(["a </s> <s>"]))


def test_damaged_missing_and_other_files(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"x" * 5000)
    with pytest.raises(GristmillError, match="is no binary file of KenLM's"):
        read_model(str(tmp_path / "other"))
    (tmp_path / "packed.gz").write_bytes(gzip.compress(changed(TRIE, 0, b"")))
    with pytest.raises(GristmillError, match="but compressed"):
        read_model(str(tmp_path / "packed.gz"))
    with pytest.raises(GristmillError, match="no such file"):
        read_model(str(tmp_path / "none"))
    model = {"ngrams": str(tmp_path / "none"), "sentencepiece": str(tmp_path / "other")}
    with pytest.raises(GristmillError, match="no such file"):
        perplexity_settings(Perplexity(models={"en": model}))
    with pytest.raises(GristmillError, match="is no SentencePiece model"):
        load_scorer(model["ngrams"], model["sentencepiece"], ("", ""))


ARPA = arpa(BY_HAND, order=3).encode()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("en.arpa", ARPA),
        ("model", b"\n \r\n" + ARPA),
        ("en.arpa.gz", gzip.compress(ARPA, mtime=0)),
        ("model.zst", zstandard.compress(ARPA)),
        ("en.ARPA.xz", lzma.compress(ARPA)),
        # By its name, where its content does not say it.
        ("en.arpa", b"\xef\xbb\xbf" + ARPA),
        ("en.arpa.gz", gzip.compress(ARPA)[:-20]),
    ],
)
def test_arpa_files_are_refused_before_any_work(tmp_path: Path, name: str, data: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    # A SentencePiece model that is missing is found later.
    asked = manifest(
        tmp_path, perplexity={"models": {"en": {"ngrams": str(path), "sentencepiece": str(tmp_path / "none")}}}
    )
    with pytest.raises(GristmillError) as caught:
        extract(asked, out=str(tmp_path / "out"), runner=Runner())
    assert str(caught.value).startswith(f"{path}: is an ARPA file, which is not read")
    assert f"`build_binary trie {name} {name}.bin`" in str(caught.value.remedy)
    assert not (tmp_path / "out").exists()
    with pytest.raises(GristmillError, match="is an ARPA file"):
        read_model(str(path))


def test_a_binary_file_may_have_the_name_of_an_arpa_file(tmp_path: Path) -> None:
    assert read_model(written(tmp_path / "en.arpa", BY_HAND, order=3, form=TRIE)).path == str(tmp_path / "en.arpa")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`en.sp.model`, trained on a few words, and `en.bin`, a bigram model of its pieces."""
    folder = tmp_path_factory.mktemp("models")
    trained = io.BytesIO()
    lines = ["the cat sat on the mat 000", "a dog sat on a log", "the dog and the cat"] * 20
    sentencepiece.SentencePieceTrainer.Train(
        sentence_iterator=iter(lines),
        model_writer=trained,
        model_type="unigram",
        vocab_size=32,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    (folder / "en.sp.model").write_bytes(trained.getvalue())
    (folder / "en.bin").write_bytes(binary(ngrams(trained.getvalue()), order=2, form=TRIE))
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
        "perplexity": {"models": {"en": {"ngrams": f"{models}/en.bin", "sentencepiece": f"{models}/en.sp.model"}}},
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
        signals = run_text_pass(records, make_text_pass(extract_job(asked, folder=""))).signals
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
    assert (
        "perplexity" not in run_text_pass(records, make_text_pass(extract_job(without, folder=""))).signals.schema.names
    )


def test_nothing_to_score_is_null(models: Path) -> None:
    scorer = load_scorer(f"{models}/en.bin", f"{models}/en.sp.model", ("", ""))
    found = perplexities(
        *buffers(["\x01\n\x02", "", "cat", "cat"]), ["en", "en", "en", "xx"], {"en": scorer}, sentences="document"
    )
    assert found.type == pa.float64()
    # The same model as a file of another kind.
    (models / "en.probing").write_bytes(binary(ngrams((models / "en.sp.model").read_bytes()), order=2, form=PLAIN))
    other = load_scorer(f"{models}/en.probing", f"{models}/en.sp.model", ("", ""))
    assert perplexities(*buffers(["cat", "the log"]), ["en", "en"], {"en": other}, sentences="document").equals(
        perplexities(*buffers(["cat", "the log"]), ["en", "en"], {"en": scorer}, sentences="document")
    )
    assert found.is_null().to_pylist() == [True, True, False, True]
    assert perplexity([-1.0, -2.5], 2) == round(10**1.75, 1)
    assert perplexity([-1e9], 1) == math.inf


def test_settings_follow_the_contents_of_the_models(models: Path, tmp_path: Path) -> None:
    for name in ("en.bin", "en.sp.model"):
        (tmp_path / name).write_bytes((models / name).read_bytes())
    before = extract_settings(manifest(models))
    assert extract_settings(manifest(tmp_path)) == before
    assert extract_job(manifest(tmp_path), folder="") != extract_job(manifest(models), folder="")
    (tmp_path / "en.bin").write_bytes((models / "en.bin").read_bytes() + b"\n")
    assert extract_settings(manifest(tmp_path)) != before
    assert perplexity_settings(None) is None


def test_terciles_need_models(models: Path) -> None:
    terciles = [{"variant": "ccnet", "terciles": {"en": [1.0, 2.0], "de": [1.0, 2.0]}}]
    with pytest.raises(ValueError, match=r"need a model in `perplexity.models` for: de "):
        manifest(models, filters=terciles)
    with pytest.raises(ValueError, match=r"need a model in `perplexity.models` for: any "):
        manifest(models, filters=[{"variant": "ccnet", "terciles": {"any": [1.0, 2.0]}}], perplexity=None)
    assert (
        manifest(models, filters=[{"variant": "ccnet", "terciles": {"en": [1.0, 2.0], "any": [1.0, 2.0]}}]).perplexity
        is not None
    )
    assert manifest(models, filters=["ccnet"], perplexity=None).perplexity is None
