"""A runner of a source whose states became inputs and outputs, which its own runtime knows nothing of."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import numpy as np

from nhwcc.compiler.interpreter import run
from nhwcc.compiler.ir import Func, Module
from nhwcc.compiler.types import Array, TensorType
from nhwcc.runners import Runner, Traced
from nhwcc.runners.reference import ReferenceRunner


class Stateful:
    """From first states, the source's runner gives its outputs; all else comes from the reference interpreter.

    ``module`` is what was imported, with the states; ``first`` computes what they are in a first call.
    """

    def __init__(self, source: Runner, module: Module, first: Func) -> None:
        self._source = source
        self._reference = ReferenceRunner(module)
        self._first = first

    @property
    def title(self) -> str:
        """Both runners, and what each is asked."""
        return f"{self._source.title}, with states by {self._reference.title}"

    @property
    def inputs(self) -> dict[str, TensorType]:
        """The types of the inputs, states among them."""
        return self._reference.inputs

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the outputs, states among them."""
        return self._reference.outputs

    def first(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Compute what the states are in a first call, and ask the source for its own."""
        given = {port.name: inputs[port.name] for port in self._first.inputs}
        begin = [np.array(array) for array in run(self._first, given)]
        names = [port.name for port in self._first.outputs]
        return {**self._source.first(inputs), **dict(zip(names, begin, strict=True))}

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run the interpreter, from first states the source as well."""
        found = self._reference.run(inputs)
        return found | self._source.run(self._own(inputs)) if self._begins(inputs) else found

    def run_otherwise(self, inputs: Mapping[str, Array]) -> dict[str, Array] | None:
        """Run the source otherwise, if it has a part in the results."""
        other = self._source.run_otherwise(self._own(inputs)) if self._begins(inputs) else None
        return None if other is None else self._reference.run(inputs) | other

    def trace(self, inputs: Mapping[str, Array], only: Collection[str] | None = None) -> Iterator[Traced]:
        """Give the values inside of what ran."""
        if self._begins(inputs):
            return self._source.trace(self._own(inputs), only)
        return self._reference.trace(inputs, only)

    def _own(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        return {name: array for name, array in inputs.items() if name in self._source.inputs}

    def _begins(self, inputs: Mapping[str, Array]) -> bool:
        names = [port.name for port in self._first.outputs]
        first = self.first(inputs)
        return all(np.array_equal(first[name], inputs[name]) for name in names)
