"""The import hook: what it renames, and that it leaves torch alone."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest
import torch

from tests.paths import PROJECT
from training.megatron_on_cpu import rename_device

SOURCE = '''"""Docstring."""
from __future__ import annotations
import torch
import torch.cuda.nvtx
from torch.cuda import FloatTensor as F
a = torch.empty(1, device=torch.cuda.current_device())
b = torch.empty(1, device="cuda").cuda(non_blocking=True)
c = torch.empty(1, device="cuda:3", pin_memory=True)
d = "torch.cuda.HalfTensor", "cudagraph", "cuda:x"
'''


def test_renames() -> None:
    tree = rename_device(SOURCE, "x.py")
    text = ast.unparse(tree)
    assert (
        text
        == '''"""Docstring."""
from __future__ import annotations
import training.cuda_on_cpu as __cuda_on_cpu__
import torch
import training.cuda_on_cpu as nvtx
from training.cuda_on_cpu import FloatTensor as F
a = torch.empty(1, device=__cuda_on_cpu__.current_device())
b = torch.empty(1, device='cpu').cpu()
c = torch.empty(1, device='cpu', pin_memory=False)
d = ('torch.HalfTensor', 'cudagraph', 'cuda:x')'''
    )


def test_too_late_is_an_error() -> None:
    program = (
        "import sys, types; sys.modules['megatron.core'] = types.ModuleType('megatron.core')\nfrom training import"
        " megatron_on_cpu"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=False)
    if torch.cuda.is_available():
        pytest.skip("the hook is not used where there is a GPU")
    assert done.returncode != 0
    assert "import `training` first" in done.stderr


def test_torch_is_left_alone() -> None:
    import megatron.core.tensor_parallel.layers as layers

    import training.cuda_on_cpu as stand_in

    assert torch.cuda.current_device is not stand_in.current_device
    if not torch.cuda.is_available():
        assert layers.__cuda_on_cpu__ is stand_in
        with pytest.raises(AttributeError, match="CUDAGraph"):
            _ = stand_in.CUDAGraph  # type: ignore[attr-defined]
