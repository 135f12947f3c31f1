"""Reading PyTorch: a module on example inputs, or what torch.export has made of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import nn
from torch.export import ExportedProgram
from torch.export.graph_signature import ConstantArgument, InputKind, InputSpec, OutputKind
from torch.fx import Node

from ...compiler.diagnostics import Remark, error, remark
from ...compiler.dims import Sym
from ...compiler.ir import Func, Module, Port, Region, Value
from ...compiler.ops.core import Return
from ...compiler.rewrite import erase_dead
from ...compiler.states import state_names
from . import ops as _handlers  # noqa: F401 -- registers them  # pyright: ignore[reportUnusedImport]
from .complex import Complex
from .export import DynamicShapes, Exported, constant, export
from .importer import Importer
from .names import output_names
from .sizes import size_value
from .symbols import Symbols
from .tensors import Weights

STATE_HELP = 'With state="io" (--state io), a state is an input and an output: feed back what comes out.'


def import_torch(
    model: nn.Module | ExportedProgram,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    dynamic_shapes: DynamicShapes = None,
) -> Module:
    """Read a module as it runs on ``args`` and ``kwargs``, or a program that torch.export has made.

    ``dynamic_shapes`` says which sizes stay open, in the form that torch.export takes.

    Raises:
        CompileError: the model can't be exported (F030) or is not supported; all problems at once.
    """
    if isinstance(model, ExportedProgram):
        return read(Exported.of(model))
    return read(export(model, args, kwargs, dynamic_shapes))


def read(exported: Exported, *, allow_custom_ops: bool = False) -> Module:
    """Read an exported program; with ``allow_custom_ops`` unknown operators become custom ones.

    Raises:
        CompileError: it is not supported; all problems at once.
    """
    return _Reader(exported, carries=allow_custom_ops).read()


class _Reader:
    def __init__(self, exported: Exported, *, carries: bool) -> None:
        self.exported = exported
        self.program = exported.readable
        self.signature = self.program.graph_signature
        self.symbols = Symbols()
        self.importer = Importer(Region(), self.symbols, Weights(), carries=carries)
        self.states: list[str] = []

    def read(self) -> Module:
        """Build the module."""
        self._check_state()
        self._inputs()
        results = self.importer.run(self.program.graph)
        self.importer.problems.raise_any()
        values = self._outputs(results)
        names = self._output_names()
        region = self.importer.region
        region.insert(Return(tuple(values)))
        erase_dead(*reversed(region.ops))
        inputs = [Port(cast(str, a.name)) for a in region.args]
        return Module(Func("main", region, inputs, [Port(name) for name in names]))

    def _check_state(self) -> None:
        """Refuse a model that changes itself, unless what it changes becomes inputs and outputs.

        Raises:
            CompileError: F031.
        """
        changed = self.exported.states
        if changed and not self.exported.keeps_state:
            help = STATE_HELP if not self.exported.module.training else f"Call .eval() before. {STATE_HELP}"
            text = f"running the model changes its buffers {', '.join(changed[:3])}{', ...' if changed[3:] else ''}"
            raise error("F031", text, help=help)
        if self.exported.overwritten and not self.exported.keeps_state:
            names = ", ".join(self._tensors()[i].name for i in self.exported.overwritten)
            remark(
                Remark("warning", "import", f"the model overwrites {names}; what is compiled does not. {STATE_HELP}")
            )

    def _tensors(self) -> list[Node]:
        """The inputs that the user gives."""
        nodes = self.program.graph.find_nodes(op="placeholder")
        pairs = zip(self.signature.input_specs, nodes, strict=True)
        return [n for s, n in pairs if s.kind is InputKind.USER_INPUT and _is_tensor(n)]

    def _inputs(self) -> None:
        """Make arguments of what the user gives and of states, and constants of the model's own tensors."""
        nodes = list(self.program.graph.find_nodes(op="placeholder"))
        specs = dict(zip(nodes, self.signature.input_specs, strict=True))
        tensors = self._tensors()
        for i, node in enumerate(tensors):
            for axis, size in enumerate(node.meta["val"].shape):
                self.symbols.name(size, self.exported.size(i, axis))
        own = [*(self.exported.inputs or [n.name for n in tensors])]
        states = [node for node in nodes if specs[node].target in self.exported.states]
        self.states = state_names(self.exported.states, [*own, *output_names(self.program)])
        for node, name in zip([*tensors, *states], [*own, *self.states], strict=True):
            if node.meta["val"].is_complex():
                help = "Take a real tensor whose last axis has two positions, and torch.view_as_complex of it."
                raise error("F003", f"the input {name} has complex elements", help=help)
            self.importer.argument_of(node, name)
        for node, spec in specs.items():
            if node not in tensors and node not in states:
                self.importer.values[node] = self._constant(spec, node)

    def _output_names(self) -> list[str]:
        """What outputs are called; states as the inputs that they are."""
        own = output_names(self.program)
        if not self.exported.keeps_state:
            return own
        overwritten = [self._tensors()[i].name for i in self.exported.overwritten]
        return [*own, *state_names(overwritten, [*own, *self.states]), *self.states]

    def _constant(self, spec: InputSpec, node: Node) -> Any:
        """Return what an input is that the user does not give: one of the model's tensors, or a number."""
        if spec.kind is InputKind.USER_INPUT and not isinstance(spec.arg, ConstantArgument):
            return self.symbols.dim(node.meta["val"])
        if not node.users or spec.kind is InputKind.TOKEN:
            return None
        found = constant(self.program, spec)
        return self.importer.constant(cast(str, spec.target), found) if isinstance(found, torch.Tensor) else found

    def _outputs(self, results: Sequence[Any]) -> list[Value]:
        pairs = list(zip(results, self.signature.output_specs, strict=True))
        own = [r for r, s in pairs if s.kind is OutputKind.USER_OUTPUT]
        changed = {s.target: r for r, s in pairs if s.kind is not OutputKind.USER_OUTPUT}
        if not self.exported.keeps_state:
            return [self._value(r) for r in own]
        targets = [*(self._tensors()[i].name for i in self.exported.overwritten), *self.exported.states]
        return [self._value(r) for r in (*own, *(changed[t] for t in targets))]

    def _value(self, result: Any) -> Value:
        """Return an output as a tensor: sizes and numbers can be outputs, too."""
        if isinstance(result, Value):
            return result
        if isinstance(result, int | Sym):
            tell = (self.importer.inputs, self.importer.symbols.bound)
            return size_value(lambda op: self.importer.region.insert(op).result, result, *tell)
        if isinstance(result, Complex):
            help = "Return torch.view_as_real(x), or x.real and x.imag."
            raise error("F003", "an output has complex elements", help=help)
        raise error("F032", f"an output is {result!r}, which is not a tensor", help="Return tensors only.")


def _is_tensor(node: Node) -> bool:
    return isinstance(node.meta.get("val"), torch.Tensor)
