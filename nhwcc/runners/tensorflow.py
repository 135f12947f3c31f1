"""TensorFlow as a runner, in a process of its own: it prints much, and takes seconds to be imported."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nhwcc.compiler.ops.shape import inverse
from nhwcc.compiler.types import Array, TensorType
from nhwcc.runners import Traced
from nhwcc.runners.libraries import TENSORFLOW
from nhwcc.runners.worker import InWorker, Worker

if TYPE_CHECKING:
    from nhwcc.frontends.tensorflow import Program

SESSION = ("nhwcc.runners.tensorflow_session", "TensorflowSession")


def is_available() -> bool:
    """Whether TensorFlow is installed; it is not imported to find out."""
    return find_spec("tensorflow") is not None


class TensorflowRunner(InWorker):
    """Runs what was imported of a model by TensorFlow itself, under the names that the import gave."""

    title_of_runtime = "TensorFlow"
    session = SESSION

    def __init__(self, path: Path, program: Program) -> None:
        self._program = program
        func = program.module.main
        self._types = {p.name: p.source_type(arg.type) for p, arg in zip(func.inputs, func.args, strict=True)}
        self._perms = {p.name: p.perm for p in func.inputs}
        self._back = {p.name: None if p.perm is None else inverse(p.perm) for p in func.outputs}
        self._worker = Worker(TENSORFLOW)
        self._worker.make(*self.session, path, tuple(program.tags))

    @property
    def title(self) -> str:
        """Name and version of the runtime, for reports."""
        return f"{self.title_of_runtime} {self._worker.call('version')}"

    @property
    def inputs(self) -> dict[str, TensorType]:
        """Types in the source's layout, by the names of the module's inputs."""
        return dict(self._types)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names that the module's outputs have."""
        return tuple(self._program.outputs)

    def first(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """No input is a state."""
        return {}

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run the graph.

        Raises:
            CompileError: R018, TensorFlow refuses the inputs; R019, it ends its process.
        """
        results = self._worker.call("run", list(self._program.outputs.values()), self._fed(inputs))
        pairs = zip(self._program.outputs, results, strict=True)
        return {name: _turned(array, self._back[name]) for name, array in pairs}

    def run_otherwise(self, inputs: Mapping[str, Array]) -> None:
        """TensorFlow is asked for one order of computing only."""

    def trace(self, inputs: Mapping[str, Array], only: Collection[str] | None = None) -> Iterator[Traced]:
        """Run for the tensors of the graph itself; those inside of functions can't be asked for.

        What the outputs don't need is left alone: it may have effects.
        """
        kinds: Mapping[str, str] = self._worker.call("tensors")
        wanted = [name for name in kinds if name in self._program.nodes and (only is None or name in only)]
        results: list[Any] = self._worker.call("run", [f"{name}:0" for name in wanted], self._fed(inputs))
        for name, array in zip(wanted, results, strict=True):
            yield Traced(name, kinds[name], array)

    def _fed(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        there = [name for name in self._types if name in inputs]
        return {self._program.inputs[name]: _turned(inputs[name], self._perms[name]) for name in there}


def _turned(array: Array, perm: tuple[int, ...] | None) -> Array:
    return array if perm is None else np.asarray(array).transpose(perm)
