"""The loss curve as text."""

import json
import math

import numpy as np
import pyarrow as pa
import pytest

from demo.curve import draw, entropy, read_losses, unigram_entropy
from shards.format import ShardManifest, TokenizerInfo
from shards.writer import publish_manifest, write_shard


def test_the_later_line_of_a_step_counts(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text(
        "".join(
            json.dumps({"step": step, "loss": loss}) + "\n"
            for step, loss in [(0, 8.0), (1, 7.0), (2, 6.5), (1, 7.1), (2, 6.4)]
        )
    )
    assert read_losses(path) == [(0, 8.0), (1, 7.1), (2, 6.4)]


@pytest.mark.parametrize(("counts", "nats"), [([5, 5], math.log(2)), ([7, 0, 0], 0.0), ([1, 1, 2], 1.5 * math.log(2))])
def test_entropy(counts, nats):
    assert entropy(np.array(counts)) == pytest.approx(nats)


def test_unigram_entropy_counts_all_buckets(tmp_path):
    info = TokenizerInfo(sha256="0" * 64, vocab_size=8, bos_id=None, eos_id=None)
    entries = []
    for bucket, tokens in (("a/general", [3, 3, 4]), ("b/factual", [4])):
        documents = pa.table(
            {
                "document_id": pa.array([b"x" * 16], pa.binary(16)),
                "source": ["s"],
                "site": pa.array([None], pa.string()),
                "url": pa.array([None], pa.string()),
                "offset": [0],
                "length": [len(tokens)],
                "file": ["f"],
                "record": [0],
                "record_name": pa.array([None], pa.string()),
                "band": ["general"],
            }
        )
        entries.append(
            write_shard(
                str(tmp_path),
                bucket=bucket,
                name="00000-0000",
                tokens=np.array(tokens, np.uint16),
                offsets=np.array([0, len(tokens)]),
                documents=documents,
                tokenizer=info,
                inputs=[],
            )
        )
    publish_manifest(str(tmp_path), ShardManifest(corpus="c", dtype="uint16", tokenizer=info, shards=entries))
    assert unigram_entropy(tmp_path) == pytest.approx(math.log(2))


def test_a_falling_loss_falls_in_the_chart():
    chart = draw(
        [(step, 8.0 - step / 10) for step in range(60)], level=5.0, label="level", width=30, height=12
    ).splitlines()
    plot = [line.split("|", 1)[1] for line in chart[:12]]
    assert plot[0].startswith("*")
    assert plot[-1].rstrip().endswith("*")
    assert sum(line.count("*") for line in plot) == 30
    firsts = [line.index("*") for line in plot if "*" in line]
    assert firsts == sorted(firsts)
    (level,) = [line for line in chart[:12] if "level" in line]
    assert float(level.split("|")[0]) == pytest.approx(5.0, abs=0.3)
    assert chart[-1].split() == ["0", "59", "step"]


def test_a_flat_loss_and_a_single_step_can_be_drawn():
    assert draw([(3, 2.0)], level=2.0, label="l").count("*") == 1
    assert draw([(0, 2.0), (1, 2.0)], level=2.0, label="l", width=10).count("*") == 2
