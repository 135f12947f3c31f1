"""Sources whose recurrent layers go on where the last call ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nhwcc.compiler.clone import clone_module
from nhwcc.compiler.diagnostics import Remark, remark
from nhwcc.compiler.ir import Func, Module
from nhwcc.compiler.states import expose_states
from nhwcc.compiler.types import TensorType
from nhwcc.cut import Cut

if TYPE_CHECKING:
    from nhwcc.runners import Runner
    from nhwcc.sources import Source


@dataclass
class Streaming:
    """A source with the states of its recurrent layers as inputs and outputs; it is loaded before it is run."""

    source: Source

    @property
    def title(self) -> str:
        """The source's own."""
        return self.source.title

    def load(self, cut: Cut) -> Module:
        """Read the source, and make inputs and outputs of states.

        Raises:
            CompileError: what the source raises.
        """
        module = self.source.load(cut)
        self._first = expose_states(module.main)
        self._module = clone_module(module)
        outputs = {port.name for port in module.main.outputs}
        if not any(port.name in outputs for port in module.main.inputs):
            remark(Remark("warning", "state", "nothing in the model keeps a state that could become an input"))
        return module

    def files(self, module: Module) -> list[Path]:
        """The source's own."""
        return self.source.files(module)

    def runner(self, cut: Cut, types: Mapping[str, TensorType], outputs: Sequence[str], stack: ExitStack) -> Runner:
        """Return what runs the source from its first states, and the reference interpreter for all else."""
        from nhwcc.runners.stateful import Stateful

        states = _states(self._first)
        own = {name: type for name, type in types.items() if name not in states}
        runner = self.source.runner(cut, own, [name for name in outputs if name not in states], stack)
        return Stateful(runner, self._module, self._first) if states else runner

    def open(self, stack: ExitStack) -> Runner:
        """Return what runs the source itself."""
        return self.source.open(stack)


def _states(first: Func) -> list[str]:
    return [port.name for port in first.outputs]
