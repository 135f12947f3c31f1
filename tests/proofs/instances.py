"""Instances of a rule, made from its own text: small modules that its left side matches.

Operands of commutative operations come in either order, attributes that the rule does not name at their default or not,
constants where guards may want them, and several ranks, shapes that broadcast and element types.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from nhwcc.compiler.clone import clone_module
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.dims import static
from nhwcc.compiler.ir import Func, Module, Port, Region, Value
from nhwcc.compiler.opdef import Attribute, Commutative, Elementwise
from nhwcc.compiler.ops.arith import ACTIVATIONS
from nhwcc.compiler.ops.core import Const, Return
from nhwcc.compiler.ops.reduce import REDUCTIONS
from nhwcc.compiler.printer import print_module
from nhwcc.compiler.rewrite import Pattern, rewrite
from nhwcc.compiler.rule_params import Call, Hole, Literal, Var
from nhwcc.compiler.rules import Absent, Node, Rule, Splat, Term
from nhwcc.compiler.types import Array, DType, TensorType
from nhwcc.compiler.verify import verify
from nhwcc.compiler.weights import Weight

from .equivalence import FAULTS, difference, evaluate_as, outputs, stays_finite, tolerance

DTYPES = (DType.F32, DType.F64, DType.F16, DType.I32, DType.I8, DType.U8, DType.I64, DType.BOOL)
NUMBERS = (-math.inf, math.inf, 0.0, 0.0, 1.0, 6.0, -1.0, 0.5, -0.5, 2.0, 3.0, -2.5, 0.1)
SPECIAL = (0.0, -0.0, 1.0, -1.0, 6.0, 1e-30, -1e-30, 100.0, -100.0, 3e4, -3e4)


class Misfit(Exception):
    """This element type or shape has no such instance."""


@dataclass(frozen=True)
class Instance:
    """A module that a rule's left side may match, in the form before the rule, and inputs for it."""

    module: Module
    inputs: tuple[list[Array], ...]


class Generator:
    """Makes one instance; all choices come from ``rng``."""

    def __init__(self, rule: Rule, rng: random.Random, dtype: DType, *, defaults: bool) -> None:
        self.rule, self.rng, self.dtype, self.defaults = rule, rng, dtype, defaults
        self.arrays = np.random.default_rng(rng.randrange(1 << 30))
        self.shape = tuple(rng.choice([1, 2, 2, 3]) for _ in range(rng.choice([0, 1, 2, 2, 3, 3, 4, 5])))
        if self.shape and rng.random() < 0.03:
            self.shape = (0, *self.shape[1:])
        self.region = Region()
        self.values: dict[str, Value] = {}
        self.attributes: dict[str, Any] = {}
        guarded = [p for guard in rule.guards for p in _leaves(guard)]
        self.guarded = {p.name for p in guarded if isinstance(p, Var)}
        literals = [p.value for p in guarded if isinstance(p, Literal) and isinstance(p.value, float)]
        self.numbers = literals * 8 + list(NUMBERS)

    def instance(self) -> Instance:
        """Build the left side.

        Raises:
            Misfit: there is no such instance.
            CompileError: the operations don't take these operands.
        """
        root = self.node(self.rule.left)
        self.region.insert(Return((root,)))
        module = Module(Func("main", self.region, [Port(str(a.name)) for a in self.region.args], [Port("y")]))
        verify(module)
        shapes = [static(a.type.shape) for a in self.region.args]
        return Instance(module, ([self.plain(s) for s in shapes], [self.special(s) for s in shapes]))

    def plain(self, shape: tuple[int, ...]) -> Array:
        """Ordinary elements."""
        if self.dtype is DType.BOOL:
            return self.arrays.random(shape) < 0.5
        if self.dtype.is_int:
            return self.arrays.integers(0 if self.dtype.value[0] == "u" else -9, 10, shape).astype(self.dtype.numpy)
        scale = self.rng.choice([0.5, 1, 4])
        return np.asarray(self.arrays.standard_normal(shape) * scale).astype(self.dtype.numpy)

    def special(self, shape: tuple[int, ...]) -> Array:
        """Elements at the ends of integer types; zeros, tiny and large numbers."""
        if self.dtype is DType.BOOL:
            return self.plain(shape)
        if self.dtype.is_int:
            ends = np.iinfo(self.dtype.numpy)
            pool = np.asarray([ends.min, ends.max, 0, 1, ends.max - 1], self.dtype.numpy)
        else:
            with np.errstate(all="ignore"):
                pool = np.asarray(SPECIAL).astype(self.dtype.numpy)
        return np.asarray(pool[self.arrays.integers(0, len(pool), shape)])

    def constant(self, array: Array) -> Value:
        return self.region.insert(Const(Weight.of(np.asarray(array).astype(self.dtype.numpy)))).results[0]

    def broadcast(self) -> tuple[int, ...]:
        """The common shape, or one that broadcasts to it."""
        if self.rng.random() < 0.6:
            return self.shape
        part = [d if self.rng.random() < 0.7 else 1 for d in self.shape]
        return tuple(part[self.rng.choice([0, 0, 1, len(part)]) :])

    def term(self, term: Term) -> Value | None:
        match term:
            case Var(name):
                if name not in self.values:
                    self.values[name] = self.variable(name)
                return self.values[name]
            case Absent():
                return None
            case Splat(number):
                return self.splat(number)
            case Node():
                return self.node(term)
            case Hole() | Call():
                raise Misfit("an attribute is no operand of a left side")

    def variable(self, name: str) -> Value:
        """An argument, or a constant, above all where a guard asks about it."""
        shape = self.broadcast()
        if self.rng.random() < (0.85 if name in self.guarded else 0.1):
            if self.rng.random() < (0.7 if name in self.guarded else 0.3):
                shape = self.rng.choice([(), (1,) * len(self.shape), shape])
                number = self.rng.choice([self.rng.choice(self.numbers), self.rng.gauss(0, 1), self.rng.random()])
                return self.splat(number, shape)
            return self.constant(self.plain(shape))
        value = Value(TensorType(self.dtype, shape), None, f"x{len(self.region.args)}")
        self.region.args.append(value)
        return value

    def splat(self, number: float, shape: tuple[int, ...] | None = None) -> Value:
        if not self.dtype.is_float and (not math.isfinite(number) or number != int(number)):
            raise Misfit("no integer")
        if self.dtype in (DType.U8, DType.BOOL) and number < 0:
            raise Misfit("negative")
        shapes = [(), (), (1,) * len(self.shape), self.broadcast()]
        return self.constant(np.full(self.rng.choice(shapes) if shape is None else shape, number))

    def node(self, node: Node) -> Value:
        if node.alias is not None and node.alias in self.values:
            return self.values[node.alias]
        spec = node.op.spec
        operands = [self.term(t) for t in node.terms]
        operands += [None] * (len(spec.operands) - len(operands))
        if spec.has(Commutative) and self.rng.random() < 0.5:
            operands.reverse()
        op = self.region.insert(spec.build(node.op, operands, spec.bind_attributes(self.given(node, operands))))
        if node.alias is not None:
            self.values[node.alias] = op.results[0]
        return op.results[0]

    def given(self, node: Node, operands: list[Value | None]) -> dict[str, Any]:
        """Attributes that the rule names, and others now and then."""
        named, given = dict(node.named), dict[str, Any]()
        for name, attribute in node.op.spec.attributes.items():
            match named.get(name):
                case Hole() as hole if not hole.is_any:
                    if hole.name not in self.attributes:
                        self.attributes[hole.name] = self.attribute(attribute, operands)
                    given[name] = self.attributes[hole.name]
                case Literal(value):
                    given[name] = value
                case Call() | Var():
                    raise Misfit("an attribute of the left side is computed")
                case param:
                    if param is not None or attribute.is_required or not self.defaults:
                        given[name] = self.attribute(attribute, operands)
        return given

    def attribute(self, attribute: Attribute, operands: list[Value | None]) -> Any:
        """A value by the attribute's name where it must fit the operands, else by its type."""
        shape = static(operands[0].type.shape) if operands and operands[0] is not None else ()
        if attribute.name in _FITTING:
            return _FITTING[attribute.name](self.rng, shape)
        if attribute.type is bool:
            return self.rng.random() < 0.5
        if attribute.is_float:
            finite = [n for n in self.numbers if math.isfinite(n)]
            pool = self.numbers if attribute.type is float else finite
            return self.rng.choice([1e-5, 1e-3, 0.1] if attribute.name == "epsilon" else pool)
        if attribute.is_required:
            raise Misfit(f"no values are known for the attribute {attribute.name}")
        return attribute.default


def _leaves(call: Call) -> Iterator[Hole | Literal | Var]:
    for p in call.params:
        if isinstance(p, Call):
            yield from _leaves(p)
        else:
            yield p


def _perm(rng: random.Random, shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(rng.sample(range(len(shape)), len(shape)))


def _target(rng: random.Random, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Another shape of as many elements."""
    rest, factors = math.prod(shape), list[int]()
    for d in (2, 3, 2, 2, 3):
        if rest and rest % d == 0 and rng.random() < 0.7:
            factors.append(d)
            rest //= d
    factors += [rest] + [1] * rng.choice([0, 0, 1, 2])
    return tuple(rng.sample(factors, len(factors)))


def _dims(rng: random.Random, shape: tuple[int, ...]) -> tuple[int, ...]:
    if not shape:
        raise Misfit("no axes")
    return tuple(sorted(rng.sample(range(len(shape)), rng.randint(1, len(shape)))))


_FITTING: dict[str, Callable[[random.Random, tuple[int, ...]], Any]] = {
    "perm": _perm,
    "shape": _target,
    "dims": _dims,
    "activation": lambda rng, _: rng.choice(list(ACTIVATIONS)),
    "kind": lambda rng, _: rng.choice(list(REDUCTIONS)),
}
"""How to choose attributes that must fit the shape of the first operand, or are one of a few words."""


@dataclass
class Checked:
    """What the instances of one rule came to; ``wrong`` is the smallest module on which it was wrong, and why."""

    built: int = 0
    fired: int = 0
    dtypes: set[DType] = field(default_factory=lambda: set[DType]())
    wrong: tuple[str, str] | None = None

    def blame(self, why: str, module: Module) -> None:
        """Keep the smallest example."""
        text = print_module(module)
        if self.wrong is None or len(text) < len(self.wrong[1]):
            self.wrong = (why, text)


def check_rule(rule: Rule, rounds: int, *, until_wrong: bool = False, salt: str = "") -> Checked:
    """Apply a rule to ``rounds`` instances of every element type, others for every ``salt``, and compare both sides."""
    found = Checked()
    for number in range(rounds):
        for dtype in DTYPES:
            rng = random.Random(f"{rule.name} {number} {dtype}{salt}")
            try:
                instance = Generator(rule, rng, dtype, defaults=number % 4 != 0).instance()
            except (Misfit, CompileError):
                continue
            if is_typed(instance.module):
                found.built += 1
                _check(rule, instance, found)
            if until_wrong and found.wrong is not None:
                return found
    return found


def _check(rule: Rule, instance: Instance, found: Checked) -> None:
    module = clone_module(instance.module)
    try:
        kept = [arrays for arrays in instance.inputs if stays_finite(instance.module, arrays)]
        wanted = [outputs(instance.module, arrays) for arrays in kept]
    except CompileError:
        return
    try:
        if not rewrite(module, [Pattern(rule.name, (rule.left.op,), rule.apply)]):
            return
        verify(module)
        found.fired += 1
        found.dtypes.add(module.main.returns[0].type.dtype)
        got = [outputs(module, arrays) for arrays in kept]
    except FAULTS as bad:
        found.blame(f"{type(bad).__name__}: {bad}", instance.module)
        return
    for arrays, g, w in zip(kept, got, wanted, strict=True):
        why = difference(g, w, tolerance(instance.module))
        if why is not None and not _is_rounding(instance.module, module, arrays):
            found.blame(why, instance.module)


def _is_rounding(original: Module, module: Module, inputs: list[Array]) -> bool:
    """Whether both sides agree when they are computed in f64."""
    wide = [a.astype(np.float64) for a in inputs if a.dtype.kind == "f"]
    if not wide or len(wide) < len(inputs):
        return False
    return difference(evaluate_as(module, wide), evaluate_as(original, wide), tolerance(original)) is None


def is_typed(module: Module) -> bool:
    """Whether numpy computes every elementwise operation in the kind of type that the IR says."""
    for op in module.main.ops:
        if op.spec.has(Elementwise) and op.spec.evaluate is not None:
            ones = [None if v is None else np.ones([1] * v.type.rank, v.type.dtype.numpy) for v in op.operands]
            try:
                with np.errstate(all="ignore"):
                    made = np.asarray(op.spec.evaluate(*ones, **op.attributes))
            except (TypeError, OverflowError, ValueError):
                return False
            if made.dtype.kind != op.results[0].type.dtype.numpy.kind:
                return False
    return True
