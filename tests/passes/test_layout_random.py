"""propagate-layout on random graphs: right numbers, and the optimum that brute force finds."""

from __future__ import annotations

import random

import numpy as np
import pytest
from brute_force import least_bytes, solved
from nhwcc.compiler.interpreter import random_inputs, run
from nhwcc.compiler.ir import Module
from nhwcc.compiler.verify import verify
from nhwcc.passes.propagate_layout import PropagateLayout

from .random_graphs import random_module


def io_layout(seed: int) -> str:
    return random.Random(seed).choice(["free", "keep", "nhwc"])


@pytest.mark.parametrize("seed", range(120))
def test_numbers_and_optimum(seed: int) -> None:
    layout = io_layout(seed)
    solution = solved(random_module(seed).main, layout)
    assert solution.cost == solution.bound
    assert solution.cost + solution.charge == least_bytes(random_module(seed).main, layout)
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


def reordered(module: Module, seed: int) -> Module:
    """Put the operations of the main function into another order in which each follows what it reads."""
    rng, region = random.Random(seed), module.main.body
    waiting = [op for op in region.ops if not op.spec.is_terminator]
    for op in waiting:
        region.ops.remove(op)
    placed: set[object] = set()
    while waiting:
        ready = [op for op in waiting if all(v is None or v.owner is None or v.owner in placed for v in op.operands)]
        op = rng.choice(ready)
        waiting.remove(op)
        placed.add(op)
        region.insert(op, before=region.terminator)
    verify(module)
    return module


@pytest.mark.parametrize("seed", range(40))
def test_program_order_changes_nothing(seed: int) -> None:
    """The same orders are chosen for the same values, whatever the order of the operations."""
    layout = io_layout(seed)
    one, other = random_module(seed), reordered(random_module(seed), seed)
    found = solved(one.main, layout), solved(other.main, layout)
    assert len({(s.cost, s.charge, s.moves, s.bound) for s in found}) == 1
    chosen = [sorted(str(m.orders) for m in s.modes.values()) for s in found]
    assert chosen[0] == chosen[1]


@pytest.mark.parametrize("seed", range(5))
def test_idempotent(seed: int) -> None:
    """A second run finds the same optimum."""
    module = random_module(seed)
    before = solved(module.main).cost
    PropagateLayout().run(module)
    assert solved(module.main).cost == before
