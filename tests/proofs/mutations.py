"""Changes of modules that bring them into the corners of rewrites.

Sizes become 0 and 1, constants are those that identities speak of, attributes vary, operations end in activations,
values get another user, and everything another element type.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

import numpy as np
from nhwcc.compiler.opdef import OPS
from nhwcc.compiler.ops.arith import ACTIVATIONS
from nhwcc.compiler.types import Array, DType, TensorType

from .declared import TYPES as DECLARED
from .declared import values_of
from .drafts import Body, Step

NUMBERS = (0.0, 0.0, 1.0, 1.0, -1.0, 0.5, 6.0, 3.0, 2.0, -0.5, float("inf"), -float("inf"), 1 / 6)
TYPES = (
    *(("f32", "f16"), ("f32", "f64"), ("f32", "i32"), ("f32", "i64"), ("f32", "u8"), ("f32", "i8"), ("f32", "bf16")),
    *(("i32", "i64"), ("i64", "i32"), ("i32", "u8"), ("i32", "f32"), ("i32", "u32"), ("i64", "u64"), ("i32", "i16")),
)

Mutation = Callable[["Mutator", Body], bool]
MUTATIONS: list[tuple[float, Mutation]] = []


def mutation(weight: float) -> Callable[[Mutation], Mutation]:
    """Declare a mutation; it says whether it found anything to change."""

    def wrap(fn: Mutation) -> Mutation:
        MUTATIONS.append((weight, fn))
        return fn

    return wrap


def seen_values(drafts: Iterable[Body]) -> Mapping[tuple[str, str], list[Any]]:
    """Return the values of attributes by operation and name."""
    seen: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for body in drafts:
        for step in body.walk():
            for name, value in step.attributes.items():
                pool = seen[step.kind, name]
                if not isinstance(value, np.ndarray) and len(pool) < 60 and value not in pool:
                    pool.append(value)
    return seen


class Mutator:
    """Changes drafts; ``seen`` has the values that attributes have anywhere."""

    def __init__(self, rng: random.Random, seen: Mapping[tuple[str, str], list[Any]]) -> None:
        self.rng, self.seen = rng, seen

    def __call__(self, body: Body) -> Body:
        """Return a changed copy."""
        changed = body.copy()
        weights, mutations = zip(*MUTATIONS, strict=True)
        done, wanted = 0, self.rng.choice([1, 1, 2, 3])
        for _ in range(10):
            done += self.rng.choices(mutations, weights)[0](self, changed)
            if done == wanted:
                break
        changed.tell_sizes()
        return changed


def _constants(body: Body) -> list[Step]:
    return [s for s in body.walk() if s.kind == "const" and s.attributes["value"].dtype.kind in "fiu"]


@mutation(0.22)
def change_size(m: Mutator, body: Body) -> bool:
    """One size becomes another one, everywhere."""
    types = [t for s in (body, *(r for step in body.walk() for r in step.regions)) for t in s.arguments.values()]
    arrays = [array for s in body.walk() for _, array in s.arrays()]
    sizes = sorted(
        {d for shape in (*(t.shape for t in types), *(a.shape for a in arrays)) for d in shape if isinstance(d, int)}
    )
    if not sizes:
        return False
    old = m.rng.choice(sizes)
    new = m.rng.choice([1, 1, 2, 3, 4, 5, old + 1, old * 2, 0 if m.rng.random() < 0.3 else 1])
    if new > 64:
        return False

    def changed(shape: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(new if d == old and isinstance(d, int) else d for d in shape)

    body.arguments = {n: t.with_shape(changed(t.shape)) for n, t in body.arguments.items()}
    for step in body.walk():
        for name, value in step.attributes.items():
            if name in ("shape", "sizes"):
                step.attributes[name] = changed(value)
        for name, array in step.arrays():
            if changed(array.shape) != array.shape:
                step.attributes[name] = _resized(array, changed(array.shape))
    return True


def _resized(array: Array, shape: tuple[int, ...]) -> Array:
    return np.resize(array, shape).astype(array.dtype) if array.size else np.zeros(shape, array.dtype)


@mutation(0.2)
def change_constant(m: Mutator, body: Body) -> bool:
    """A constant becomes one number, random numbers, or has another shape that broadcasts."""
    found = _constants(body)
    if not found:
        return False
    step = m.rng.choice(found)
    old: Array = step.attributes["value"]
    numbers = np.random.default_rng(m.rng.randrange(1 << 30))
    way = m.rng.random()
    with np.errstate(all="ignore"):
        if way < 0.4:
            number = m.rng.choice(NUMBERS)
            new = np.full(old.shape, number if old.dtype.kind == "f" or np.isfinite(number) else 1).astype(old.dtype)
        elif way < 0.6:
            new = np.asarray(numbers.standard_normal(old.shape) * 2).astype(old.dtype)
            new = new if old.dtype.kind == "f" else numbers.integers(0, 4, old.shape).astype(old.dtype)
        elif way < 0.8:
            new = old.reshape((1,) * m.rng.choice([1, 2]) + old.shape)
        else:
            new = np.asarray(old[tuple(slice(0, 1) if m.rng.random() < 0.5 else slice(None) for _ in old.shape)])
    if new.size == 1 and m.rng.random() < 0.2:
        new = new.reshape(())
    step.attributes["value"], step.splat = np.ascontiguousarray(new).reshape(new.shape), m.rng.random() < 0.5
    return True


@mutation(0.22)
def change_attribute(m: Mutator, body: Body) -> bool:
    """An attribute has another value: one that is declared, one seen elsewhere, or a neighbour of its own."""
    found = [(s, a) for s in body.walk() if s.kind != "const" for a in s.attributes]
    if not found:
        return False
    step, name = m.rng.choice(found)
    value, pool = step.attributes[name], m.seen[step.kind, name]
    few = values_of(OPS[step.kind].spec.attributes[name])
    if few:
        step.attributes[name] = m.rng.choice(few)
    else:
        step.attributes[name] = m.rng.choice(pool) if pool and m.rng.random() < 0.4 else _neighbour(m.rng, value)
    return True


def _neighbour(rng: random.Random, value: Any) -> Any:
    match value:
        case bool():
            return not value
        case int():
            return value + rng.choice([-1, 1])
        case float():
            return rng.choice(NUMBERS)
        case tuple() if value:
            items = list(cast(tuple[Any, ...], value))
            if rng.random() < 0.4:
                rng.shuffle(items)
            else:
                at = rng.randrange(len(items))
                items[at] = _neighbour(rng, items[at])
            return tuple(items)
        case _:
            return value


@mutation(0.1)
def change_activation(m: Mutator, body: Body) -> bool:
    """An operation ends in an activation, or in none."""
    found = [s for s in body.walk() if "activation" in s.attributes]
    if found:
        m.rng.choice(found).attributes["activation"] = m.rng.choice(list(ACTIVATIONS))
    return bool(found)


@mutation(0.08)
def add_user(m: Mutator, body: Body) -> bool:
    """A value inside is returned as well."""
    found = [r for s in body.steps if s.kind != "const" for r in s.results]
    if found:
        body.steps[-1].operands.append(m.rng.choice(found))
    return bool(found)


@mutation(0.08)
def change_type(m: Mutator, body: Body) -> bool:
    """All values of one element type have another one."""
    old, new = (DType(name) for name in m.rng.choice(TYPES))
    there = sorted({t.dtype for t in body.arguments.values()})
    if there and m.rng.random() < 0.7:
        old, new = m.rng.choice(there), m.rng.choice(DECLARED)
    for region in (body, *(r for s in body.walk() for r in s.regions)):
        region.arguments = {n: t.with_dtype(new) if t.dtype is old else t for n, t in region.arguments.items()}
    for step in body.walk():
        for name, array in step.arrays():
            if array.dtype == old.numpy:
                with np.errstate(all="ignore"):
                    step.attributes[name] = array.astype(new.numpy)
    return True


@mutation(0.06)
def change_argument(m: Mutator, body: Body) -> bool:
    """One argument has another element type."""
    if body.arguments:
        number = m.rng.choice(list(body.arguments))
        body.arguments[number] = body.arguments[number].with_dtype(m.rng.choice(DECLARED))
    return bool(body.arguments)


@mutation(0.06)
def insert_operation(m: Mutator, body: Body) -> bool:
    """A value passes another operation on its way to one reader."""
    found = [(i, s, slot) for i, s in enumerate(body.steps) for slot, n in enumerate(s.operands) if n is not None]
    if not found:
        return False
    at, step, slot = m.rng.choice(found)
    number = 1 + max([*body.arguments, *(n for s in body.walk() for n in (*s.results, *s.uses()))], default=0)
    body.steps.insert(at, Step(m.rng.choice(BETWEEN), [step.operands[slot]], {}, [], [number]))
    step.operands[slot] = number
    return True


BETWEEN = ("neg", "relu", "abs", "tanh", "square", "logical_not")


@mutation(0.05)
def swap_operands(m: Mutator, body: Body) -> bool:
    """The operands of a binary operation change places."""
    found = [s for s in body.walk() if len(s.operands) == 2 and s.kind != "return"]
    if found:
        m.rng.choice(found).operands.reverse()
    return bool(found)


@mutation(0.05)
def replace_operation(m: Mutator, body: Body) -> bool:
    """An operation becomes a similar one, with as many operands and the same attributes."""
    step = m.rng.choice(body.steps)
    spec = OPS[step.kind].spec
    alike = [
        n for n, o in OPS.items() if o.spec.operands == spec.operands and set(o.spec.attributes) == set(spec.attributes)
    ]
    if len(alike) < 2 or step.kind == "const":
        return False
    step.kind = m.rng.choice(alike)
    return True


@mutation(0.05)
def fix_argument(m: Mutator, body: Body) -> bool:
    """An argument becomes a constant."""
    found = [n for n, t in body.arguments.items() if all(isinstance(d, int) for d in t.shape)]
    if len(found) < 2:
        return False
    number = m.rng.choice(found)
    type = body.arguments.pop(number)
    body.steps.insert(0, Step("const", [], {"value": _random(m.rng, type)}, [], [number]))
    return True


@mutation(0.05)
def open_constant(m: Mutator, body: Body) -> bool:
    """A constant becomes an argument."""
    found = [s for s in body.steps if s.kind == "const" and s.attributes["value"].dtype.kind == "f"]
    if not found:
        return False
    step = m.rng.choice(found)
    array: Array = step.attributes["value"]
    body.steps[:] = [s for s in body.steps if s is not step]
    body.arguments[step.results[0]] = TensorType(DType.of(array.dtype), array.shape)
    return True


def _random(rng: random.Random, type: TensorType) -> Array:
    numbers = np.random.default_rng(rng.randrange(1 << 30))
    shape = tuple(d for d in type.shape if isinstance(d, int))
    if type.dtype is DType.BOOL:
        return numbers.random(shape) < 0.5
    drawn = numbers.standard_normal(shape) if type.dtype.is_float else numbers.integers(0, 4, shape)
    return np.asarray(drawn).astype(type.dtype.numpy)
