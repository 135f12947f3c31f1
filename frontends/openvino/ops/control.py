"""If, TensorIterator and Loop: decided and unrolled while importing where that can be, else regions of the IR."""

from __future__ import annotations

from collections.abc import Sequence

from ....compiler.ir import Region, Value
from ....compiler.ops import control as ir
from ....compiler.ops.core import Return
from ....formats.openvino.model import Body
from ..emitter import Emitter
from ..registry import openvino_op
from .iteration import Iteration, unrolled
from .loops import looped
from .sequences import as_sequence

MAX_STEPS = 512
"""Longer loops are not unrolled."""


@openvino_op("If", since=8)
def if_(emit: Emitter, condition: Value, *operands: Value) -> tuple[Value, ...]:
    """The branch that is known to be taken, or both as regions."""
    bodies = [_body(emit, name) for name in ("then_body", "else_body")]
    known = emit.known(condition)
    if known is not None and known.size == 1:
        body = bodies[0] if known.item() else bodies[1]
        return _results(emit, body, emit.around.inline(body, _given(emit, body, (condition, *operands))))
    then, otherwise = (_branch(emit, body, (condition, *operands)) for body in bodies)
    first, second = ([v.type for v in region.returns] for region in (then, otherwise))
    if [(t.dtype, t.rank) for t in first] != [(t.dtype, t.rank) for t in second]:
        raise emit.undecided(condition, (first, second))
    sizes = tuple(emit.fresh() for _ in ir.differing_sizes(first, second))
    return emit.all(ir.If(emit.reshape(condition, ()), then, otherwise, sizes))


def _branch(emit: Emitter, body: Body, operands: Sequence[Value]) -> Region:
    region, found = emit.around.region(body, _given(emit, body, operands))
    region.insert(Return(_results(emit, body, found)))
    return region


def _body(emit: Emitter, name: str) -> Body:
    if name not in emit.layer.bodies:
        raise emit.fail(f"lacks its {name}", code="F006", help="The file is damaged.")
    return emit.layer.bodies[name]


def _given(emit: Emitter, body: Body, operands: Sequence[Value]) -> list[Value]:
    """Return the operands that a branch's Parameters stand for."""
    by_port = {port.id: v for port, v in zip(emit.layer.inputs, operands, strict=False)}
    links = {link.internal: by_port.get(link.external) for link in body.inputs}
    found = [links.get(layer.id) for layer in body.network.of_type("Parameter")]
    if any(v is None for v in found):
        raise emit.fail("has a body whose Parameter is connected to nothing", code="F006", help="The file is damaged.")
    return [v for v in found if v is not None]


def _results(emit: Emitter, body: Body, values: Sequence[Value]) -> tuple[Value, ...]:
    """Return a branch's Results in the order of the layer's."""
    places = {layer.id: i for i, layer in enumerate(body.network.of_type("Result"))}
    links = {link.external: places.get(link.internal) for link in body.outputs}
    found = [links.get(port.id) for port in emit.layer.outputs]
    if any(i is None for i in found):
        raise emit.fail("has a result that no Result of a body gives", code="F006", help="The file is damaged.")
    return tuple(values[i] for i in found if i is not None)


@openvino_op("TensorIterator")
def tensor_iterator(emit: Emitter, *operands: Value) -> tuple[Value, ...]:
    """A recurrent layer if the body is nothing but a cell; else unrolled, or a ``while``."""
    found = Iteration.of(emit, _body(emit, "body"), operands)
    count = found.count(emit)
    if count is None:
        raise emit.fail("iterates over nothing", code="F006", help="The file is damaged.")
    sequence = as_sequence(emit, found)
    if sequence is not None:
        return sequence
    if isinstance(count, int) and count <= MAX_STEPS:
        done = unrolled(emit, found, count, None)
        assert done is not None
        return done
    return looped(emit, found, count, found.number(emit, count), None)


@openvino_op("Loop", since=5)
def loop(emit: Emitter, trips: Value, condition: Value, *operands: Value) -> tuple[Value, ...]:
    """Unrolled if the number of iterations is known, else a ``while``."""
    found = Iteration.of(emit, _body(emit, "body"), (trips, condition, *operands))
    stated = emit.known.dim(trips)
    is_endless = isinstance(stated, int) and stated < 0
    own = found.count(emit)
    count = own if is_endless or (own is not None and stated is None) else stated
    begins = emit.known(condition)
    if begins is not None and (is_endless or isinstance(count, int)):
        steps = MAX_STEPS if count is None else count
        if isinstance(steps, int) and steps <= MAX_STEPS:
            done = unrolled(emit, found, None if count is None else steps, bool(begins.reshape(-1)[0]))
            if done is not None:
                return done
    limit = trips if not is_endless else None if own is None else found.number(emit, own)
    return looped(emit, found, count, limit, condition)
