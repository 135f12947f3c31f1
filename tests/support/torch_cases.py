"""What the tests of this frontend share: run a module in PyTorch, in the interpreter and as TFLite, and compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from nhwcc.compiler.interpreter import run
from nhwcc.compiler.ir import Module
from nhwcc.compiler.types import Array
from nhwcc.compiler.verify import verify
from nhwcc.frontends.torch import import_torch, to_array
from torch import Tensor, nn
from torch.utils import _pytree as pytree


class Function(nn.Module):
    """A function as a module."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function

    def forward(self, *args: Tensor) -> Any:
        return self.function(*args)


def honest(module: nn.Module, seed: int = 0) -> nn.Module:
    """Give norms parameters and statistics that matter, and weights that are all alike other ones; evaluate."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for part in module.modules():
            if "Norm" in type(part).__name__:
                for name, tensor in (*part.named_parameters(recurse=False), *part.named_buffers(recurse=False)):
                    if tensor.is_floating_point():
                        low = 0.5 if name.endswith(("weight", "var")) else -0.5
                        tensor.uniform_(low, low + 1, generator=generator)
        for name, tensor in module.named_parameters():
            if tensor.numel() > 1 and float(tensor.detach().float().std()) < 1e-3:
                tensor.uniform_(-0.5, 0.5, generator=generator)
            elif "scale" in name or "gamma" in name:
                tensor.uniform_(0.5, 1.0, generator=generator)
    return module.eval()


def outputs(module: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any] | None = None) -> list[Array]:
    with torch.no_grad():
        leaves = pytree.tree_leaves(module(*args, **(kwargs or {})))
    return [to_array(v) if isinstance(v, torch.Tensor) else np.asarray(v) for v in leaves if v is not None]


def close(want: Array, got: Array, tolerance: float = 2e-6) -> None:
    assert want.shape == got.shape
    assert want.dtype == got.dtype
    scale = float(np.abs(want[np.isfinite(want)]).max(initial=1e-6)) if want.dtype.kind in "fc" else 1.0
    np.testing.assert_allclose(got, want, rtol=0, atol=tolerance * scale if want.dtype.kind in "fc" else 0)


def check(module: nn.Module, *args: Any, dynamic_shapes: Any = None, tolerance: float = 2e-6) -> Module:
    """Import, verify, run in the interpreter on the same inputs, compare with PyTorch."""
    want = outputs(module, args)
    imported = import_torch(module, args, dynamic_shapes=dynamic_shapes)
    verify(imported)
    given = [to_array(a) for a in pytree.tree_leaves(args) if isinstance(a, torch.Tensor)]
    got = run(imported.main, given)
    assert len(want) == len(got)
    for a, b in zip(want, got, strict=True):
        close(a, b, tolerance)
    return imported
