"""A part of the development corpora for tests that run several times.

The rest takes long and is mostly more of the same.
"""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.paths import DEVELOPMENT_CORPUS

KEPT = ("crawl", "crawl-wet", "warc-fixtures", "enwiki", "questions")
# One of two archives of pages, which take longest.
_ONE_OF = {"web/*.warc.gz": "web/web-dev-01.warc.gz"}


def write_part_of_corpora(path: Path) -> Path:
    """A manifest of the sources that are kept, with the same settings."""
    content = yaml.safe_load(DEVELOPMENT_CORPUS.read_text())
    sources = {source["name"]: source for source in content["sources"]}
    content["sources"] = [sources[name] for name in KEPT]
    for source in content["sources"]:
        source["root"] = str((DEVELOPMENT_CORPUS.parent / source["root"]).resolve())
        source["files"] = [_ONE_OF.get(pattern, pattern) for pattern in source["files"]]
    content["tokenizer"]["model"] = str((DEVELOPMENT_CORPUS.parent / content["tokenizer"]["model"]).resolve())
    path.write_text(yaml.safe_dump(content))
    return path
