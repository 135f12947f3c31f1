"""The proof about Transposes holds behind lowering: of all assignments of layouts, none gives a network with less."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

import pytest
from brute_force import count_assignments, every_assignment, transposed
from nhwcc.backends.tflite import PIPELINE
from nhwcc.compiler.diagnostics import CompileError, collect_remarks
from nhwcc.compiler.ir import Module
from nhwcc.compiler.pipeline import Pass, parse_pipeline
from nhwcc.passes.layout.proof import ASSIGNMENT, LayoutProof
from nhwcc.passes.layout.sites import MAX_FLOODED
from nhwcc.passes.propagate_layout import PropagateLayout

from nhwcc.pipelines import register_passes

from .random_graphs import random_module

MOST_OPERATIONS = 5
MOST_ASSIGNMENTS = 64
SEEDS = 2000

BUSY = 600.0
"""Seconds that the search may take, so that what else the machine does ends none: it needs three."""


def stages() -> tuple[list[Pass], list[Pass]]:
    """The passes before layouts are chosen, and those after."""
    register_passes()
    passes = parse_pipeline(PIPELINE)
    place = [p.name for p in passes].index(ASSIGNMENT)
    return passes[:place], passes[place + 1 :]


def prepared(seed: int) -> Module:
    module = random_module(seed, MOST_OPERATIONS)
    for p in stages()[0]:
        p.run(module)
    return module


def lowered(module: Module) -> tuple[int, int]:
    for p in stages()[1]:
        p.run(module)
    return transposed(module)


def has_many_axes(module: Module) -> bool:
    """Whether values have more axes than the search tries all orders of: then what it finds may be unproven."""
    return any(v.type.rank > MAX_FLOODED for op in module.walk() for v in op.results)


def counted(transposes: tuple[int, int], charge: int) -> tuple[int, int]:
    """What the search makes least: bytes, those too that slower forms count as; then the number of transposes."""
    moved, count = transposes
    return moved + charge, count


def judged(layout: str) -> Iterator[int]:
    """Compare graph after graph that needs a transpose and has few assignments; yield the seeds."""
    for seed in range(SEEDS):
        with suppress(CompileError):  # what this target can't run
            module = prepared(seed)
            assignments = count_assignments(module, layout)
            with collect_remarks() as remarks:
                PropagateLayout(io_layout=layout, time_limit=BUSY).run(module)
            chosen = lowered(module)
            proof = LayoutProof.of(remarks, chosen[1])
            assert proof is not None and proof.bytes == chosen[0] and proof.in_file == proof.chosen, seed
            if not proof.is_proven:
                assert proof.bound < proof.bytes and has_many_axes(module), seed
                continue
            if not chosen[1] or assignments > MOST_ASSIGNMENTS:
                continue
            every = every_assignment(lambda seed=seed: prepared(seed), layout)
            costs = (counted(lowered(assigned), charge) for assigned, charge in every)
            assert counted(chosen, proof.charge) == min(costs), seed
            yield seed


@pytest.mark.parametrize("layout", ["keep", "nhwc"])
def test_no_assignment_is_cheaper(layout: str) -> None:
    assert len(list(islice(judged(layout), 5))) == 5


@pytest.mark.long
@pytest.mark.parametrize("layout", ["keep", "nhwc"])
def test_no_assignment_is_cheaper_in_a_hundred_graphs(layout: str) -> None:
    assert len(list(islice(judged(layout), 120))) == 120
