"""Gristmill: from raw text to a pretrained model. The command is `gristmill`; notebooks use the three functions here.

    shards = gristmill.open_shards("prepared/shards")
    tokens = gristmill.samples(shards, "runs/first", 0, 8)     # the first 8 samples that the run trains on
    documents = gristmill.trace("runs/first", step=0)          # and the documents in them

Importing the package imports none of its rooms: they are imported at the first call, which first checks that they are
Gristmill's.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

# Before any room is imported: an older Python may not know its syntax.
if not (3, 11) <= sys.version_info[:2] <= (3, 13):
    raise SystemExit(
        f"Gristmill needs Python 3.11, 3.12 or 3.13, and {sys.executable} is Python"
        f" {sys.version_info[0]}.{sys.version_info[1]}."
    )

from gristmill.rooms import check_rooms

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from shards.order import Order
    from shards.reader import Shards

__all__ = ["open_shards", "samples", "trace"]


def open_shards(folder: str) -> Shards:
    """Open the shard folder of a prepared corpus: `shards` inside what `gristmill prep` wrote.

    Returns:
        Buckets by name; `buckets[name].map_tokens(i)` are the tokens of one shard, mapped, `read_documents(i)` its
        documents.

    Raises:
        GristmillError: the folder is not complete.
    """
    check_rooms()
    from shards.reader import open_shards as opened

    return opened(folder)


def samples(shards: Shards, order: Order | str, start: int, count: int) -> npt.NDArray[np.int64]:
    """Token windows of samples `start` to `start + count`: int64[count, sequence + 1].

    Args:
        order: an order, or the folder of a run for the order that it trained by.

    Raises:
        GristmillError: not a run folder, an order that was changed, or one over other shards.
    """
    check_rooms()
    from shards.order import order_from_json
    from shards.run_record import load_order, load_record
    from shards.samples import samples as read

    if isinstance(order, str):
        order = order_from_json(load_order(order, load_record(order), named=False))
    return read(shards, order, start, count)


def trace(folder: str, step: int) -> list[dict[str, Any]]:
    """The documents that a training step saw, from the run folder and the shards alone.

    Returns:
        One dict per document and sample: sample, document_id, source, site, url, file, record, record_name, bucket,
            epoch, tokens.

    Raises:
        GristmillError: not a run folder, a step outside the run, or other shards than the run was trained on.
    """
    check_rooms()
    from shards.lineage import documents_of_step
    from storage.files import absolute

    return documents_of_step(absolute(folder), step)
