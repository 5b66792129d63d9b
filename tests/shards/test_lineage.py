"""From samples to documents: every column, against values computed by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from manifests.errors import GristmillError
from shards.lineage import LINEAGE, documents_of
from shards.order import locate, new_order, positions_of
from shards.reader import open_shards
from tests.shards.corpora import Lengths, write_corpus

LENGTHS: Lengths = {"wiki/factual": [[3, 0, 2], [4]], "crawl/general": [[20]]}


def test_a_window_over_two_shards(tmp_path: Path) -> None:
    write_corpus(str(tmp_path), LENGTHS)
    # One window of 8 + 1 tokens: 3 of document 0, none of the empty one, 2 of document 2, 4 of the next shard; in
    # epochs 4 and 5.
    order = new_order(
        {"wiki/factual": 9, "crawl/general": 20}, sequence=8, seed=0, counts={"wiki/factual": 1}, version=1
    )
    rows = documents_of(open_shards(str(tmp_path)), order, 4, 2)
    assert rows.schema == LINEAGE
    first = [
        {
            "sample": 4,
            "document_id": b"wiki/f0000000000".hex(),
            "source": "wiki",
            "site": None,
            "url": None,
            "file": "raw-0",
            "record": 0,
            "record_name": "wiki/factual-0-0",
            "bucket": "wiki/factual",
            "epoch": 4,
            "tokens": 3,
        },
        {
            "sample": 4,
            "document_id": b"wiki/f0000000002".hex(),
            "source": "wiki",
            "site": "site0",
            "url": "https://wiki/factual/0/2",
            "file": "raw-0",
            "record": 20,
            "record_name": "wiki/factual-0-2",
            "bucket": "wiki/factual",
            "epoch": 4,
            "tokens": 2,
        },
        {
            "sample": 4,
            "document_id": b"wiki/f0000100000".hex(),
            "source": "wiki",
            "site": None,
            "url": None,
            "file": "raw-1",
            "record": 0,
            "record_name": "wiki/factual-1-0",
            "bucket": "wiki/factual",
            "epoch": 4,
            "tokens": 4,
        },
    ]
    assert rows.to_pylist() == first + [{**row, "sample": 5, "epoch": 5} for row in first]


def test_a_window_over_the_seam_of_the_stream(tmp_path: Path) -> None:
    """Tokens 1 to 8 and then 0 of nine: the first document is at both ends."""
    write_corpus(str(tmp_path), LENGTHS)
    order = new_order({"wiki/factual": 9, "crawl/general": 20}, sequence=8, seed=0, counts={"wiki/factual": 1})
    begins = positions_of(order, *locate(order, 0, 200)).tolist()
    rows = documents_of(open_shards(str(tmp_path)), order, begins.index(1), 1).to_pylist()
    assert [(row["record_name"], row["tokens"]) for row in rows] == [
        ("wiki/factual-0-0", 2),
        ("wiki/factual-0-2", 2),
        ("wiki/factual-1-0", 4),
        ("wiki/factual-0-0", 1),
    ]


def test_no_samples_no_documents(tmp_path: Path) -> None:
    write_corpus(str(tmp_path), LENGTHS)
    order = new_order({"wiki/factual": 9, "crawl/general": 20}, sequence=8, seed=0, counts={"wiki/factual": 1})
    rows = documents_of(open_shards(str(tmp_path)), order, 7, 0)
    assert (rows.num_rows, rows.schema) == (0, LINEAGE)


def test_an_order_over_other_shards_is_refused(tmp_path: Path) -> None:
    write_corpus(str(tmp_path), LENGTHS)
    with pytest.raises(GristmillError, match="they differ in crawl/general"):
        documents_of(
            open_shards(str(tmp_path)),
            new_order({"wiki/factual": 9}, sequence=8, seed=0, counts={"wiki/factual": 1}),
            0,
            1,
        )
