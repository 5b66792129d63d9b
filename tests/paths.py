"""The folder of the development corpora, for the tests that use them; None if they are not beside the project."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
_beside = PROJECT.parent / "shared"
SHARED = _beside if (_beside / "corpora" / "MANIFEST.json").is_file() else None
DEVELOPMENT_CORPUS = PROJECT / "bench" / "dev_corpus.yaml"
