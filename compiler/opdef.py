"""Declaring operations: one class says everything about one operation."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Protocol, TypeVar, cast, runtime_checkable

import numpy as np

from .attributes import Attribute, ImpossibleValue, declare
from .axes import Axes, letters
from .budget import TooLarge, too_large
from .diagnostics import counted, error
from .dims import Dim, Shape, broadcast
from .ir import Op, Region, Value
from .operands import Elements, same_elements
from .types import Array, DType, TensorType

O = TypeVar("O", bound=Op)

SMALLER = "look for a size that is not meant; smaller inputs (--shape) take less"

OPS: dict[str, type[Op]] = {}
"""All declared operations by their name in the text form."""


class Pure:
    """Trait: no side effects; may be folded, merged and dropped."""


class Kept:
    """Trait: not computed while compiling even if all operands are known; its operands are the form to store."""


class Commutative(Pure):
    """Trait: the two operands may be swapped without changing the result."""


class Symbolic(Pure):
    """Trait: the reference semantics also work on arrays of symbolic sizes; shape arithmetic is made of these."""


class Terminator:
    """Trait: ends a region, and its operands are the region's results."""


class Elementwise(Pure):
    """Trait: broadcasting and elementwise; gives the result's type and the correspondence of axes."""

    @staticmethod
    def infer(op: Op) -> TensorType:
        """Broadcast all operand shapes; all operands have the same element type."""
        same_elements(op)
        return broadcast_type(op)

    @staticmethod
    def axes(op: Op) -> Axes:
        """Align at the last axis; any common order."""
        all_letters = letters(op.results[0].type.rank)
        operands = tuple(None if v is None else all_letters[len(all_letters) - v.type.rank :] for v in op.operands)
        return Axes.common(operands, (all_letters,), broadcasts=True)


class Predicate(Elementwise):
    """Trait: elementwise, with booleans as the elements of the result."""

    @staticmethod
    def infer(op: Op) -> TensorType:
        """Broadcast all operand shapes to bool."""
        return Elementwise.infer(op).with_dtype(DType.BOOL)


class Draws:
    """Trait: other numbers each time it runs; is never folded or merged."""


class View(Pure):
    """Trait: the result has the operand's bytes once storage orders are free; see :class:`~.axes.ViewOp`."""


@runtime_checkable
class Multiplies(Protocol):
    """An operation whose work is counted in products that are summed up."""

    def macs(self) -> Dim:
        """Return the number of multiply-accumulates of one run; sizes may be symbolic."""
        ...


def broadcast_type(op: Op) -> TensorType:
    """Broadcast all operand shapes; the element type is that of the first operand."""
    types = [v.type for v in op.operands if v is not None]
    return types[0].with_shape(broadcast_shapes(t.shape for t in types))


def broadcast_shapes(shapes: Iterable[Shape]) -> Shape:
    """Broadcast any number of shapes.

    Raises:
        ValueError: two sizes don't fit.
    """
    out: Shape = ()
    for shape in shapes:
        out = broadcast(out, shape)
    return out


@dataclass(frozen=True)
class Spec:
    """What the decorator has learned about one operation class."""

    name: str
    operands: tuple[str, ...]
    optional: frozenset[str]
    variadic: str | None
    elements: Mapping[str, Elements]
    regions: tuple[str, ...]
    attributes: dict[str, Attribute]
    traits: tuple[type, ...]
    infer_fn: Callable[[Any], TensorType | Sequence[TensorType]]
    evaluate: Callable[..., Array | tuple[Array, ...]] | None
    verify: Callable[[Any], None] | None
    axes: Callable[[Any], Axes | None] | None

    def has(self, trait: type) -> bool:
        """Say whether the operation was declared with a trait, or with a subclass of it."""
        return any(issubclass(t, trait) for t in self.traits)

    @property
    def is_removable(self) -> bool:
        """Whether an operation without uses can be erased: it is pure, or only draws random numbers."""
        return self.has(Pure) or self.has(Draws)

    @property
    def is_terminator(self) -> bool:
        """Whether the operation ends a region, as ``return`` does."""
        return self.has(Terminator)

    def bind(
        self, args: tuple[object, ...], kwargs: dict[str, object]
    ) -> tuple[list[Value | None], dict[str, Any], tuple[Region, ...]]:
        """Sort call arguments into operands, attributes and regions.

        Raises:
            TypeError: a field is missing, or there is none of this name.
            CompileError: P006, an attribute has a value of the wrong type; T001, one that it can't have.
        """
        fields = self.fields
        if len(args) > len(fields):
            raise TypeError(f"{self.name}: {len(args)} arguments for {len(fields)} fields")
        given = dict(zip(fields, args, strict=False)) | kwargs
        if unknown := given.keys() - set(fields):
            raise TypeError(f"{self.name}: unknown {sorted(unknown)}")
        operands: list[Value | None] = []
        for name in self.operands:
            values = given.get(name, ()) if name == self.variadic else (given.get(name),)
            if name not in self.optional and None in cast(Sequence[Value | None], values):
                raise TypeError(f"{self.name}: {name} is missing")
            operands += cast(Sequence[Value | None], values)
        regions = tuple(cast(Region, self._required(given, name)) for name in self.regions)
        try:
            return operands, self.bind_attributes(given), regions
        except ValueError as bad:
            raise error("T001" if isinstance(bad, ImpossibleValue) else "P006", f"{self.name}: {bad}") from bad

    def bind_attributes(self, given: Mapping[str, object]) -> dict[str, Any]:
        """Convert given attributes and fill in defaults.

        Raises:
            TypeError: a required one is missing.
            ValueError: one has a value of the wrong type.
        """
        out: dict[str, Any] = {}
        for name, attribute in self.attributes.items():
            if name not in given:
                out[name] = self._required(given, name) if attribute.is_required else attribute.default
            else:
                out[name] = attribute.accept(given[name])
        return out

    def _required(self, given: Mapping[str, object], name: str) -> object:
        if name not in given:
            raise TypeError(f"{self.name}: {name} is missing")
        return given[name]

    @property
    def fields(self) -> tuple[str, ...]:
        """All fields in the order of the constructor's parameters."""
        return (*self.operands, *self.regions, *self.attributes)

    def build(
        self,
        cls: type[O],
        operands: Sequence[Value | None],
        attributes: Mapping[str, Any],
        regions: Sequence[Region] = (),
    ) -> O:
        """Construct an operation from a flat operand list."""
        fixed = len(self.operands) - (self.variadic is not None)
        fields: dict[str, Any] = dict(zip(self.operands[:fixed], operands, strict=False))
        if self.variadic:
            fields[self.variadic] = tuple(operands[fixed:])
        elif len(operands) > fixed:
            raise TypeError(f"{self.name}: {counted(len(operands), 'operand')} for {fixed}")
        return cls(**fields, **dict(zip(self.regions, regions, strict=True)), **attributes)

    def infer(self, op: Op) -> Sequence[TensorType]:
        """Result types of a bound operation.

        Raises:
            CompileError: T001, the operand types don't fit; M001, a result is too large.
        """
        try:
            self._check_attributes(op)
            self._check_elements(op)
            types = self._inferred(op)
            for type in types:
                _check_sizes(type)
        except ValueError as bad:
            raise op.fail("T001", str(bad)) from bad
        for type in types:
            problem = too_large(type.shape, type.dtype.bits)
            if problem is not None:
                bad = op.fail("M001", f"the result of {op.title} would have {problem}", help=SMALLER)
                raise TooLarge(*bad.diagnostics)
        return types

    def _inferred(self, op: Op) -> Sequence[TensorType]:
        """Call the declared function, which users write, too.

        Raises:
            CompileError: L010, it gives something else than types.
        """
        found: object = self.infer_fn(op)
        types = (found,) if isinstance(found, TensorType) else found
        if not isinstance(types, tuple | list) or not all(isinstance(t, TensorType) for t in cast(list[object], types)):
            raise op.fail("L010", f"infer of {self.name} gives {found!r}, which is not the type of a result")
        return cast(Sequence[TensorType], types)

    def axes_of(self, op: Op) -> Axes | None:
        """How the axes of operands and results correspond; None if the operation runs in the source's order only.

        Raises:
            CompileError: L010, the declaration has another number of letters than there are axes.
        """
        if self.axes is None or (found := self.axes(op)) is None:
            return None
        sides = ((found.operands, op.operands), (found.results, op.results))
        for given, values in sides:
            fits = len(given) == len(values) and all(
                letters is None or value is None or len(letters) == value.type.rank
                for letters, value in zip(given, values, strict=True)
            )
            if not fits:
                types = ", ".join("none" if v is None else str(v.type) for v in values)
                raise op.fail("L010", f"its axes are declared as {given}, which are not those of {types}")
        return found

    def _check_attributes(self, op: Op) -> None:
        """Check what attributes say of the axes of the first operand."""
        first = op.operands[0] if self.operands and op.operands else None
        if first is None:
            return
        for name, attribute in self.attributes.items():
            value = op.attributes[name]
            if attribute.names is not None and value != attribute.default:  # a default holds for every rank
                attribute.check(value, first.type.rank)

    def _check_elements(self, op: Op) -> None:
        """Compare the operands' element types with those that their fields take."""
        for name, elements in self.elements.items():
            stated: Value | tuple[Value | None, ...] | None = getattr(op, name)
            for value in stated if isinstance(stated, tuple) else (stated,):
                if value is not None and value.type.dtype not in elements:
                    raise ValueError(f"{self.name} takes {elements.value} as {name}, not {value.type.dtype}")


def _check_sizes(type: TensorType) -> None:
    for size in type.shape:
        if isinstance(size, int) and size < 0:
            raise ValueError(f"the result would be {type}, but no size can be negative")


class _Operand:
    """Descriptor: operand number ``slot``, or from there on for a variadic field."""

    def __init__(self, slot: int, *, variadic: bool) -> None:
        self.slot = slot
        self.variadic = variadic

    def __get__(self, op: Op | None, owner: type) -> Any:
        if op is None:
            return self
        operands = op.operands
        if self.variadic:
            return operands[self.slot :]
        return operands[self.slot] if self.slot < len(operands) else None


class _Attribute:
    """Descriptor: an attribute."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, op: Op | None, owner: type) -> Any:
        return self if op is None else op.attributes[self.name]


class _Region:
    """Descriptor: a region."""

    def __init__(self, index: int) -> None:
        self.index = index

    def __get__(self, op: Op | None, owner: type) -> Any:
        return self if op is None else op.regions[self.index]


_VARIADIC = (tuple[Value, ...], tuple[Value | None, ...])

_FORMS: tuple[Callable[[Any], Any], ...] = (
    lambda t: t,
    lambda t: t | None,
    lambda t: tuple[t, ...],
    lambda t: tuple[t | None, ...],
)
_MARKED = {form(Annotated[Value, e]): (form(Value), e) for e in Elements for form in _FORMS}
"""What an operand may be written as, apart from its mark; and the mark."""


def op(name: str, *traits: type) -> Callable[[type[O]], type[O]]:
    """Declare an operation.

    Fields of type ``Value`` are operands (``Value | None`` optional, ``tuple[Value, ...]`` as the last one variadic,
    ``tuple[Value | None, ...]`` variadic with some left out); types of :mod:`.operands`, such as ``Floats``, say which
    elements these take.  Fields of type ``Region`` are regions, all others are attributes.  A class may give
    ``infer`` (result types), ``evaluate`` (numpy semantics), ``axes`` (storage orders), ``copies`` (whether it is an
    identity) and ``verify`` (whether operands and attributes fit); the rest comes from its traits.  Classes between it
    and ``Op`` give fields and methods that several operations share.
    """

    def wrap(cls: type[O]) -> type[O]:
        family = [base for base in reversed(cls.__mro__) if issubclass(base, Op) and base is not Op]
        marked = {k: t for base in family for k, t in inspect.get_annotations(base, eval_str=True).items()}
        elements = {k: _MARKED[t][1] for k, t in marked.items() if t in _MARKED}
        hints = {k: _MARKED[t][0] if t in _MARKED else t for k, t in marked.items()}
        defaults = {k: v for base in family for k, v in vars(base).items()}
        operands = tuple(k for k, t in hints.items() if t in (Value, Value | None, *_VARIADIC))
        regions = tuple(k for k, t in hints.items() if t is Region)
        variadic = next((k for k in operands if hints[k] in _VARIADIC), None)
        optional = frozenset(k for k in operands if hints[k] in (Value | None, _VARIADIC[1]))
        attributes = {
            k: declare(k, t, defaults.get(k, inspect.Parameter.empty))
            for k, t in hints.items()
            if k not in operands and k not in regions
        }
        infer = _find(cls, traits, "infer")
        if infer is None:
            raise TypeError(f"{name}: its class needs a method infer that gives the result's type, or a trait with one")
        if variadic and variadic != operands[-1]:
            raise TypeError(f"{name}: {variadic!r} may be any number of operands, so it must be the last of them")
        found = (_find(cls, traits, what) for what in ("evaluate", "verify", "axes"))
        cls.spec = Spec(name, operands, optional, variadic, elements, regions, attributes, traits, infer, *found)
        _check_fields(cls.spec)
        for slot, field in enumerate(operands):
            setattr(cls, field, _Operand(slot, variadic=field == variadic))
        for index, field in enumerate(regions):
            setattr(cls, field, _Region(index))
        for field in attributes:
            setattr(cls, field, _Attribute(field))
        if OPS.setdefault(name, cls) is not cls:
            raise TypeError(f"operation {name!r} is declared twice")
        return cls

    return wrap


_TAKEN = frozenset((*vars(Op), "spec", "attributes", "location", "parent", "before", "after", "results", "regions"))
"""Names that every operation has, whatever its fields."""

_AXES = {"axis": "Axis", "dim": "Axis", "axes": "AxisTuple", "dims": "AxisTuple"}
"""Attributes that are called like axes, and the types that say that they are."""


def _check_fields(spec: Spec) -> None:
    """Refuse fields that would hide what every operation has, axes that are not said to be some, and other parameters.

    Raises:
        TypeError: with what to write instead.
    """
    for field in spec.fields:
        if field in _TAKEN:
            raise TypeError(f"{spec.name}: every operation has {field!r} already; call this field something else")
    for field, attribute in spec.attributes.items():
        if spec.axes is not None and field in _AXES and attribute.names is None:
            text = f"write {field}: {_AXES[field]} (of nhwcc.compiler.axes), so that other layouts renumber it"
            raise TypeError(f"{spec.name}: {text}")
    if inspect.isfunction(spec.evaluate):
        given = [n for n in spec.operands if n != spec.variadic]
        named = dict.fromkeys((*spec.regions, *spec.attributes))
        try:
            inspect.signature(spec.evaluate).bind(*given, **named)
        except TypeError as bad:
            called = ", ".join((*spec.operands, *(f"{n}={n}" for n in named)))
            raise TypeError(f"{spec.name}: its evaluate is called as evaluate({called}): {bad}") from bad


def _find(cls: type, traits: tuple[type, ...], what: str) -> Any:
    for source in (cls, *traits):
        for base in source.__mro__:
            if base is not Op and what in vars(base):
                found = vars(base)[what]
                return found.__func__ if isinstance(found, staticmethod) else found
    return None


def evaluate(op: Op, operands: Sequence[Array | None], attributes: Mapping[str, Any] | None = None) -> list[Array]:
    """Run the reference semantics of one operation.

    Raises:
        CompileError: R001, the operation has none; T002, it can't take the operands' elements.
    """
    fn = op.spec.evaluate
    if fn is None:
        help = "give its declaration an evaluate, or do without running it: --no-verify"
        raise op.fail("R001", f"{op.title} has no reference semantics", help=help)
    try:
        with np.errstate(all="ignore"):
            out = fn(*operands, **(op.attributes if attributes is None else attributes))
    except ValueError as bad:
        raise op.fail("T002", str(bad)) from bad
    arrays = out if isinstance(out, tuple) else (out,)
    return [np.asarray(a, dtype=r.type.dtype.numpy) for a, r in zip(arrays, op.results, strict=True)]
