"""Inputs and outputs as a written file has them, beside how the source has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nhwcc.compiler.dims import parse_dim
from nhwcc.compiler.ops.shape import inverse
from nhwcc.compiler.types import Array, TensorType
from nhwcc.formats.layout import Layout


@dataclass(frozen=True)
class StoredInterface:
    """What a file has: ``types`` of its inputs, and if its metadata say it, the ``layout`` of the source's axes."""

    types: Mapping[str, TensorType]
    layout: Layout | None

    @property
    def inputs(self) -> dict[str, TensorType]:
        """The types of the inputs as the source has them, where the metadata say it."""
        return {name: self._type(name, type) for name, type in self.types.items()}

    def store(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Return inputs with their axes in the file's order; names that the file lacks are left out."""
        given = {name: np.asarray(array) for name, array in inputs.items() if name in self.types}
        return {name: array.transpose(self._perm("inputs", name, array.ndim)) for name, array in given.items()}

    def restore(self, outputs: Mapping[str, Array]) -> dict[str, Array]:
        """Return outputs of the file with their axes in the source's order."""
        return {n: a.transpose(inverse(self._perm("outputs", n, a.ndim))) for n, a in outputs.items()}

    def _perm(self, side: str, name: str, rank: int) -> tuple[int, ...]:
        perm: Sequence[int] | None = (self.layout or {}).get(side, {}).get(name, {}).get("perm")
        return tuple(range(rank)) if perm is None else tuple(perm)

    def _type(self, name: str, type: TensorType) -> TensorType:
        declared: Sequence[int | str] | None = (self.layout or {}).get("inputs", {}).get(name, {}).get("shape")
        if declared is None:
            return type
        return type.with_shape(tuple(d if isinstance(d, int) else parse_dim(d) for d in declared))
