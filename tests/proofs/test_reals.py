"""What z3 is told is what numpy computes: every meaning, every law and every guard, at random numbers."""

from __future__ import annotations

import math
import operator
import random
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from nhwcc.compiler import ops as _ops  # noqa: F401  # pyright: ignore[reportUnusedImport]
from nhwcc.compiler.opdef import OPS
from nhwcc.compiler.ops.arith import ACTIVATIONS
from nhwcc.compiler.rule_helpers import HELPERS

from .reals import EXTENDED, Extended, Meaning, exact, z3
from .rewrites import rules
from .theorems import FUNCTIONS, GUARDS

FUNCTIONS_OF_REALS: dict[str, Callable[..., float]] = {
    "EXP": math.exp,
    "LOG": math.log,
    "SQRT": math.sqrt,
    "ERF": math.erf,
    "TANH": math.tanh,
    "ATAN": math.atan,
    "ASIN": math.asin,
    "ACOS": math.acos,
    "ATAN2": math.atan2,
    "root_2": lambda: math.sqrt(2),
    "root_2_over_pi": lambda: math.sqrt(2 / math.pi),
}


def _close(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-7, abs_tol=1e-9)


def _at_most(a: float, b: float) -> bool:
    return a <= b + 1e-9


def _sum(*values: float) -> float:
    return sum(values)


def _product(*values: float) -> float:
    return math.prod(values)


def _divide(a: float, b: float) -> float:
    return a / b


def _all(*values: bool) -> bool:
    return all(values)


def _any(*values: bool) -> bool:
    return any(values)


def _differ(a: float, b: float) -> bool:
    return not _close(a, b)


def _at_least(a: float, b: float) -> bool:
    return _at_most(b, a)


OPERATORS: dict[int, Callable[..., Any]] = {
    z3.Z3_OP_ADD: _sum,
    z3.Z3_OP_MUL: _product,
    z3.Z3_OP_SUB: operator.sub,
    z3.Z3_OP_UMINUS: operator.neg,
    z3.Z3_OP_DIV: _divide,
    z3.Z3_OP_LE: _at_most,
    z3.Z3_OP_GE: _at_least,
    z3.Z3_OP_LT: operator.lt,
    z3.Z3_OP_GT: operator.gt,
    z3.Z3_OP_EQ: _close,
    z3.Z3_OP_DISTINCT: _differ,
    z3.Z3_OP_AND: _all,
    z3.Z3_OP_OR: _any,
    z3.Z3_OP_NOT: operator.not_,
    z3.Z3_OP_TRUE: lambda: True,
    z3.Z3_OP_FALSE: lambda: False,
}


def value(term: Any, numbers: dict[str, float]) -> Any:
    """Evaluate what z3 would reason about, in floating point."""
    if z3.is_rational_value(term) or z3.is_int_value(term):
        return float(Fraction(str(term)))
    kind = term.decl().kind()
    if kind == z3.Z3_OP_ITE:
        condition, a, b = term.children()
        return value(a if value(condition, numbers) else b, numbers)
    if kind == z3.Z3_OP_IMPLIES:
        return not value(term.arg(0), numbers) or value(term.arg(1), numbers)
    arguments = [value(a, numbers) for a in term.children()]
    name = str(term.decl().name())
    if name in numbers:
        return numbers[name]
    return FUNCTIONS_OF_REALS[name](*arguments) if name in FUNCTIONS_OF_REALS else OPERATORS[kind](*arguments)


def number(x: Extended, numbers: dict[str, float]) -> float:
    sign = value(x.sign, numbers)
    return math.copysign(math.inf, sign) if sign else value(x.number, numbers)


MEANINGS = sorted({n.removeprefix("op_") for n in dir(Meaning) if n.startswith("op_")} | set(EXTENDED))
ALONG_AXES = ("reduce", "layer_norm", "rms_norm")


@pytest.mark.parametrize("name", [n for n in MEANINGS if n not in ALONG_AXES])
def test_meanings_and_laws(name: str) -> None:
    spec, rng = OPS[name].spec, random.Random(name)
    for _ in range(40):
        given = {a.name: _attribute(a.name, a.type, rng) for a in spec.attributes.values()}
        inside = 1 if name in ("asin", "acos") else 3
        numbers = {f"x{i}": rng.choice([rng.uniform(-inside, inside), 0.5, 1.0]) for i in range(len(spec.operands))}
        operands = [Extended.of(z3.Real(n)) for n in numbers]
        if name == "pow":
            numbers["x1"] = rng.choice([-2.0, -1.0, -0.5, 0.5, 1.0, 2.0, 3.0])
            operands[1] = Extended.of(numbers["x1"])
        meaning = Meaning()
        meant = meaning.apply(name, operands, given)
        if not all(value(d, numbers) for d in meaning.domain):
            continue
        assert spec.evaluate is not None
        want = float(np.asarray(spec.evaluate(*(np.float64(v) for v in numbers.values()), **given)))
        assert number(meant, numbers) == pytest.approx(want, rel=1e-6, abs=1e-9), (numbers, given)
        assert all(value(fact, numbers) for fact in meaning.facts), [f for f in meaning.facts if not value(f, numbers)]


def _attribute(name: str, type: Any, rng: random.Random) -> Any:
    if type is bool:
        return rng.random() < 0.5
    if name == "activation":
        return rng.choice(list(ACTIVATIONS))
    return (
        rng.choice([0.5, 0.25, 1.0, 2.0])
        if name not in ("min", "max")
        else rng.choice([-math.inf, -1.0, 0.0, 1.0, math.inf])
    )


@pytest.mark.parametrize("name", sorted(set(GUARDS) & set(HELPERS) - {"is-slope"}))
def test_guards_mean_what_they_check(name: str) -> None:
    rng, pool = random.Random(name), [-math.inf, -1.0, 0.0, 0.5, 1.0, 6.0, math.inf]
    for _ in range(60):
        given = [rng.choice(pool) for _ in range(HELPERS[name].__code__.co_argcount)]
        assert value(GUARDS[name](*map(Extended.of, given)), {}) == bool(HELPERS[name](*given)), given


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) & set(HELPERS) - {"uniform"}))
def test_attributes_are_computed_as_meant(name: str) -> None:
    rng, pool = random.Random(name), [-math.inf, -1.0, 0.0, 0.5, math.inf]
    for _ in range(40):
        given = [rng.choice(pool) for _ in range(2)]
        assert number(FUNCTIONS[name](*map(Extended.of, given)), {}) == HELPERS[name](*given)


def test_literals_stand_for_exact_numbers() -> None:
    assert str(exact(0.16666667)) == "1/6"
    assert str(exact(0.70710678)) == str(exact(1 / math.sqrt(2)))
    assert str(exact(0.044715)) == str(z3.RealVal("0.044715"))
    assert rules(), "there is something to prove"
