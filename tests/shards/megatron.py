"""Megatron-Core's own dataset files: its builder and its reader, as the reference."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import training


def _classes() -> Any:
    """Megatron's module, imported after the hook that `training` installs where there is no GPU."""
    assert training.prepare_megatron
    from megatron.core.datasets import indexed_dataset

    return indexed_dataset


def build(prefix: Path, documents: Sequence[Sequence[Sequence[int]]], dtype: Any) -> None:
    """Write documents, each of some sequences, with Megatron's builder."""
    import torch

    builder = _classes().IndexedDatasetBuilder(str(prefix.with_suffix(".bin")), dtype=np.dtype(dtype).type)
    for document in documents:
        for sequence in document:
            builder.add_item(torch.tensor(sequence, dtype=torch.int64))
        builder.end_document()
    builder.finalize(str(prefix.with_suffix(".idx")))


def read(prefix: Path) -> list[list[int]]:
    """All documents, with Megatron's reader, whose asserts check the index."""
    dataset = _classes().IndexedDataset(str(prefix), mmap=True)
    bounds = dataset.document_indices.tolist()
    return [
        [int(token) for sequence in range(first, last) for token in dataset[sequence]]
        for first, last in zip(bounds, bounds[1:], strict=False)
    ]
