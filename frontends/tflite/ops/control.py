"""Handlers of branches, loops, and calls of other subgraphs."""

from __future__ import annotations

from collections.abc import Sequence

from ....compiler.ir import Region, Value
from ....compiler.ops import control as ir
from ....compiler.ops.logic import Equal
from ....compiler.types import TensorType
from ...common.changing_sizes import Attempt, settle
from ..emitter import Emitter
from ..handles import Handle, Imported
from ..registry import builtin


@builtin("IF", "IfOptions", integers="raw")
def if_(
    emit: Emitter,
    condition: Value,
    *operands: Value | Handle,
    then_subgraph_index: int = 0,
    else_subgraph_index: int = 0,
) -> tuple[Value, ...]:
    """One of two subgraphs; one that is known is taken now."""
    known = emit.known(condition)
    if known is not None and known.size == 1 and known.dtype != object:
        return _tensors(emit, emit.around.call(then_subgraph_index if known.item() else else_subgraph_index, operands))
    branches = [emit.around.region(g, operands, ()) for g in (then_subgraph_index, else_subgraph_index)]
    return _either(emit, condition, branches[0], branches[1])


def _either(emit: Emitter, condition: Value, then: Region, otherwise: Region) -> tuple[Value, ...]:
    first, second = ([v.type for v in region.returns] for region in (then, otherwise))
    if [(t.dtype, t.rank) for t in first] != [(t.dtype, t.rank) for t in second]:
        raise emit.undecided(condition, (first, second))
    sizes = tuple(emit.fresh() for _ in ir.differing_sizes(first, second))
    return emit.all(ir.If(condition, then, otherwise, sizes))


def _tensors(emit: Emitter, values: Sequence[Imported]) -> tuple[Value, ...]:
    found = tuple(v for v in values if isinstance(v, Value))
    if len(found) < len(values):
        raise emit.fail("gives a resource")
    return found


@builtin("WHILE", "WhileOptions", integers="raw")
def while_(
    emit: Emitter, *operands: Value | Handle, cond_subgraph_index: int = 0, body_subgraph_index: int = 0
) -> tuple[Imported, ...]:
    """The condition's subgraph and the body's, which takes and gives what is carried."""
    carried = tuple(v for v in operands if isinstance(v, Value))
    before = [v.type for v in carried]
    if not before:
        raise emit.fail("carries nothing")

    def attempt(types: Sequence[TensorType]) -> Attempt[None]:
        body = emit.around.region(body_subgraph_index, operands, types)
        return Attempt(body, [v.type for v in body.returns], None)

    tried, types = settle(emit, before, attempt)
    condition = emit.around.region(cond_subgraph_index, operands, types)
    sizes = tuple(emit.fresh() for _ in ir.differing_sizes(before, types))
    results = iter(emit.all(ir.While(carried, condition, tried.region, sizes)))
    return tuple(v if isinstance(v, Handle) else next(results) for v in operands)


@builtin("CALL_ONCE", "CallOnceOptions", integers="raw")
def call_once(emit: Emitter, *, init_subgraph_index: int = 0) -> tuple[Value, ...]:
    """CALL_ONCE: a subgraph that runs before the first call, to initialize variables."""
    emit.around.run_once(init_subgraph_index)
    return ()


@builtin("STABLEHLO_CASE", "StablehloCaseOptions", integers="raw")
def stablehlo_case(
    emit: Emitter, index: Value, *operands: Value, branch_subgraph_indices: tuple[int, ...] = ()
) -> tuple[Value, ...]:
    """One of several subgraphs by number; the last one for numbers that none has."""
    if not branch_subgraph_indices:
        raise emit.fail("has no branch", code="F002")
    known = emit.known.dim(index)
    count = len(branch_subgraph_indices)
    if isinstance(known, int):
        number = known if 0 <= known < count else count - 1
        return _tensors(emit, emit.around.call(branch_subgraph_indices[number], operands))
    if count > 2:
        raise emit.fail(f"has {count} branches; two can be read")
    branches = [emit.around.region(g, operands, ()) for g in branch_subgraph_indices]
    if count == 1:
        return _tensors(emit, emit.around.call(branch_subgraph_indices[0], operands))
    first = emit(Equal(emit.reshape(index, ()), emit.const(0, index.type.dtype)))
    return _either(emit, first, branches[0], branches[1])


@builtin("STABLEHLO_COMPOSITE", "StableHLOCompositeOptions", integers="raw")
def stablehlo_composite(
    emit: Emitter,
    *operands: Value,
    name: str = "",
    decomposition_subgraph_index: int = 0,
    composite_attributes: tuple[int, ...] = (),
    composite_attributes_format: int = 0,
    version: int = 0,
) -> tuple[Value, ...]:
    """What a subgraph computes, which some delegates know by a name."""
    return _tensors(emit, emit.around.call(decomposition_subgraph_index, operands))
