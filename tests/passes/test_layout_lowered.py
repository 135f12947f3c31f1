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
from nhwcc.passes.propagate_layout import PropagateLayout

from nhwcc.pipelines import register_passes

from .random_graphs import random_module

MOST_OPERATIONS = 5
MOST_ASSIGNMENTS = 64
SEEDS = 1000


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


def judged(layout: str) -> Iterator[int]:
    """Compare graph after graph that needs a transpose and has few assignments; yield the seeds."""
    for seed in range(SEEDS):
        with suppress(CompileError):  # what this target can't run
            module = prepared(seed)
            assignments = count_assignments(module, layout)
            with collect_remarks() as remarks:
                PropagateLayout(io_layout=layout).run(module)
            chosen = lowered(module)
            proof = LayoutProof.of(remarks, chosen[1])
            assert proof is not None and proof.is_proven and proof.bytes == chosen[0], seed
            if not chosen[1] or assignments > MOST_ASSIGNMENTS:
                continue
            every = every_assignment(lambda seed=seed: prepared(seed), layout)
            assert chosen == min(map(lowered, every)), seed
            yield seed


@pytest.mark.parametrize("layout", ["keep", "nhwc"])
def test_no_assignment_is_cheaper(layout: str) -> None:
    assert len(list(islice(judged(layout), 5))) == 5


@pytest.mark.long
@pytest.mark.parametrize("layout", ["keep", "nhwc"])
def test_no_assignment_is_cheaper_in_a_hundred_graphs(layout: str) -> None:
    assert len(list(islice(judged(layout), 120))) == 120
