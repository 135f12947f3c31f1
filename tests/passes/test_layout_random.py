"""propagate-layout on random graphs: right numbers, and the optimum that brute force finds."""

from __future__ import annotations

import random

import numpy as np
import pytest
from brute_force import least_bytes
from nhwcc.compiler.interpreter import random_inputs, run
from nhwcc.compiler.ir import Module
from nhwcc.compiler.verify import verify
from nhwcc.passes.layout.candidates import collect, flood
from nhwcc.passes.layout.solve import Solution, solve
from nhwcc.passes.propagate_layout import PropagateLayout, parse_io_layout

from .random_graphs import random_module


def io_layout(seed: int) -> str:
    return random.Random(seed).choice(["free", "keep", "nhwc"])


def solved(module: Module, layout: str) -> Solution:
    func = module.main
    problem = collect(func, func.body, parse_io_layout(layout).axes, "last")
    solution = solve(problem)
    if solution.cost:
        flood(problem, solution.costly)
        solution = solve(problem)
    return solution


@pytest.mark.parametrize("seed", range(120))
def test_numbers_and_optimum(seed: int) -> None:
    layout = io_layout(seed)
    solution = solved(random_module(seed), layout)
    assert solution.cost == solution.bound
    assert solution.cost == least_bytes(random_module(seed).main, layout)
    check_numbers(seed, layout)


def check_numbers(seed: int, layout: str) -> None:
    module, original = random_module(seed), random_module(seed)
    PropagateLayout(io_layout=layout).run(module)
    verify(module)
    inputs = random_inputs(original.main, seed=seed)
    ports = module.main.inputs
    stored = [a if p.perm is None else a.transpose(p.perm) for a, p in zip(inputs, ports, strict=True)]
    results = zip(run(module.main, stored), run(original.main, inputs), module.main.outputs, strict=True)
    for got, want, port in results:
        wanted = want if port.perm is None else want.transpose(port.perm)
        assert got.shape == wanted.shape
        np.testing.assert_allclose(got, wanted, rtol=1e-3, atol=1e-4 * float(np.abs(want).max()) + 1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_idempotent(seed: int) -> None:
    """A second run finds the same optimum."""
    module = random_module(seed)
    before = solved(module, "free").cost
    PropagateLayout().run(module)
    assert solved(module, "free").cost == before
