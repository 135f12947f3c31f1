"""Functions keep their digits in the runtime: element by element, relative to what each one is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from nhwcc.compiler.types import Array
from scipy import special  # pyright: ignore[reportMissingTypeStubs]

import nhwcc

SCIPY: Any = special

TINY = np.logspace(-7, -0.1, 60)
WIDE = np.concatenate([-np.logspace(1.4, -7, 80), np.logspace(-7, 1.4, 80)])
HARD: dict[str, tuple[Callable[[Array], Array], Array]] = {
    "log1p": (np.log1p, np.concatenate([-TINY, TINY, np.logspace(0, 30, 40), [-0.5, 1]])),
    "expm1": (np.expm1, np.concatenate([-np.logspace(1, -7, 60), np.logspace(-7, 1.9, 60)])),
    "atanh": (np.arctanh, np.concatenate([-TINY, TINY, [0.9, 0.99, 0.9999]])),
    "asinh": (np.arcsinh, np.concatenate([WIDE, [1e6, -1e20]])),
    "acosh": (np.arccosh, 1 + np.logspace(-6, 8, 90)),
    "softplus": (lambda x: np.logaddexp(0, x), WIDE),
    "elu": (lambda x: np.where(x < 0, np.expm1(x), x), WIDE),
}


def computed(statement: str, x: Array) -> Array:
    text = f"func @main(%x: f32[{x.size}]) -> (f32[{x.size}]) {{\n%y = {statement} : f32[{x.size}]\nreturn(%y)\n}}"
    return next(iter(nhwcc.compile(text.encode(), verify=False)(x).values()))


def furthest(found: Array, want: Array) -> float:
    """The largest error relative to an element; what is infinite or no number has to be so on both sides."""
    finite = np.isfinite(want)
    assert (np.isnan(found) == np.isnan(want)).all() and (found[np.isinf(want)] == want[np.isinf(want)]).all()
    return float((np.abs(found - want)[finite] / np.maximum(np.abs(want[finite]), 1e-37)).max())


@pytest.mark.parametrize("name", HARD)
def test_near_difficult_points(name: str) -> None:
    function, points = HARD[name]
    x = points.astype(np.float32)
    assert furthest(computed(f"{name}(%x)", x), function(x.astype(np.float64))) < 1e-5


def test_ends() -> None:
    assert computed("log1p(%x)", np.asarray([-1, np.inf, 0, -2], np.float32))[:3].tolist() == [-np.inf, np.inf, 0]
    assert computed("softplus(%x)", np.asarray([-200, 200, 0], np.float32))[1] == 200


SPECIAL: dict[str, tuple[str, Array]] = {
    "bessel_i0": ("i0", np.linspace(-20, 20, 99)),
    "bessel_i0e": ("i0e", np.linspace(-200, 200, 99)),
    "bessel_i1": ("i1", np.linspace(-20, 20, 98)),
    "bessel_i1e": ("i1e", np.linspace(-200, 200, 98)),
    "erfc": ("erfc", np.linspace(-4, 8, 200)),
    "erfcx": ("erfcx", np.linspace(-5, 30, 200)),
    "erfinv": ("erfinv", np.concatenate([-TINY, TINY, [-1, 1, 0.999]])),
    "log_ndtr": ("log_ndtr", np.linspace(-20, 5, 200)),
    "ndtri": ("ndtri", np.concatenate([np.logspace(-30, -0.1, 90), 1 - np.logspace(-6, -0.1, 50), [0, 1, 0.5]])),
}


@pytest.mark.parametrize("name", SPECIAL)
def test_special_functions(name: str) -> None:
    function, points = SPECIAL[name]
    x = points.astype(np.float32)
    found = computed(f'special(%x) {{function = "{name}"}}', x)
    assert furthest(found, getattr(SCIPY, function)(x.astype(np.float64))) < 1e-5


@pytest.mark.parametrize(("name", "function"), [("lgamma", "gammaln"), ("digamma", "psi")])
def test_poles_of_gamma_functions(name: str, function: str) -> None:
    x = np.asarray([-3, -2, -1, -0.0, 0, 1], np.float32)
    want = getattr(SCIPY, function)(x.astype(np.float64))
    np.testing.assert_allclose(computed(f'special(%x) {{function = "{name}"}}', x), want, atol=1e-5)


@pytest.mark.parametrize(("name", "function"), [("lgamma", "gammaln"), ("digamma", "psi")])
def test_gamma_functions(name: str, function: str) -> None:
    """They have zeros, where an error relative to the result says nothing."""
    x = np.concatenate([np.linspace(-6.7, 10, 201), np.logspace(1, 6, 30)]).astype(np.float32)
    want = getattr(SCIPY, function)(x.astype(np.float64))
    error = np.abs(computed(f'special(%x) {{function = "{name}"}}', x) - want) / np.maximum(np.abs(want), 1)
    assert error.max() < 1e-5
