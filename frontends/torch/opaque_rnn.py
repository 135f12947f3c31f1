"""Recurrent layers during export: told their results' shapes, PyTorch need not run them step by step.

It would do so on tensors without elements, once for every step, and fix the number of steps by that.
"""

# operators and their kernels are untyped
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
import torch._decomp
from torch import Tensor


def _layer(
    input: Tensor,
    hx: Tensor | Sequence[Tensor],
    params: Sequence[Tensor],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
    batch_first: bool,
) -> tuple[Tensor, ...]:
    """Give the results of a layer their shapes."""
    return _results(input, hx, bidirectional)


def _packed(
    data: Tensor,
    batch_sizes: Tensor,
    hx: Tensor | Sequence[Tensor],
    params: Sequence[Tensor],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
) -> tuple[Tensor, ...]:
    """Give the results of a layer on packed sequences their shapes."""
    return _results(data, hx, bidirectional)


def _results(x: Tensor, hx: Tensor | Sequence[Tensor], bidirectional: bool) -> tuple[Tensor, ...]:
    states = [hx] if isinstance(hx, Tensor) else list(hx)
    size = states[0].shape[-1] * (2 if bidirectional else 1)
    return x.new_empty((*x.shape[:-1], size)), *(torch.empty_like(s) for s in states)


KINDS: dict[str, Callable[..., tuple[Tensor, ...]]] = {"input": _layer, "data": _packed}
"""Overloads that stay whole, each with what tells the shapes."""


@contextmanager
def whole_layers() -> Generator[None, None, None]:
    """Let recurrent layers pass an export, or the writing of a program anew, without being run.

    The first asks the operator itself how to run it step by step, the second a table.
    """
    key: Any = torch._C.DispatchKey.CompositeImplicitAutograd  # pyright: ignore[reportPrivateUsage]
    table: dict[Any, Any] = getattr(torch._decomp, "decomposition_table")  # noqa: B009 -- its type is only partly known
    saved: list[tuple[Any, dict[Any, Any], Any]] = []
    try:
        for name in ("lstm", "gru", "rnn_tanh", "rnn_relu"):
            for overload, shapes in KINDS.items():
                operator: Any = getattr(getattr(torch.ops.aten, name), overload)
                saved.append((operator, dict(operator.py_kernels), table[operator]))
                table[operator] = shapes
                _set(operator, operator.py_kernels | {key: shapes})
        yield
    finally:
        for operator, kernels, decomposition in saved:
            table[operator] = decomposition
            _set(operator, kernels)


def _set(operator: Any, kernels: dict[Any, Any]) -> None:
    """Give an operator other kernels; it forgets which ones it has found before."""
    operator.py_kernels.clear()
    operator.py_kernels.update(kernels)
    operator._dispatch_cache.clear()
