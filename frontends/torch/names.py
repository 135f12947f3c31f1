"""Names of a program's outputs, derived from the containers in which the module returns them."""

from __future__ import annotations

import re
from typing import Any

import torch
from torch.export import ExportedProgram
from torch.export.graph_signature import OutputKind
from torch.utils import _pytree as pytree


def output_names(program: ExportedProgram) -> list[str]:
    """Return names of the outputs: keys of dictionaries and fields of classes, numbers where there are none.

    One that is alone and has no key is called ``output``.
    """
    spec = program.call_spec.out_spec
    kinds = [s.kind for s in program.graph_signature.output_specs]
    count = kinds.count(OutputKind.USER_OUTPUT)
    if spec is None:
        return _numbered(count)
    stands_for = [torch.empty(0)] * spec.num_leaves  # objects are taken apart by where they hold tensors
    leaves = pytree.tree_leaves_with_path(pytree.tree_unflatten(stands_for, spec))
    texts = [_text(path) for path, _ in leaves]
    if len(texts) != count or len(set(texts)) != len(texts):
        return _numbered(count)
    return [t if not t or not t[0].isdigit() else f"output_{t}" for t in texts] if texts != [""] else ["output"]


def _numbered(count: int) -> list[str]:
    return ["output"] if count == 1 else [f"output_{i}" for i in range(count)]


def _text(path: tuple[Any, ...]) -> str:
    """Write a path through containers as one word.

    >>> _text((pytree.MappingKey("boxes"), pytree.SequenceKey(0)))
    'boxes_0'
    """
    words = [str(getattr(p, "key", getattr(p, "name", getattr(p, "idx", "")))) for p in path]
    return "_".join(re.sub(r"\W+", "_", w) for w in words)
