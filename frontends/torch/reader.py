"""Reading PyTorch: a module on example inputs, or what torch.export has made of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import nn
from torch.export import ExportedProgram
from torch.export.graph_signature import ConstantArgument, InputKind, InputSpec, OutputKind
from torch.fx import Node

from ...compiler.diagnostics import error
from ...compiler.dims import Sym
from ...compiler.ir import Func, Module, Port, Region, Value
from ...compiler.ops.core import Return
from ...compiler.rewrite import erase_dead
from . import ops as _handlers  # noqa: F401 -- registers them  # pyright: ignore[reportUnusedImport]
from .decompose import readable
from .export import DynamicShapes, Exported, constant, export
from .importer import Importer
from .names import output_names
from .sizes import size_value
from .symbols import Symbols
from .tensors import Weights


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
    """Read an exported program; with ``allow_custom_ops`` operators that nobody knows become custom ones.

    Raises:
        CompileError: it is not supported; all problems at once.
    """
    return _Reader(exported, carries=allow_custom_ops).read()


class _Reader:
    def __init__(self, exported: Exported, *, carries: bool) -> None:
        self.exported = exported
        self.program = readable(exported.program)
        self.signature = self.program.graph_signature
        self.symbols = Symbols()
        self.importer = Importer(Region(), self.symbols, Weights(), carries=carries)

    def read(self) -> Module:
        """Build the module."""
        self._inputs()
        results = self.importer.run(self.program.graph)
        self.importer.problems.raise_any()
        values = self._outputs(results)
        names = output_names(self.program)
        region = self.importer.region
        region.insert(Return(tuple(values)))
        erase_dead(*reversed(region.ops))
        inputs = [Port(cast(str, a.name)) for a in region.args]
        return Module(Func("main", region, inputs, [Port(name) for name in names]))

    def _inputs(self) -> None:
        """Make arguments of what the user gives, and constants of the model's own tensors."""
        nodes = list(self.program.graph.find_nodes(op="placeholder"))
        pairs = list(zip(self.signature.input_specs, nodes, strict=True))
        tensors = [n for s, n in pairs if s.kind is InputKind.USER_INPUT and _is_tensor(n)]
        for i, node in enumerate(tensors):
            for axis, size in enumerate(node.meta["val"].shape):
                self.symbols.name(size, self.exported.size(i, axis))
        own = self.exported.inputs or [n.name for n in tensors]
        for node, name in zip(tensors, own, strict=True):
            self.importer.argument_of(node, name)
        for spec, node in pairs:
            if node not in tensors:
                self.importer.values[node] = self._constant(spec, node)

    def _constant(self, spec: InputSpec, node: Node) -> Any:
        """Return what an input is that the user does not give: one of the model's tensors, or a number."""
        if spec.kind is InputKind.USER_INPUT and not isinstance(spec.arg, ConstantArgument):
            return self.symbols.dim(node.meta["val"])
        if not node.users or spec.kind is InputKind.TOKEN:
            return None
        found = constant(self.program, spec)
        return self.importer.constant(cast(str, spec.target), found) if isinstance(found, torch.Tensor) else found

    def _outputs(self, results: Sequence[Any]) -> list[Value]:
        specs = self.signature.output_specs
        changed = [str(s.target) for s in specs if s.kind is OutputKind.BUFFER_MUTATION]
        if changed:
            raise error(
                "F031",
                f"running the model changes its buffers {', '.join(changed[:3])}",
                help="Call .eval() before; a state that must be kept is best taken as input and returned as output.",
            )
        given = [r for r, s in zip(results, specs, strict=True) if s.kind is OutputKind.USER_OUTPUT]
        return [self._value(r) for r in given]

    def _value(self, result: Any) -> Value:
        """Return an output as a tensor: sizes and numbers can be outputs, too."""
        if isinstance(result, Value):
            return result
        if isinstance(result, int | Sym):
            return size_value(lambda op: self.importer.region.insert(op).result, result, self.importer.inputs)
        raise error("F032", f"an output is {result!r}, which is no tensor", help="Return tensors only.")


def _is_tensor(node: Node) -> bool:
    return isinstance(node.meta.get("val"), torch.Tensor)
