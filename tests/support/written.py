"""What tests of all targets do: draw inputs, legalize, lay arrays out as a file has them, compare outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from nhwcc.backends.common import legalize as _legalize  # noqa: F401  # pyright: ignore[reportUnusedImport]
from nhwcc.compiler import ops as _ops  # noqa: F401  # pyright: ignore[reportUnusedImport]
from nhwcc.compiler.interpreter import random_inputs, run
from nhwcc.compiler.ir import Func, Module
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.pipeline import Pipeline, parse_pipeline
from nhwcc.compiler.printer import print_module
from nhwcc.compiler.types import Array
from nhwcc.compiler.verify import verify

REDUCED_TO_CONSTANTS = """
func @main(%x: f32[2,0,3], %y: f32[2,3]) -> (f32[2,3] {name = "a"}, f32[2,1,3] {name = "b"}, f32[2] {name = "c"}) {
  %largest = reduce(%x) {kind = "max", dims = [1], keepdims = false} : f32[2,3]
  %a = max(%largest, %y) : f32[2,3]
  %b = reduce(%x) {kind = "prod", dims = [1]} : f32[2,1,3]
  %c = reduce(%x) {kind = "log_sum_exp", dims = [1, 2], keepdims = false} : f32[2]
  return(%a, %b, %c)
}"""
"""Reductions of no elements, for which targets need no kernel."""


@dataclass(frozen=True)
class Legalized:
    """A module that was legalized, with its inputs in each run, and what its own semantics gave for them before."""

    module: Module
    runs: list[list[Array]]
    wanted: list[list[Array]]
    text: str


def legalized(
    given: Module | str,
    legalize: str,
    *,
    sizes: Sequence[Mapping[str, int]],
    inputs: Mapping[str, Any] | None,
    passes: str | None = None,
) -> Legalized:
    """Legalize by ``passes``, by default ``legalize``, cse and dce, and check that ``legalize`` changes nothing again.

    ``sizes`` are numbers for named sizes, one mapping per run; ``inputs`` replace random ones by name.
    """
    module = parse_module(given) if isinstance(given, str) else given
    name_outputs(module.main)
    verify(module)
    runs = [drawn(module.main, s, inputs or {}) for s in sizes]
    wanted = [run(module.main, r) for r in runs]
    Pipeline(parse_pipeline(passes or f"{legalize},cse,dce")).run(module)
    verify(module)
    text = print_module(module)
    Pipeline(parse_pipeline(legalize)).run(module)
    assert print_module(module) == text, "legalize is not idempotent"
    return Legalized(module, runs, wanted, text)


def constant_text(*shape: int) -> str:
    """Return the text of a constant of f32 whose elements differ, the same one for each shape."""
    array = np.random.default_rng(len(shape)).standard_normal(shape).round(2)
    dims = ",".join(map(str, shape))
    return f"const() {{value = dense<{array.tolist()}> : f32[{dims}]}} : f32[{dims}]"


def name_outputs(func: Func) -> None:
    for number, port in enumerate(func.outputs):
        port.name = port.name or f"y{number}"


def drawn(func: Func, sizes: Mapping[str, int], replaced: Mapping[str, Any]) -> list[Array]:
    random = random_inputs(func, sizes=sizes, default=3)
    pairs = zip(func.inputs, random, strict=True)
    return [np.asarray(replaced[p.name], a.dtype) if p.name in replaced else a for p, a in pairs]


def lay_out(func: Func, arrays: Sequence[Array]) -> dict[str, Array]:
    pairs = zip(func.inputs, arrays, strict=True)
    return {p.name: np.asarray(a if p.perm is None else a.transpose(p.perm)) for p, a in pairs}


def compare(
    func: Func, got: Mapping[str, Array], want: Sequence[Array], tolerance: tuple[float, float], what: str
) -> None:
    """Differences count relative to the largest number, and relative to ``tolerance[1]`` where all are smaller."""
    for port, w in zip(func.outputs, want, strict=True):
        g = np.asarray(got[port.name])
        w = w if port.perm is None else w.transpose(port.perm)
        assert g.shape == w.shape, f"{port.name}: {g.shape} instead of {w.shape}; {what}"
        assert g.dtype == w.dtype, f"{port.name}: {g.dtype} instead of {w.dtype}; {what}"
        if w.dtype.kind in "biu" or w.dtype.kind == "V":
            assert np.array_equal(g, w), f"{port.name}; {what}"
            continue
        finite = np.isfinite(w)
        assert np.array_equal(np.isnan(g), np.isnan(w)), f"{port.name}: other NaN; {what}"
        assert np.array_equal(g[~finite & ~np.isnan(w)], w[~finite & ~np.isnan(w)]), f"{port.name}: infinities; {what}"
        difference = np.abs(g[finite].astype(np.float64) - w[finite].astype(np.float64))
        largest = max(float(np.abs(w[finite]).max(initial=0)), tolerance[1])
        assert difference.max(initial=0) <= tolerance[0] * largest, f"{port.name}: {difference.max()}; {what}"
