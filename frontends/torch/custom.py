"""Unknown operators, kept as custom ones: torch.library's, and those of other libraries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import fx

from ...compiler.diagnostics import error
from ...compiler.dims import Sym
from ...compiler.ir import Value
from ...compiler.ops.custom import Custom
from .emitter import Emitter
from .nodes import each, overload_name, schema, stated


@dataclass(frozen=True)
class Carried:
    """Stands for the handler of an operator without one.

    Tensors become operands, one after the other; everything else is told to the kernel by the schema's names, also what
    the call leaves to its default, and of a list of tensors how many there are.
    """

    node: fx.Node

    @property
    def sizes_by_data(self) -> bool:
        """Whether elements may decide about the sizes of the results, which are tensors."""
        return all(isinstance(result, torch.Tensor) for result in each(stated(self.node)))

    @property
    def code(self) -> str:
        """The operator's name with its namespace: ``acme.spread``, and ``acme.spread.Tensor`` for an overload."""
        return overload_name(self.node).replace("::", ".").removesuffix(".default")

    def call(self, emit: Emitter, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Insert the operation.

        Raises:
            CompileError: F004, an argument is a size that stays open; F005, it overwrites tensors or gives none.
        """
        found = schema(self.node)
        types = [t for t in emit.types if t is not None]
        if found is None or found.is_mutable:
            raise emit.fail("overwrites tensors, so it can't be carried", help="Let it return its results.")
        if not types or len(types) < len(emit.types):
            raise emit.fail("gives something else than tensors, so it can't be carried")
        operands: list[Value | None] = []
        options: dict[str, Any] = {}
        for name, kind, value in _bound(found, args, kwargs):
            if "Tensor" not in kind:
                options[name] = self._option(name, value)
            elif "List" in kind:
                items = [] if value is None else cast(list[Value | None], value)
                operands += items
                options[name] = len(items)
            else:
                operands.append(value)
        results = emit.all(Custom(tuple(operands), self.code, tuple(types), options))
        return results if each(stated(self.node)) is stated(self.node) else results[0]

    def _option(self, name: str, value: Any) -> Any:
        if isinstance(value, Sym):
            names = ", ".join(sorted(value.names))
            text = f"the argument {name!r} of {self.code} is the size {value}, which its kernel can't be told"
            raise error("F004", text, help=f"Fix {names} by --shape {names}=...")
        if isinstance(value, list | tuple):
            return [self._option(name, v) for v in cast(Sequence[Any], value)]
        return str(value) if isinstance(value, torch.device | torch.layout | torch.memory_format) else value


def _bound(found: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Every argument of a schema with its kind and what it is in this call."""
    for i, argument in enumerate(found.arguments):
        given = kwargs.get(argument.name, argument.default_value)
        yield str(argument.name), str(argument.type), args[i] if i < len(args) else given
