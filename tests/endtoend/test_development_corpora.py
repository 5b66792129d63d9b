"""The development corpora: all ledgers balance.

A part gives the same bytes with 2 workers and with 3 that are killed.
"""

from __future__ import annotations

import pytest

from manifests.corpus import load_corpus
from pipeline.extract.inputs import list_raw_files
from shards.writer import load_manifest
from storage.steps import read_step
from tests.endtoend.commands import count_tasks, prep_with_kills
from tests.endtoend.corpora import tree_hashes
from tests.paths import DEVELOPMENT_CORPUS, SHARED

pytestmark = [
    pytest.mark.corpora,
    pytest.mark.slow,
    pytest.mark.skipif(SHARED is None, reason="the development corpora are not beside the project"),
]


def test_the_manifest_lists_every_archive_and_json_lines_file() -> None:
    corpora = SHARED / "corpora"
    wanted = {
        path
        for pattern in ("*.warc", "*.warc.gz", "*.warc.lz4", "*.wet.gz", "*.jsonl.gz")
        for path in corpora.rglob(pattern)
    }
    # The same files may be listed by two patterns: WET files end in `.warc.wet.gz`.
    listed = {file.path for file in list_raw_files(load_corpus(DEVELOPMENT_CORPUS).sources)}
    assert {str(path.resolve()) for path in wanted} == listed


def test_ledgers_balance(prepared_corpora) -> None:
    extract, decide = read_step(str(prepared_corpora / "extract")), read_step(str(prepared_corpora / "decide"))
    shards = load_manifest(str(prepared_corpora / "shards"))
    for ledger in (extract.ledger, decide.ledger, shards.ledger):
        assert ledger.balance() == 0
    assert extract.ledger.kept == decide.ledger.records_in > 80_000
    assert decide.ledger.kept == shards.ledger.records_in == sum(entry.documents for entry in shards.shards)


def test_same_bytes_after_kills(part_manifest, prepared_part, tmp_path) -> None:
    """Two workers in `prepared_part`, then three that are killed; one and seven: test_same_bytes, on a small corpus."""
    killed, _ = prep_with_kills(part_manifest, tmp_path / "killed", tasks=count_tasks(prepared_part), seed=5, workers=3)
    assert killed >= 4
    assert tree_hashes(tmp_path / "killed") == tree_hashes(prepared_part)
    assert load_manifest(str(tmp_path / "killed" / "shards")).ledger.balance() == 0
