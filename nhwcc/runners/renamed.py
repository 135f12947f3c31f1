"""A runner under other names: what a user wants inputs and outputs to be called."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import numpy as np

from nhwcc.compiler.dims import solve, static, substitute
from nhwcc.compiler.types import Array, TensorType
from nhwcc.runners import Runner, Traced


class Renamed:
    """Runs ``runner``, whose inputs and outputs have new names here; inputs without a new name get zeros."""

    def __init__(self, runner: Runner, inputs: Mapping[str, str], outputs: Mapping[str, str]) -> None:
        self._runner = runner
        self._inputs = inputs
        self._outputs = outputs

    @property
    def title(self) -> str:
        """The runner's own."""
        return self._runner.title

    @property
    def inputs(self) -> dict[str, TensorType]:
        """The types of the inputs by their new names."""
        return {new: self._runner.inputs[old] for old, new in self._inputs.items()}

    @property
    def outputs(self) -> tuple[str, ...]:
        """The new names of the outputs."""
        return tuple(self._outputs.get(name, name) for name in self._runner.outputs)

    def first(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Ask under the old names."""
        found = self._runner.first(self._given(inputs))
        return {self._inputs[old]: array for old, array in found.items() if old in self._inputs}

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run under the old names."""
        return self._renamed(self._runner.run(self._given(inputs)))

    def run_otherwise(self, inputs: Mapping[str, Array]) -> dict[str, Array] | None:
        """Run under the old names, the other way."""
        found = self._runner.run_otherwise(self._given(inputs))
        return None if found is None else self._renamed(found)

    def trace(self, inputs: Mapping[str, Array], only: Collection[str] | None = None) -> Iterator[Traced]:
        """Give the values inside, whose names stay."""
        return self._runner.trace(self._given(inputs), only)

    def _given(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        given = {old: inputs[new] for old, new in self._inputs.items() if new in inputs}
        types = self._runner.inputs
        sizes: dict[str, int] = {}
        for name, array in given.items():
            for declared, actual in zip(types[name].shape, array.shape, strict=False):
                solve(declared, actual, sizes)
        return {name: given[name] if name in given else _zeros(type, sizes) for name, type in types.items()}

    def _renamed(self, results: Mapping[str, Array]) -> dict[str, Array]:
        return {self._outputs.get(name, name): array for name, array in results.items()}


def _zeros(type: TensorType, sizes: Mapping[str, int]) -> Array:
    """Return zeros; sizes that nothing tells are one."""
    names = {n for d in type.shape if not isinstance(d, int) for n in d.names}
    shape = substitute(type.shape, {name: sizes.get(name, 1) for name in names})
    return np.zeros(static(shape), type.dtype.numpy)
