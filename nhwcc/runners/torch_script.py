"""TorchScript in PyTorch's process: reading a damaged script, converting it or running it may end the process."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from nhwcc.compiler.budget import Budget, limited
from nhwcc.compiler.diagnostics import Remark, collect_remarks
from nhwcc.compiler.types import Array, TensorType
from nhwcc.cut import Cut
from nhwcc.ir_files import write_ir
from nhwcc.runners import Traced
from nhwcc.runners.torch import TorchRunner
from nhwcc.sources.call import Call
from nhwcc.sources.torch import TorchSource


class TorchScript:
    """A script from a file: imported into a file of IR, and run."""

    def __init__(self, path: Path, call: Call) -> None:
        self._source = TorchSource(path, call)
        self._runner: TorchRunner | None = None

    def read(self, cut: Cut, budget: Budget, file: Path) -> list[Remark]:
        """Import the script, write its IR, and return what there is to say about it.

        Raises:
            CompileError: what the frontend finds (R010, F...).
        """
        with limited(budget), collect_remarks() as remarks:
            write_ir(self._source.load(cut), file)
        return remarks

    def open(self, types: Mapping[str, TensorType], outputs: Sequence[str]) -> str:
        """Get ready to run, and return what runs."""
        self._runner = TorchRunner(self._source.exported, types, outputs)
        return self._runner.title

    @property
    def runner(self) -> TorchRunner:
        """What runs the script, once it is open."""
        assert self._runner is not None
        return self._runner

    def first(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """What the script's own tensors are now."""
        return self.runner.first(inputs)

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run the script.

        Raises:
            CompileError: R018.
        """
        return self.runner.run(inputs)

    def run_otherwise(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run the script without PyTorch's fast kernels, which sum in another order."""
        return self.runner.run_otherwise(inputs)

    def trace(self, inputs: Mapping[str, Array], only: Collection[str] | None) -> list[Traced]:
        """Run the graph node by node, and return the tensors of each node."""
        return list(self.runner.trace(inputs, only))
