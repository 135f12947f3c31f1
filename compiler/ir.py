"""The IR core: values with use lists, operations, regions, functions, modules."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self, dataclass_transform

from .diagnostics import CompileError, Diagnostic, Location, here
from .layouts import letters_of
from .oplist import OpList
from .types import TensorType

if TYPE_CHECKING:
    from .opdef import Spec


class Use(NamedTuple):
    """One use of a value: operand number ``slot`` of the operation ``op``."""

    op: Op
    slot: int


class Value:
    """An SSA value: the result of an operation, or an argument of a region (``owner`` is None)."""

    __slots__ = ("_uses", "name", "owner", "type")
    __match_args__ = ("owner",)

    def __init__(self, type: TensorType, owner: Op | None = None, name: str | None = None) -> None:
        self.type = type
        self.owner = owner
        self.name = name
        self._uses: dict[Use, None] = {}

    @property
    def uses(self) -> tuple[Use, ...]:
        """A snapshot of the uses, in the order they arose; safe to change edges while reading it."""
        return tuple(self._uses)

    @property
    def has_one_use(self) -> bool:
        """Whether exactly one operand slot reads this value."""
        return len(self._uses) == 1

    def has_use(self, use: Use) -> bool:
        """Whether an operand slot is listed as reading this value."""
        return use in self._uses

    @property
    def users(self) -> tuple[Op, ...]:
        """The operations that read this value, each once."""
        return tuple(dict.fromkeys(use.op for use in self._uses))

    def replace_all_uses_with(self, other: Value) -> None:
        """Redirect every use of this value to ``other``, which takes over the name if it has none."""
        if other is self:
            return
        for use in self.uses:
            use.op.set_operand(use.slot, other)
        other.name = other.name or self.name

    def _add_use(self, use: Use) -> None:
        self._uses[use] = None

    def _drop_use(self, use: Use) -> None:
        del self._uses[use]

    def __repr__(self) -> str:
        return f"<{self.name or 'value'}: {self.type}>"


@dataclass_transform(eq_default=False)
class Op:
    """An operation: operands, attributes, regions, results; declared with :func:`~nhwcc.compiler.opdef.op`."""

    spec: ClassVar[Spec]

    told_apart: ClassVar[tuple[float, float]] = (-math.inf, math.inf)
    """Between which numbers the operand makes a difference to a result of 8 bits; of a function that gets flat."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        operands, attributes, regions = self.spec.bind(args, kwargs)
        self.attributes: dict[str, Any] = attributes
        self.location: Location | None = here()
        self.parent: Region | None = None
        self.before: Op | None = None
        self.after: Op | None = None
        self._operands: list[Value | None] = [None] * len(operands)
        self.results: tuple[Value, ...] = ()
        self.regions: tuple[Region, ...] = regions
        for region in regions:
            region.owner = self
        for slot, value in enumerate(operands):
            if value is not None:
                self.set_operand(slot, value)
        try:
            self.results = tuple(Value(t, self) for t in self.spec.infer(self))
        except CompileError:
            self.drop_operands()  # an operation that can't be leaves no trace in use lists
            raise

    @property
    def operands(self) -> tuple[Value | None, ...]:
        """The operands, None where an optional one is absent."""
        return tuple(self._operands)

    @property
    def result(self) -> Value:
        """The result of an operation that has exactly one."""
        (only,) = self.results
        return only

    def set_operand(self, slot: int, value: Value | None) -> None:
        """Point operand ``slot`` at ``value`` and keep both use lists right: the only way to change an edge."""
        if (old := self._operands[slot]) is not None:
            old._drop_use(Use(self, slot))  # pyright: ignore[reportPrivateUsage]
        self._operands[slot] = value
        if value is not None:
            value._add_use(Use(self, slot))  # pyright: ignore[reportPrivateUsage]

    def drop_operands(self) -> None:
        """Forget all operands, those of nested operations too, before erasure."""
        for slot in range(len(self._operands)):
            self.set_operand(slot, None)
        for region in self.regions:
            for op in region.ops:
                op.drop_operands()

    def clone(self, operands: Sequence[Value | None] | None = None, **attributes: object) -> Self:
        """Build the same operation, not inserted, with other operands or some other attributes.

        Types are inferred anew; the location is the one that is ambient.  Regions move to the clone.
        """
        return self.spec.build(
            type(self), self.operands if operands is None else operands, self.attributes | attributes, self.regions
        )

    def copies(self) -> bool:
        """Whether the only result is the first operand unchanged, provided that their types are equal."""
        return False

    @property
    def title(self) -> str:
        """What messages call it."""
        return self.spec.name

    @property
    def is_unused(self) -> bool:
        """Whether no result of the operation has a use."""
        return not any(r.uses for r in self.results)

    def fail(self, code: str, message: str, *, help: str | None = None) -> CompileError:
        """Build the error that says ``message`` about this operation."""
        from .printer import Names, print_op

        names = Names()
        operands = [v for v in dict.fromkeys(self.operands) if v is not None]
        excerpt = print_op(self, names)
        notes = [f"{names[v]} is {v.type}" for v in operands]
        return CompileError(Diagnostic("error", code, message, self.location, excerpt, notes, help))

    def __repr__(self) -> str:
        from .printer import print_op

        return f"<{print_op(self)}>"


class Region:
    """A straight line of operations with arguments; the last one is the terminator ``return``."""

    __slots__ = ("args", "ops", "owner")

    def __init__(self, args: Iterable[Value] = ()) -> None:
        self.args: list[Value] = list(args)
        self.ops = OpList()
        self.owner: Op | Func | None = None

    def insert(self, op: Op, before: Op | None = None) -> Op:
        """Insert ``op`` before another one, or append it."""
        op.parent = self
        self.ops.insert(op, before)
        return op

    def erase(self, op: Op) -> None:
        """Remove an operation without uses.

        Raises:
            CompileError: I001, a result is still used.
        """
        if not op.is_unused:
            raise op.fail("I001", "erasing an operation that is still used")
        op.drop_operands()
        self.ops.remove(op)
        op.parent = None

    @property
    def terminator(self) -> Op:
        """The operation that ends the region; its operands are what the region returns."""
        last = self.ops.last
        if last is None or not last.spec.is_terminator:
            raise CompileError(Diagnostic("error", "I002", "a region does not end in a return"))
        return last

    @property
    def returns(self) -> tuple[Value, ...]:
        """The values that the region returns: the operands of its terminator."""
        return tuple(v for v in self.terminator.operands if v is not None)

    def walk(self) -> Iterator[Op]:
        """Iterate over all operations, those of nested regions before the one that holds them."""
        for op in self.ops:
            for region in op.regions:
                yield from region.walk()
            yield op


@dataclass(slots=True)
class Port:
    """How the outside sees an input or output: its name in the source, and how the source's axes lie in it.

    ``perm[i]`` is the source axis that lies at axis ``i``; None means the source's own order.  ``axes`` are the letters
    of the source's axes, such as ``NHWC``; empty where the source states none, which is taken for channels first.
    """

    name: str
    perm: tuple[int, ...] | None = None
    axes: str = ""

    def source_type(self, type: TensorType) -> TensorType:
        """Return a value's type as the source has it."""
        perm = self.perm or range(type.rank)
        return type.with_shape([type.shape[perm.index(axis)] for axis in range(type.rank)])

    @property
    def order(self) -> str:
        """The axes in words: ``NHWC`` or ``0,2,1``; empty for the source's own order."""
        if self.perm is None or self.perm == tuple(range(len(self.perm))):
            return ""
        letters = self.axes or letters_of(len(self.perm))
        return "".join(letters[p] for p in self.perm) if letters else ",".join(map(str, self.perm))


class Func:
    """A named graph with an interface: ``inputs`` describe the arguments, ``outputs`` what it returns."""

    def __init__(self, name: str, body: Region, inputs: list[Port], outputs: list[Port]) -> None:
        self.name = name
        self.body = body
        self.inputs = inputs
        self.outputs = outputs
        body.owner = self

    @property
    def args(self) -> list[Value]:
        """The values that stand for the function's inputs, in order."""
        return self.body.args

    @property
    def returns(self) -> tuple[Value, ...]:
        """The values that the function returns, in order: its outputs."""
        return self.body.returns

    @property
    def ops(self) -> OpList:
        """The operations of the body in order, with the terminator at the end."""
        return self.body.ops

    def walk(self) -> Iterator[Op]:
        """Iterate over all operations of the function, those in nested regions, too."""
        return self.body.walk()


class Module:
    """A set of functions; ``main`` is the one that is compiled."""

    def __init__(self, *funcs: Func) -> None:
        self.funcs = {f.name: f for f in funcs}

    @property
    def main(self) -> Func:
        """The function called ``main``, or the first one.

        Raises:
            CompileError: F011, there is none.
        """
        if not self.funcs:
            raise CompileError(Diagnostic("error", "F011", "the module has no function"))
        return self.funcs.get("main") or next(iter(self.funcs.values()))

    def walk(self) -> Iterator[Op]:
        """Iterate over all operations of all functions, those in nested regions, too."""
        for func in self.funcs.values():
            yield from func.walk()

    def __repr__(self) -> str:
        heads = (f"@{f.name}({_types(f.args)}) -> ({_types(f.returns)})" for f in self.funcs.values())
        return f"<Module {', '.join(heads)}: {sum(1 for _ in self.walk())} operations>"

    def _repr_html_(self) -> str:
        from .printer import print_module

        lines = print_module(self).splitlines()
        more = [f"... {len(lines) - SHOWN_LINES} more lines"] if len(lines) > SHOWN_LINES else []
        return f"<pre>{escape(chr(10).join([*lines[:SHOWN_LINES], *more]), quote=False)}</pre>"


SHOWN_LINES = 200
"""Lines of its text that a notebook shows of a module."""


def _types(values: Iterable[Value]) -> str:
    return ", ".join(str(value.type) for value in values)
