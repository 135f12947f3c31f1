"""The reference interpreter as a runner: slow, which needs no library but numpy."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from nhwcc.compiler.diagnostics import error
from nhwcc.compiler.interpreter import Observer, run
from nhwcc.compiler.ir import Module, Op, Port
from nhwcc.compiler.ops.core import Const
from nhwcc.compiler.ops.shape import inverse
from nhwcc.compiler.types import Array, TensorType
from nhwcc.compiler.weights import Weight
from nhwcc.runners import Traced


class ReferenceRunner:
    """Runs the main function of a module at any stage of compilation."""

    title = "the reference interpreter"

    def __init__(self, module: Module) -> None:
        self._func = module.main

    @property
    def inputs(self) -> dict[str, TensorType]:
        """The types of the arguments, in the source's layout."""
        return {
            port.name: port.source_type(arg.type) for port, arg in zip(self._func.inputs, self._func.args, strict=True)
        }

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the outputs."""
        return tuple(port.name for port in self._func.outputs)

    def first(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """No input is known to be a state."""
        return {}

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Evaluate every operation with its own numpy semantics."""
        return self._run(inputs)

    def run_otherwise(self, inputs: Mapping[str, Array]) -> None:
        """There is one way."""

    def trace(self, inputs: Mapping[str, Array], only: Collection[str] | None = None) -> Iterator[Traced]:
        """Evaluate, and keep what has a name."""
        seen: list[Traced] = []

        def observe(op: Op, results: Sequence[Array]) -> None:
            for value, array in () if isinstance(op, Const) else zip(op.results, results, strict=True):
                if value.name and (only is None or value.name in only):
                    seen.append(Traced(value.name, op.spec.name, array))

        self._run(inputs, observe)
        yield from seen

    def _run(self, inputs: Mapping[str, Array], observe: Observer | None = None) -> dict[str, Array]:
        stored = {
            port.name: inputs[port.name].transpose(port.perm or range(inputs[port.name].ndim))
            for port in self._func.inputs
            if port.name in inputs
        }
        try:
            results = run(self._func, stored, observe)
        except (ValueError, IndexError) as bad:
            raise error("R018", f"the reference interpreter refuses the inputs: {bad}") from bad
        return {
            port.name: array.transpose(_back(port, array.ndim))
            for port, array in zip(self._func.outputs, results, strict=True)
        }


class Stepwise(ReferenceRunner):
    """Runs a module whose variables became inputs and outputs; these begin with what ``states`` say."""

    def __init__(self, module: Module, states: Mapping[str, Weight]) -> None:
        super().__init__(module)
        self._states = states

    def first(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Return what the variables hold at first."""
        return {name: weight.array() for name, weight in self._states.items()}


def _back(port: Port, rank: int) -> tuple[int, ...]:
    """The permutation from the stored axes to the source's."""
    return tuple(range(rank)) if port.perm is None else inverse(port.perm)
