"""What a loop's body reads and gives in every iteration, and loops that are written out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ....compiler.dims import Dim, exact_div
from ....compiler.ir import Value
from ....compiler.ops.arith import Cast
from ....compiler.ops.shape import Concat
from ....compiler.types import DType
from ....formats.openvino.model import Body, Layer, Link
from ...slicing import cut
from ..emitter import Emitter


@dataclass(frozen=True)
class Iteration:
    """A body with what its Parameters and Results are connected to.

    ``parameters`` are in the body's order, each with its link and the operand there, neither for one that only the
    iteration tells.  ``carried`` are the numbers of Parameters, with those of the Results that they get their next
    values from.  ``results`` are the links of the layer's results, with the numbers of the body's.
    """

    body: Body
    parameters: tuple[tuple[Layer, Link | None, Value | None], ...]
    carried: dict[int, int]
    results: tuple[tuple[Link, int], ...]
    goes_on: int | None

    @staticmethod
    def of(emit: Emitter, body: Body, operands: Sequence[Value]) -> Iteration:
        """Read how a body is connected.

        Raises:
            CompileError: F006, a Parameter or a result is connected to nothing.
        """
        by_port = {port.id: v for port, v in zip(emit.layer.inputs, operands, strict=False)}
        links = {link.internal: link for link in body.inputs}
        parameters: list[tuple[Layer, Link | None, Value | None]] = []
        for layer in body.network.of_type("Parameter"):
            link = links.get(layer.id)
            value = None if link is None or link.external < 0 else by_port.get(link.external)
            if value is None and (link is None or link.purpose != "current_iteration"):
                raise _loose(emit, layer.name)
            parameters.append((layer, None if value is None else link, value))
        numbers = {layer.id: i for i, (layer, _, _) in enumerate(parameters)}
        places = {layer.id: i for i, layer in enumerate(body.network.of_type("Result"))}
        if not {end for back in body.back for end in back} <= numbers.keys() | places.keys():
            raise _loose(emit, "back edge")
        carried = {numbers[to]: places[source] for source, to in body.back if to in numbers and source in places}
        outputs = {link.external: link for link in body.outputs}
        results: list[tuple[Link, int]] = []
        for port in emit.layer.outputs:
            link = outputs.get(port.id)
            if link is None or link.internal not in places:
                raise _loose(emit, f"result {port.id}")
            results.append((link, places[link.internal]))
        ends = [places.get(link.internal) for link in body.outputs if link.purpose == "execution_condition"]
        return Iteration(body, tuple(parameters), carried, tuple(results), ends[0] if ends else None)

    def count(self, emit: Emitter) -> Dim | None:
        """Return how many iterations it takes to read all that is read in pieces; None if nothing is.

        Raises:
            CompileError: F002, the axis of a piece is none, or pieces are no equal parts.
        """
        for _, link, value in self.parameters:
            if link is not None and value is not None and link.axis is not None:
                size = value.type.shape[emit.axis(link.axis, value.type.rank)]
                first, last = bounds(link, size)
                span = last - first if link.stride > 0 else first - last
                steps = exact_div(span, abs(link.stride)) if link.stride else None
                if steps is None or link.part != abs(link.stride):
                    raise emit.fail(f"reads pieces of {link.part} from {span} in steps of {link.stride}", code="F002")
                return steps
        return None

    def number(self, emit: Emitter, count: Dim) -> Value:
        """Insert the number of iterations that :meth:`count` has found.

        Raises:
            CompileError: F004, it is open, and not the size of what is read.
        """
        if isinstance(count, int):
            return emit.const(count, DType.I64)
        for _, link, value in self.parameters:
            if link is not None and value is not None and link.axis is not None:
                axis = emit.axis(link.axis, value.type.rank)
                if value.type.shape[axis] == count:
                    return emit.size(value, axis, DType.I64)
        raise emit.fail(f"iterates {count} times, which depends on the shapes of inputs", code="F004")

    def cell(self, emit: Emitter, number: int, step: int) -> Value:
        """Return what a Parameter that is not carried is in an iteration.

        Raises:
            CompileError: F006, it is of no integers.
        """
        layer, link, value = self.parameters[number]
        if value is None or link is None:
            return iteration_number(emit, emit.const(step, DType.I64), layer)
        if link.axis is None:
            return value
        axis = emit.axis(link.axis, value.type.rank)
        first, _ = bounds(link, value.type.shape[axis])
        start = first + step * link.stride if link.stride > 0 else first + (step + 1) * link.stride
        return cut(emit, value, {axis: (start, start + link.part, 1)})


def _loose(emit: Emitter, what: str) -> Exception:
    return emit.fail(f"has a body whose {what} is connected to nothing", code="F006", help="The file is damaged.")


def bounds(link: Link, size: Dim) -> tuple[Dim, Dim]:
    """Return where pieces begin and end; negative numbers count from one after the last position."""
    first, last = (n if n >= 0 else size + 1 + n for n in (link.start, link.end))
    return first, last


def iteration_number(emit: Emitter, number: Value, layer: Layer) -> Value:
    """Return the number of an iteration in the type of the Parameter that gets it."""
    dtype = DType.I32 if layer.data.get("element_type") == "i32" else DType.I64
    found = number if number.type.dtype is dtype else emit(Cast(number, dtype))
    return emit.reshape(found, (1,)) if layer.data.get("shape", "").strip() else found


def unrolled(emit: Emitter, loop: Iteration, count: int | None, goes_on: bool | None) -> tuple[Value, ...] | None:
    """Import the body once per iteration; None if it is not known when to stop.

    ``goes_on`` says whether the first iteration runs, None if they all do.
    """
    state = {n: value for n in loop.carried if (value := loop.parameters[n][2]) is not None}
    collected: list[list[Value]] = [[] for _ in loop.results]
    out: list[Value] = []
    step, runs = 0, goes_on is not False
    while runs and (count is None or step < count):
        if step > MAX_OPEN:
            return None
        given = [state[n] if n in state else loop.cell(emit, n, step) for n in range(len(loop.parameters))]
        out = emit.around.inline(loop.body, given)
        for column, (_, place) in zip(collected, loop.results, strict=True):
            column.append(out[place])
        state = {n: out[place] for n, place in loop.carried.items()}
        if goes_on is not None and loop.goes_on is not None:
            known = emit.known(out[loop.goes_on])
            if known is None and step + 1 != count:
                return None
            runs = known is None or bool(known.reshape(-1)[0])
        step += 1
    if not step:
        return _untouched(emit, loop, state)
    return tuple(_joined(emit, link, column) for (link, _), column in zip(loop.results, collected, strict=True))


MAX_OPEN = 512
"""Iterations of a loop without a stated number after which it is not unrolled."""


def _joined(emit: Emitter, link: Link, column: list[Value]) -> Value:
    if link.axis is None:
        return column[-1]
    pieces = column if link.stride > 0 else column[::-1]
    return pieces[0] if len(pieces) == 1 else emit(Concat(tuple(pieces), emit.axis(link.axis, pieces[0].type.rank)))


def _untouched(emit: Emitter, loop: Iteration, state: dict[int, Value]) -> tuple[Value, ...]:
    """Return the results of a loop that does not run: what it carries.

    Raises:
        CompileError: F005, it would give something else.
    """
    first = {place: state[n] for n, place in loop.carried.items()}
    if any(link.axis is not None or place not in first for link, place in loop.results):
        raise emit.fail("does not run once, and gives what only iterations could")
    return tuple(first[place] for _, place in loop.results)
