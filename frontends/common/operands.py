"""What handlers of graphs ask of operands: elements, sizes and axes that must be known while compiling."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ...compiler.diagnostics import CompileError, counted
from ...compiler.dims import Dim, Sym, is_by_data, is_data_name
from ...compiler.ir import Value
from ...compiler.types import Array, TensorType
from ..bound import Bounds, Element, Position, positions, sizes
from ..emitter import BaseEmitter


@dataclass(frozen=True)
class OperandEmitter(BaseEmitter):
    """An emitter of a node whose shapes, axes and the like are operands."""

    def array(self, value: Value, what: str) -> Array:
        """Return the elements of an operand that must be known; ``what`` is its name. Sizes may be symbolic.

        Raises:
            CompileError: F004, it is computed from data.
        """
        found = self.known(value)
        if found is None:
            raise self._unknown(value, what)
        return found

    def _unknown(self, value: Value, what: str) -> CompileError:
        """Build the error that the elements of an operand are not known."""
        help = "Make it a constant, or fix the input shapes it is computed from."
        text = f"needs to know its input {what!r} while compiling, but {self._why(value)}"
        bad = self.fail(text, code="F004", help=help)
        bad.diagnostics[0].inputs = self.unknown_inputs(value)
        return bad

    def numbers(self, value: Value, what: str) -> Array:
        """Return the elements of an operand that must be known as numbers.

        Raises:
            CompileError: F004, it is computed from data or from symbolic sizes.
        """
        found = self.array(value, what)
        if found.dtype == object:
            if _is_open(found):
                raise self._unknown(value, what)
            symbols = [d for d in found.reshape(-1).tolist() if isinstance(d, Sym)]
            names = sorted({n for d in symbols for n in d.names})
            raise self.fail(
                f"needs numbers for its input {what!r}, but {symbols[0]} depends on the shapes of inputs",
                code="F004",
                help=f"Fix {', '.join(names)} by shapes=...",
            )
        return found

    def dims(self, value: Value, what: str, bounds: Sequence[Bounds] | None = None) -> tuple[Dim, ...]:
        """Return the elements of an integer operand as sizes; those that data decides about get names, within bounds.

        Raises:
            CompileError: F004, there are too many elements to be sizes; F006, its elements are no integers.
        """
        bound = sizes(self, value, bounds)
        if bound is not None:
            return bound
        self.array(value, what)
        found = self.known.dims(value)
        if found is None:
            raise self.fail(f"has the input {what!r} of type {value.type}, which are not integers", code="F006")
        return found

    def positions(self, value: Value, what: str) -> list[Position]:
        """Return the elements of an integer operand as positions, which may count from the end.

        Raises:
            CompileError: F004, there are too many elements; F006, they are no integers.
        """
        found = positions(self, value)
        if found is None:
            known = self.dims(value, what)
            found = [Position(dim, Element(value, place)) for place, dim in enumerate(known)]
        return found

    def dim(self, value: Value, what: str) -> Dim:
        """Return the only element of an integer operand as a size, which has a name if data decides about it.

        Raises:
            CompileError: F006, it has not one element, or it is no integer.
        """
        found = self.dims(value, what)
        if len(found) != 1:
            raise self.fail(f"has {counted(len(found), 'element')} in its input {what!r} instead of one", code="F006")
        return found[0]

    def ints(self, value: Value, what: str) -> tuple[int, ...]:
        """Return the elements of an operand that must be known integers.

        Raises:
            CompileError: F004 or F006, it is not.
        """
        self.numbers(value, what)
        return tuple(d for d in self.dims(value, what) if isinstance(d, int))

    def int(self, value: Value, what: str) -> int:
        """Return the only element of an operand that must be a known integer.

        Raises:
            CompileError: F004 or F006, it is not.
        """
        self.numbers(value, what)
        found = self.dim(value, what)
        assert isinstance(found, int)
        return found

    def scalar(self, value: Value | None, what: str, default: float = 0.0) -> Any:
        """Return the only element of a known operand as a Python number, the default where it is absent.

        Raises:
            CompileError: F004 or F006, it is not known or has not one element.
        """
        if value is None:
            return default
        found = self.numbers(value, what)
        if found.size != 1:
            raise self.fail(f"has {counted(found.size, 'element')} in its input {what!r} instead of one", code="F006")
        return found.item()

    def axis(self, axis: int, rank: int) -> int:
        """Return an axis counted from the front.

        Raises:
            CompileError: F002, there is no such axis.
        """
        if not -rank <= axis < rank:
            raise self.fail(f"names axis {axis} of data of rank {rank}", code="F002")
        return axis + rank if axis < 0 else axis

    def axes(self, axes: Sequence[int], rank: int) -> tuple[int, ...]:
        """Return axes counted from the front.

        Raises:
            CompileError: F002, there is no such axis, or one is named twice.
        """
        out = tuple(self.axis(a, rank) for a in axes)
        if len(set(out)) != len(out):
            raise self.fail(f"names an axis twice: {list(axes)}", code="F002")
        return out

    def positive(self, value: int, what: str) -> int:
        """Return an option that counts something.

        Raises:
            CompileError: F002, it is less than one.
        """
        if value < 1:
            raise self.fail(f"has {value} as its {what}", code="F002")
        return value

    def deciding(self, operands: Iterable[Value]) -> tuple[str, ...]:
        """Return the names of the inputs whose elements decide about sizes and positions in operands."""
        dims = (d for v in operands for d in (*v.type.shape, *_elements(self.known(v))))
        named = {name for d in dims for name in _data_names(d)}
        roots = [value for (value, _, _), name in self.known.names.items() if str(name) in named]
        return tuple(sorted({name for root in roots for name in self.unknown_inputs(root)}))

    def undecided(self, condition: Value, branches: Iterable[Sequence[TensorType]]) -> CompileError:
        """Build the error that a condition decides about the types that a node gives: which sizes, if it asks some."""
        names = sorted(n for n in self._sizes_behind(condition) if not is_data_name(n))
        gives = " or ".join(f"({', '.join(map(str, types))})" for types in branches)
        text = f"gives {gives}, as its condition decides when the network runs"
        if not names:
            bad = self.fail(text, help="Make the condition a constant, or both branches of one type.")
            bad.diagnostics[0].inputs = self.unknown_inputs(condition)
            return bad
        sizes = ", ".join(names)
        help = f"The condition depends on {sizes}: fix it, as by --shape {names[0]}=1 or another number."
        return self.fail(text, code="F004", help=help)

    def _sizes_behind(self, value: Value) -> set[str]:
        """Return the names of the sizes that a value is computed from."""
        found: set[str] = set()
        seen: set[Value] = set()
        work = [value]
        while work:
            value = work.pop()
            if value in seen:
                continue
            seen.add(value)
            found |= {n for d in self.known.dims(value) or () if isinstance(d, Sym) for n in d.names}
            work += [] if value.owner is None else [v for v in value.owner.operands if v is not None]
        return found

    def unknown_inputs(self, value: Value) -> tuple[str, ...]:
        """Return the names of the inputs from whose elements a value that is not known is computed."""
        found: set[str] = set()
        seen: set[Value] = set()
        work = [value]
        while work:
            value = work.pop()
            if value in seen or not _is_open(self.known(value)):
                continue
            seen.add(value)
            if value.owner is None:
                found.add(value.name or "")
            else:
                work += [v for v in value.owner.operands if v is not None]
        return tuple(sorted(found))

    def _why(self, value: Value) -> str:
        """Say what a value that is not known is computed from."""
        while value.owner is not None:
            unknown = next((v for v in value.owner.operands if v is not None and _is_open(self.known(v))), None)
            if unknown is None:
                place = value.owner.location
                return "it is too large or computed from data" + (f" by {place.node!r}" if place else "")
            value = unknown
        return f"it depends on the elements of the input {value.name!r}"


def _elements(found: Array | None) -> list[Any]:
    return [] if found is None or found.dtype != object else list(found.flat)


def _data_names(dim: Any) -> frozenset[str]:
    """Return the names in a size, or in what is computed from sizes, that data decides about."""
    return frozenset(filter(is_data_name, dim.names)) if isinstance(dim, Sym) else frozenset()


def _is_open(found: Array | None) -> bool:
    """Say whether data decides about some of the elements that a value holds."""
    return found is None or (found.dtype == object and any(map(is_by_data, found.flat)))
