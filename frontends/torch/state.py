"""Tensors of a module that running it replaces."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn


@contextmanager
def assignments_as_writes(model: nn.Module) -> Generator[None, None, None]:
    """Let ``self.state = new`` in a module write to the tensor that was there, if it is a buffer.

    PyTorch's export sees such assignments in the outermost module only, and drops the others without a word.
    """
    before: dict[nn.Module, dict[str, torch.Tensor]] = {}

    def enter(module: nn.Module, _: Any) -> None:
        before[module] = {name: b for name, b in module.named_buffers(recurse=False)}

    def leave(module: nn.Module, _: Any, __: Any) -> None:
        for name, old in before.pop(module).items():
            new = getattr(module, name)
            if new is not old and isinstance(new, torch.Tensor) and new.shape == old.shape:
                old.copy_(new)
                setattr(module, name, old)

    holders = [m for m in model.modules() if any(True for _ in m.buffers(recurse=False))]
    plain = [m for m in holders if not isinstance(m, torch.jit.ScriptModule)]
    handles = [h for m in plain for h in (m.register_forward_pre_hook(enter), m.register_forward_hook(leave))]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
