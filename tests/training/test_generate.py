"""Sampling from a checkpoint, with a tokenizer trained by the test."""

from __future__ import annotations

import io
import itertools
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import sentencepiece
import torch

from manifests.errors import GristmillError
from manifests.run import Run
from storage.files import sha256_file
from tests.training.data import make_corpus, make_run
from training.generate import choose, generate
from training.loop import train


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A short run over a corpus that has a tokenizer."""
    folder = tmp_path_factory.mktemp("generate")
    model = io.BytesIO()
    words = ["".join(letters) for letters in itertools.product("abcde", repeat=3)]
    generator = np.random.default_rng(0)
    sentences = (" ".join(generator.choice(words, 12)) for _ in range(400))
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=sentences,
        model_writer=model,
        vocab_size=300,
        model_type="bpe",
        byte_fallback=True,
        minloglevel=2,
    )
    tokenizer = folder / "corpus" / "tokenizer" / "tokenizer.model"
    tokenizer.parent.mkdir(parents=True)
    tokenizer.write_bytes(model.getvalue())
    make_corpus(folder / "corpus", sha256=sha256_file(str(tokenizer)), vocab_size=300, tokens=20_000)
    run = make_run(
        folder,
        name="run",
        data=folder / "corpus",
        precision="bf16",
        tokens=6 * 8 * 32,
        checkpoint={"every_steps": 2, "keep": 2},
    )
    train(run)
    return run


def test_same_seed_same_text(trained: Run) -> None:
    texts = [generate(trained.out, "abc cde", tokens=12, seed=seed) for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]
    assert all(text.startswith("abc cde") and len(text) > len("abc cde") for text in texts)


def test_global_generator_is_not_used(trained: Run) -> None:
    torch.manual_seed(0)
    one = generate(trained.out, "abc", tokens=8)
    torch.manual_seed(1)
    assert generate(trained.out, "abc", tokens=8) == one


def test_greedy_is_top_1(trained: Run) -> None:
    greedy = generate(trained.out, "abc", tokens=10, temperature=0)
    assert greedy == generate(trained.out, "abc", tokens=10, temperature=1.0, top_k=1, seed=5)


def test_beyond_the_context(trained: Run) -> None:
    """More tokens than the model's longest sequence (64) are sampled from its last 64."""
    assert len(generate(trained.out, "", tokens=70, temperature=2.0, top_k=None, seed=3)) > 0


def test_checkpoints_by_step(trained: Run) -> None:
    assert generate(trained.out, "abc", tokens=8, checkpoint=6, seed=4) == generate(
        trained.out, "abc", tokens=8, seed=4
    )
    with pytest.raises(GristmillError, match="there is no checkpoint of step 5") as caught:
        generate(trained.out, "abc", checkpoint=5)
    assert caught.value.remedy == "use one of 4, 6"


@pytest.mark.parametrize("name", ["__0_0.distcp", ".metadata", "_MANIFEST.json"])
def test_what_lies_in_the_place_of_a_file_is_not_run(trained: Run, tmp_path: Path, name: str) -> None:
    """The checkpoint before is used, and said to be; a checkpoint that is asked for by its step is refused."""

    class Planted:
        def __reduce__(self) -> object:
            return os.mkdir, (str(tmp_path / "ran"),)

    path = Path(trained.out, "checkpoints", "step-00000006", name)
    whole = path.read_bytes()
    said: list[str] = []
    try:
        planted = pickle.dumps(Planted())
        path.write_bytes(planted + bytes(max(0, len(whole) - len(planted))))
        assert generate(trained.out, "abc", tokens=4, seed=4, say=said.append) == generate(
            trained.out, "abc", tokens=4, checkpoint=4, seed=4
        )
        with pytest.raises(GristmillError):
            generate(trained.out, "abc", checkpoint=6)
    finally:
        path.write_bytes(whole)
    assert len(said) == 1
    assert "step-00000006" in said[0]
    assert "it is not used" in said[0]
    assert not (tmp_path / "ran").exists()


def test_not_a_run(tmp_path: Path) -> None:
    with pytest.raises(GristmillError, match="is not a run folder"):
        generate(str(tmp_path), "abc")


def test_another_tokenizer_is_refused(trained: Run) -> None:
    path = Path(trained.data) / "tokenizer" / "tokenizer.model"
    whole = path.read_bytes()
    try:
        path.write_bytes(whole + b"\x00")
        with pytest.raises(GristmillError, match="is not the tokenizer of the run's data"):
            generate(trained.out, "abc")
    finally:
        path.write_bytes(whole)


def test_choose() -> None:
    logits = torch.tensor([1.0, 3.0, 2.0, float("-inf"), 3.0])
    generator = torch.Generator().manual_seed(0)
    assert choose(logits, temperature=0, top_k=None, generator=generator) == 1
    drawn = [choose(logits, temperature=1.0, top_k=3, generator=generator) for _ in range(4000)]
    shares = np.bincount(drawn, minlength=5) / len(drawn)
    wanted = np.exp([-np.inf, 3.0, 2.0, -np.inf, 3.0])
    assert shares == pytest.approx(wanted / wanted.sum(), abs=0.03)
    assert {choose(logits, temperature=1.0, top_k=1, generator=generator) for _ in range(50)} == {1}
    cold = [choose(logits, temperature=0.05, top_k=None, generator=generator) for _ in range(200)]
    assert set(cold) == {1, 4}
    assert logits.tolist() == [1.0, 3.0, 2.0, float("-inf"), 3.0]
