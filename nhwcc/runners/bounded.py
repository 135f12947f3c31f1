"""A runner that looks at what a run would cost before it begins."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from nhwcc.compiler.budget import check_time
from nhwcc.compiler.dims import Shape, solve
from nhwcc.compiler.ir import Func
from nhwcc.compiler.types import Array, TensorType
from nhwcc.compiler.workload import check_run
from nhwcc.runners import Runner, Traced


def _refines(shape: Shape, type: TensorType) -> bool:
    """Whether a shape is that of a type, with more known of open sizes."""
    return len(shape) == type.rank and all(
        not isinstance(own, int) or size == own for size, own in zip(shape, type.shape, strict=True)
    )


class Bounded:
    """Runs ``runner`` where ``func``, which computes the same, keeps within the budget.

    Raises:
        CompileError: M003 or M007, from every method that runs.
    """

    def __init__(self, runner: Runner, func: Func) -> None:
        self._runner = runner
        self._func = func

    @property
    def func(self) -> Func:
        """The function that the wrapped runner computes, whose memory is estimated before each run."""
        return self._func

    @property
    def inner(self) -> Runner:
        """The wrapped runner, for those that need to know its kind."""
        return self._runner

    @property
    def title(self) -> str:
        """Name and version of the wrapped runner."""
        return self._runner.title

    @property
    def inputs(self) -> Mapping[str, TensorType]:
        """Types of the wrapped runner's inputs, by name, with all that the network demands of their sizes.

        A runner may have another layout than what was read: then its own sizes count.
        """
        ports = zip(self._func.inputs, self._func.args, strict=True)
        demanded = {port.name: port.source_type(arg.type).shape for port, arg in ports}
        found = ((name, type, demanded.get(name, ())) for name, type in self._runner.inputs.items())
        return {name: type.with_shape(shape) if _refines(shape, type) else type for name, type, shape in found}

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the wrapped runner's outputs."""
        return self._runner.outputs

    def first(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """Ask the runner."""
        return self._runner.first(inputs)

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Check, and run."""
        self._check(inputs)
        return self._runner.run(inputs)

    def run_otherwise(self, inputs: Mapping[str, Array]) -> dict[str, Array] | None:
        """Check, and run the other way."""
        self._check(inputs)
        return self._runner.run_otherwise(inputs)

    def trace(self, inputs: Mapping[str, Array], only: Collection[str] | None = None) -> Iterator[Traced]:
        """Check, and run for what is inside."""
        self._check(inputs)
        return self._runner.trace(inputs, only)

    def _check(self, inputs: Mapping[str, Array]) -> None:
        check_time("verification")
        sizes: dict[str, int] = {}
        for name, type in self.inputs.items():
            for declared, actual in zip(type.shape, inputs[name].shape if name in inputs else (), strict=False):
                solve(declared, actual, sizes)
        check_run(self._func, sizes)
