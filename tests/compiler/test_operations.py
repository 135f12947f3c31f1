"""Every operation's example: its text, its numbers, and every storage order it claims to run in."""

from __future__ import annotations

import random

import numpy as np
import pytest
from nhwcc.compiler.dims import substitute
from nhwcc.compiler.interpreter import random_inputs, run
from nhwcc.compiler.ir import Func, Module
from nhwcc.compiler.opdef import OPS, Multiplies
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.printer import print_module
from nhwcc.compiler.verify import verify
from nhwcc.passes.propagate_layout import PropagateLayout
from samples import sample_op, samples

from nhwcc.testing import compare

SAMPLES = samples()
RUNNABLE = [name for name in SAMPLES if name != "custom"]
"""All but the operation that nobody knows the meaning of."""


def test_every_operation_has_an_example() -> None:
    assert set(OPS) == set(SAMPLES)


@pytest.mark.parametrize("name", SAMPLES)
def test_text_round_trip(name: str) -> None:
    text = print_module(Module(SAMPLES[name]))
    again = parse_module(text)
    verify(again)
    assert print_module(again) == text
    assert sample_op(again.main).spec.name == name


@pytest.mark.parametrize("name", SAMPLES)
def test_attributes_survive_when_all_are_stated(name: str) -> None:
    """Defaults are left out of the text; a clone with every attribute given must be the same operation."""
    op = sample_op(SAMPLES[name])
    if op.regions or op.spec.is_terminator:
        return  # regions belong to one operation only
    twin = op.spec.build(type(op), op.operands, op.attributes)
    assert [r.type for r in twin.results] == [r.type for r in op.results]
    assert twin.attributes == op.attributes
    twin.drop_operands()


@pytest.mark.parametrize("name", RUNNABLE)
def test_semantics_agree_with_inference(name: str) -> None:
    """The interpreter compares every result's shape with the inferred one (R003)."""
    func = SAMPLES[name]
    results = run(func, random_inputs(func, seed=1))
    assert [str(r.dtype) for r in results] == [str(v.type.dtype.numpy) for v in func.returns]


def _pins(func: Func, rng: random.Random) -> str:
    pins: list[str] = []
    for number, port in enumerate(func.outputs):
        port.name = f"out{number}"
    for port, value in zip((*func.inputs, *func.outputs), (*func.args, *func.returns), strict=True):
        perm = list(range(value.type.rank))
        rng.shuffle(perm)
        if len(perm) > 1:
            pins.append(f"{port.name}={'/'.join(map(str, perm))}")
    return ";".join(pins)


@pytest.mark.parametrize("channels", ["first", "last"])
@pytest.mark.parametrize("name", RUNNABLE)
def test_storage_orders(name: str, channels: str) -> None:
    """Whatever order inputs and outputs are stored in, the operation gives the same numbers."""
    text = print_module(Module(SAMPLES[name]))
    rng = random.Random(name)
    for _ in range(6):
        module = parse_module(text)
        pins = _pins(module.main, rng)
        PropagateLayout(io_layout=pins or "free", channels=channels).run(module)  # pyright: ignore[reportArgumentType]
        verify(module)
        compare(module, parse_module(text), pins)


def test_stored_orders_are_not_the_natural_one() -> None:
    """The test above would prove nothing if the pass put every input back into the source's order first."""
    module = parse_module(print_module(Module(SAMPLES["conv"])))
    PropagateLayout(io_layout="nhwc").run(module)
    assert [op.spec.name for op in module.walk()] == ["conv", "return"]
    assert module.main.inputs[0].perm == (0, 2, 3, 1)
    np.testing.assert_array_equal([p.perm for p in module.main.outputs], [(0, 2, 3, 1)])


@pytest.mark.parametrize(
    ("name", "batch", "want"),
    [
        ("conv", 2, 2 * 6 * 4 * 7 * (3 * 3 * 2)),
        ("conv_transpose", 2, 2 * 3 * 4 * 5 * (6 * 2 * 3)),
        ("matmul", 2, 2 * 4 * 2 * 3),
        ("linear", 2, 2 * 4 * 2 * 3),
    ],
)
def test_work(name: str, batch: int, want: int) -> None:
    """Multiply-accumulates, in the source's layout and in the one that a target wants."""
    for layout in ("keep", "nhwc"):
        module = parse_module(print_module(Module(SAMPLES[name])))
        PropagateLayout(io_layout=layout).run(module)
        (work,) = [op for op in module.walk() if isinstance(op, Multiplies)]
        assert substitute(work.macs(), {"batch": batch}) == want
