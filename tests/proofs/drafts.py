"""Modules as plain data that can be changed, compared, stored and built again."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, cast

import numpy as np
from nhwcc.compiler.dims import Sym, symbol
from nhwcc.compiler.ir import Func, Module, Op, Port, Region, Value
from nhwcc.compiler.opdef import OPS
from nhwcc.compiler.ops.bound import BindSizes
from nhwcc.compiler.ops.core import Const
from nhwcc.compiler.ops.index import NonZero, Unique
from nhwcc.compiler.types import Array, DType, TensorType
from nhwcc.compiler.verify import verify
from nhwcc.compiler.weights import Weight

MAX_OPS = 60
MAX_ELEMENTS = 1 << 13
"""Of a constant."""

MAX_COMPUTED = 1 << 18
"""Elements of what is computed."""


class TooLarge(Exception):
    """Checking every rewrite of such a module would take too long, or is not possible."""


@dataclass
class Step:
    """An operation; values are numbers. A constant that is a ``splat`` is one number, repeated when it is read."""

    kind: str
    operands: list[int | None]
    attributes: dict[str, Any]
    regions: list[Body]
    results: list[int]
    splat: bool = False

    def uses(self) -> list[int]:
        """The values that it reads from outside."""
        own = {n for region in self.regions for n in region.arguments}
        own |= {r for region in self.regions for s in region.steps for r in s.results}
        inner = [n for region in self.regions for s in region.steps for n in s.uses() if n not in own]
        return [*(n for n in self.operands if n is not None), *inner]

    def arrays(self) -> list[tuple[str, Array]]:
        """The attributes that are constants."""
        return [(name, value) for name, value in self.attributes.items() if isinstance(value, np.ndarray)]


@dataclass
class Body:
    """A region, or a whole main function: arguments with their types, and operations."""

    arguments: dict[int, TensorType]
    steps: list[Step] = field(default_factory=lambda: list[Step]())

    def walk(self) -> Iterator[Step]:
        """All steps, those in regions too."""
        for step in self.steps:
            yield step
            for region in step.regions:
                yield from region.walk()

    def copy(self) -> Body:
        """A copy that can be changed; arrays are shared."""
        arrays = {id(array): array for step in self.walk() for _, array in step.arrays()}
        return copy.deepcopy(self, arrays)

    def tell_sizes(self) -> None:
        """Let an argument of its own tell each named size that no argument tells, nor any operation binds."""
        found = {n for step in self.walk() for value in step.attributes.values() for n in _names(value)}
        found |= {n for region in self._regions() for t in region.arguments.values() for n in _names(t.shape)}
        told = {n for step in self.walk() for n in _names(step.attributes.get(_BINDING.get(step.kind, "")))}
        told |= {str(d) for t in self.arguments.values() for d in t.shape if isinstance(d, Sym)}
        number = 1 + max([*self.arguments, *(n for s in self.walk() for n in (*s.results, *s.uses()))], default=0)
        for place, name in enumerate(sorted(found - told)):
            self.arguments[number + place] = TensorType(DType.F32, (symbol(name),))

    def _regions(self) -> Iterator[Body]:
        yield self
        for step in self.walk():
            yield from step.regions

    def fingerprint(self) -> int:
        """A number that tells drafts apart."""
        digest = hashlib.blake2b(digest_size=8)
        digest.update(repr([str(t) for t in self.arguments.values()]).encode())
        for step in self.walk():
            digest.update(
                f"{step.kind} {step.splat} {step.operands} {[list(r.arguments) for r in step.regions]}".encode()
            )
            arrays = dict(step.arrays())
            for name, value in sorted(step.attributes.items()):
                digest.update(f"{name} {_described(arrays[name]) if name in arrays else repr(value)}".encode())
        return int.from_bytes(digest.digest())


_BINDING = {BindSizes.spec.name: "sizes", NonZero.spec.name: "count", Unique.spec.name: "count"}
"""By which attributes operations bind names."""


def _names(value: object) -> Iterator[str]:
    """Yield the named sizes in an attribute."""
    if isinstance(value, Sym):
        yield from value.names
    elif isinstance(value, tuple):
        for item in cast(tuple[object, ...], value):
            yield from _names(item)


def _described(array: Array) -> str:
    elements = repr(array.tolist()) if array.dtype == object else array.tobytes().hex()
    return f"{array.dtype}{array.shape}{elements}"


def draft(module: Module) -> Body:
    """Take a module's main function apart.

    Raises:
        TooLarge: it has too many operations, or constants with too many elements.
    """
    return Snapshot.of(module).body


@dataclass
class Snapshot:
    """A module as it is while passes change it: a draft, the operations that its steps stand for, and their types."""

    body: Body
    ops: list[Op]
    types: dict[int, TensorType]

    @staticmethod
    def of(module: Module) -> Snapshot:
        """Take a module's main function apart.

        Raises:
            TooLarge: it has too many operations, or values with too many elements.
        """
        body, numbers = _draft(module)
        if any(isinstance(n := v.type.size, int) and n > MAX_COMPUTED for v in numbers):
            raise TooLarge
        return Snapshot(body, list(module.main.body.ops), {n: v.type for v, n in numbers.items()})

    def around(self, wanted: Callable[[Op], bool]) -> Body | None:
        """A part of the module: operations that are wanted, what stands before, beside and behind them.

        None if none is at the top, or what they need is not.
        """
        steps = self.body.steps[:-1]
        writers = {r: i for i, s in enumerate(steps) for r in s.results}
        chosen = {i for i, op in enumerate(self.ops[:-1]) if wanted(op)}
        if not chosen:
            return None
        made = {r for i in chosen for r in steps[i].results}
        read = {n for i in chosen for n in steps[i].uses()} - {n for s in steps if s.kind == "const" for n in s.results}
        chosen |= {i for i, s in enumerate(steps) if read & set(s.uses())}
        chosen |= {i for i, s in enumerate(steps) if made & set(s.uses())}
        for _ in range(REACH):
            chosen |= {writers[n] for i in chosen for n in steps[i].uses() if n in writers}
        kept = [s for i, s in enumerate(steps) if i in chosen]
        defined = {r for s in kept for r in s.results}
        arguments = dict.fromkeys(n for s in kept for n in s.uses() if n not in defined)
        others = [s for i, s in enumerate(self.body.steps) if i not in chosen]
        wanted_outside = {n for s in others for n in s.uses()} & defined
        returned = [r for s in kept for r in s.results if r in wanted_outside]
        whole = Body({n: self.types[n] for n in arguments}, [*kept, Step("return", [*returned], {}, [], [])]).copy()
        whole.tell_sizes()
        return whole


REACH = 2
"""How many operations away what a rewrite may look at lies."""


def _draft(module: Module) -> tuple[Body, dict[Value, int]]:
    if len(list(module.walk())) > MAX_OPS:
        raise TooLarge
    numbers = count()
    known: dict[Value, int] = {}

    def body(region: Region) -> Body:
        arguments: dict[int, TensorType] = {}
        for a in region.args:
            known[a] = next(numbers)
            arguments[known[a]] = a.type
        return Body(arguments, [step(op) for op in region.ops])

    def step(op: Op) -> Step:
        operands = [None if v is None else known[v] for v in op.operands]
        regions = [body(r) for r in op.regions]
        for r in op.results:
            known[r] = next(numbers)
        attributes = {k: _held(v) for k, v in op.attributes.items()}
        splat = isinstance(op, Const) and op.value.is_splat
        return Step(op.spec.name, operands, attributes, regions, [known[r] for r in op.results], splat)

    return body(module.main.body), known


def _held(value: Any) -> Any:
    """Return an attribute, an array for a weight; weights inside of options can't be compared, nor sent."""
    if isinstance(value, Weight):
        return _array(value)
    if isinstance(value, Mapping):
        options = cast("Mapping[str, Any]", value)
        if any(isinstance(option, Weight | np.ndarray) for option in options.values()):
            raise TooLarge
        return options
    return value


def _array(weight: Weight) -> Array:
    if np.prod([d for d in weight.type.shape if isinstance(d, int)]) > MAX_ELEMENTS:
        raise TooLarge
    return weight.array()


def _splat(array: Array) -> Array | Weight:
    """One number for all elements, if they are the same."""
    if array.size < 2 or not (array == array.flat[0]).all():
        return array
    return Weight.splat(array.flat[0], DType.of(array.dtype), array.shape)


def build(main: Body) -> Module:
    """Build a module, and verify it.

    Raises:
        CompileError, KeyError, TypeError, ValueError: the draft is no module.
    """
    known: dict[int, Value] = {}

    def region(body: Body) -> Region:
        for number, type in body.arguments.items():
            known[number] = Value(type)
        built = Region([known[n] for n in body.arguments])
        for s in body.steps:
            operands = [None if n is None else known[n] for n in s.operands]
            regions = [region(r) for r in s.regions]
            spec = OPS[s.kind].spec
            given = {k: _splat(v) if s.splat else v for k, v in s.attributes.items()}
            op = built.insert(spec.build(OPS[s.kind], operands, spec.bind_attributes(given), regions))
            known.update(zip(s.results, op.results, strict=False))
        return built

    whole = region(main)
    for number, arg in enumerate(whole.args):
        arg.name = f"x{number}"
    inputs = [Port(f"x{i}") for i in range(len(whole.args))]
    returned = whole.ops.last
    assert returned is not None
    module = Module(Func("main", whole, inputs, [Port(f"y{i}") for i in range(len(returned.operands))]))
    verify(module)
    return module
