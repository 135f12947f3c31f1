"""TorchScript as a source: PyTorch reads, converts and runs it in a process of its own."""

from __future__ import annotations

import weakref
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from nhwcc.compiler.budget import budget
from nhwcc.compiler.diagnostics import Remark, remark
from nhwcc.compiler.ir import Module
from nhwcc.compiler.ops.core import Const
from nhwcc.compiler.parser import read_module
from nhwcc.compiler.types import Array, TensorType
from nhwcc.compiler.workload import check_run
from nhwcc.contents import Content
from nhwcc.cut import Cut
from nhwcc.files import scratch
from nhwcc.named import require_torch
from nhwcc.runners import Runner, Traced
from nhwcc.runners.bounded import Bounded
from nhwcc.runners.reference import ReferenceRunner
from nhwcc.runners.worker import InWorker, Worker
from nhwcc.sources.call import Call

SESSION = ("nhwcc.runners.torch_script", "TorchScript")


def is_script(path: Path) -> bool:
    """Say whether a file may hold TorchScript, without importing PyTorch."""
    members = Content.of(path).members
    return any(name.startswith("code/") or name.partition("/")[2].startswith("code/") for name in members)


class ScriptSource:
    """The file of a script.

    What is imported comes back as IR in a temporary folder, whose weights are mapped: this process never imports
    PyTorch.
    """

    def __init__(self, given: Path, call: Call) -> None:
        self._path = given
        self._call = call
        self._worker: Worker | None = None
        self._closing: weakref.finalize[[], ScriptSource] | None = None

    @property
    def title(self) -> str:
        """The path."""
        return str(self._path)

    def load(self, cut: Cut) -> Module:
        """Let PyTorch convert the script, and read what comes out.

        Raises:
            CompileError: what the frontend finds (R010, F...); R019, the script ends PyTorch's process.
        """
        require_torch()
        with scratch() as folder:
            file = folder.path / "script.ir"
            for said in self._session().call("read", cut, budget(), file):
                remark(said)
            module = read_module(file)
            for op in module.walk():
                if isinstance(op, Const) and op.value.source is not None:
                    op.value.source.read(0, np.dtype(np.uint8), (1,))  # what is mapped outlives the folder
        return module

    def files(self, module: Module) -> list[Path]:
        """The file; the weights that were read lie in no other."""
        return [self._path]

    def runner(self, cut: Cut, types: Mapping[str, TensorType], outputs: Sequence[str], stack: ExitStack) -> Runner:
        """Return PyTorch for a whole model, else the reference interpreter on what is imported anew."""
        if cut.inputs or cut.outputs:
            remark(Remark("warning", "verify", "verified against the reference interpreter: PyTorch runs whole models"))
            return ReferenceRunner(self.load(cut))
        if self._worker is None:
            self.load(cut)
        return stack.enter_context(ScriptRunner(self._handed_over(), types, outputs))

    def open(self, stack: ExitStack) -> Runner:
        """Return PyTorch, once it is known what a run costs."""
        func = self.load(Cut()).main
        check_run(func)
        types = {port.name: arg.type for port, arg in zip(func.inputs, func.args, strict=True)}
        return Bounded(self.runner(Cut(), types, [port.name for port in func.outputs], stack), func)

    def _session(self) -> Worker:
        """Return the process that reads the script; it ends with this source, unless a runner has it."""
        if self._worker is None:
            self._worker = Worker(SESSION[0], runtime="PyTorch")
            self._closing = weakref.finalize(self, self._worker.close)
            self._worker.make(*SESSION, self._path, self._call)
        return self._worker

    def _handed_over(self) -> Worker:
        """Return the process that has read the script to whoever ends it."""
        worker = self._session()
        assert self._closing is not None
        self._closing.detach()
        self._worker = self._closing = None
        return worker


class ScriptRunner(InWorker):
    """Runs a script that its process has read."""

    def __init__(self, worker: Worker, types: Mapping[str, TensorType], outputs: Sequence[str]) -> None:
        self._worker = worker
        self._types = dict(types)
        self._outputs = tuple(outputs)
        self._title: str = worker.call("open", self._types, self._outputs)

    @property
    def title(self) -> str:
        """PyTorch with its version."""
        return self._title

    @property
    def inputs(self) -> dict[str, TensorType]:
        """The types of the inputs."""
        return dict(self._types)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the outputs."""
        return self._outputs

    def first(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """What the script's own tensors are now, which running it overwrites."""
        return self._worker.call("first", dict(inputs))

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run the script.

        Raises:
            CompileError: R018, PyTorch refuses the inputs; R019, it ends its process.
        """
        return self._worker.call("run", dict(inputs))

    def run_otherwise(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run the script without PyTorch's fast kernels, which sum in another order."""
        return self._worker.call("run_otherwise", dict(inputs))

    def trace(self, inputs: Mapping[str, Array], only: Collection[str] | None = None) -> Iterator[Traced]:
        """Run the graph node by node, and yield the tensors of each node."""
        yield from self._worker.call("trace", dict(inputs), only)
