"""Recurrent layers, loops and branches."""

# OpenVINO's functions are untyped
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from typing import Any

import numpy as np

from .building import Build, Case, f32, i64

W3, R3, B3 = f32(1, 9, 4), f32(1, 9, 3), f32(1, 9)


def lstm(direction: str, ways: int, **more: Any) -> Build:
    def build(o: Any, x: Any, h: Any, c: Any) -> Any:
        lengths = o.constant(np.asarray([5, 5], np.int32))
        return o.lstm_sequence(
            x,
            h,
            c,
            lengths,
            o.constant(f32(ways, 12, 4)),
            o.constant(f32(ways, 12, 3)),
            o.constant(f32(ways, 12)),
            3,
            direction,
            **more,
        )

    return build


def gru(direction: str, ways: int, after: bool, **more: Any) -> Build:
    def build(o: Any, x: Any, h: Any) -> Any:
        lengths, bias = o.constant(np.asarray([5, 5], np.int32)), f32(ways, 12 if after else 9)
        return o.gru_sequence(
            x,
            h,
            lengths,
            o.constant(f32(ways, 9, 4)),
            o.constant(f32(ways, 9, 3)),
            o.constant(bias),
            3,
            direction,
            linear_before_reset=after,
            **more,
        )

    return build


def rnn(direction: str, ways: int) -> Build:
    def build(o: Any, x: Any, h: Any) -> Any:
        lengths = o.constant(np.asarray([5, 5], np.int32))
        return o.rnn_sequence(
            x,
            h,
            lengths,
            o.constant(f32(ways, 3, 4)),
            o.constant(f32(ways, 3, 3)),
            o.constant(f32(ways, 3)),
            3,
            direction,
            activations=["relu"],
        )

    return build


def iterator(axis: int, cell: str, back: bool, extra: bool) -> Build:
    """A TensorIterator around a cell, as older converters write layers; ``extra`` does something beside it."""

    def build(o: Any, x: Any, h: Any, c: Any) -> Any:
        ov = __import__("openvino")
        shape = [2, 1, 4] if axis == 1 else [1, 2, 4]
        xi, hi, ci = (o.parameter(s, np.float32) for s in (shape, [2, 3], [2, 3]))
        squeezed = o.squeeze(xi, o.constant(i64(axis)))
        w, r, b = (o.constant(f32(*s)) for s in ((12, 4), (12, 3), (12,)))
        if cell == "lstm":
            step = o.lstm_cell(squeezed, hi, ci, w, r, b, 3)
            after = [step.output(0), step.output(1)]
        else:
            step = o.gru_cell(squeezed, hi, o.constant(f32(9, 4)), o.constant(f32(9, 3)), o.constant(f32(9)), 3)
            after = [step.output(0)]
        given = o.add(after[0], ci if extra else o.constant(np.float32(0))).output(0) if extra else after[0]
        results = [o.result(o.unsqueeze(given, o.constant(i64(axis)))), *(o.result(a) for a in after)]
        loop = o.tensor_iterator()
        parameters = [xi, hi, ci] if cell == "lstm" or extra else [xi, hi]
        loop.set_body(ov.Model(results, parameters))
        ends = (-1, -1, 1, 0) if back else (0, 1, 1, -1)
        loop.set_sliced_input(xi, x.output(0), *ends, axis)
        loop.set_merged_input(hi, h.output(0), results[1].output(0))
        if cell == "lstm":
            loop.set_merged_input(ci, c.output(0), results[2].output(0))
        elif extra:
            loop.set_invariant_input(ci, c.output(0))
        all_steps = loop.get_concatenated_slices(results[0].output(0), *ends, axis)
        more = [] if cell == "lstm" else [o.add(c, o.constant(np.float32(1))).output(0)]
        return [all_steps, *(loop.get_iter_value(r.output(0), -1) for r in results[1:]), *more]

    return build


def loop(kind: str) -> Build:
    """A Loop that adds up, in a number of iterations that is stated or data decide, or until a condition holds."""

    def build(o: Any, x: Any, n: Any) -> Any:
        ov = __import__("openvino")
        trips = o.constant(np.int64(-1 if kind == "condition" else 5)) if kind != "data" else n
        node = o.loop(trips, o.constant(np.bool_(True)))
        turn, total, given = o.parameter([], np.int64), o.parameter([2, 3], np.float32), o.parameter([2, 3], np.float32)
        after = o.add(o.add(total, given), o.convert(turn, "f32"))
        largest = o.reduce_max(after, o.constant(i64(0, 1)))
        goes_on = o.less(largest, o.constant(np.float32(25))) if kind != "stated" else o.constant(np.bool_(True))
        row = o.unsqueeze(after, o.constant(i64(0)))
        results = [o.result(goes_on), o.result(after), o.result(row)]
        node.set_function(ov.Model(results, [turn, total, given]))
        node.set_special_body_ports([0, 0])
        node.set_merged_input(total, x.output(0), results[1].output(0))
        node.set_invariant_input(given, x.output(0))
        out = [node.get_iter_value(results[1].output(0), -1)]
        if kind == "stated":
            out.append(node.get_concatenated_slices(results[2].output(0), 0, 1, 1, -1, 0))
        return [*out, o.add(n, o.constant(np.int64(1))).output(0)]

    return build


def branch(o: Any, c: Any, x: Any) -> Any:
    ov = __import__("openvino")
    a, b = o.parameter([2, 3], np.float32), o.parameter([2, 3], np.float32)
    then, other = o.result(o.relu(a)), o.result(o.negative(b))
    node = o.if_op(c.output(0))
    node.set_then_body(ov.Model([then], [a]))
    node.set_else_body(ov.Model([other], [b]))
    node.set_input(x.output(0), a, b)
    return [node.set_output(then, other)]


X, H1, H2 = "f32[2,5,4]", "f32[2,1,3]", "f32[2,2,3]"
SMALL = np.abs(f32(2, 3)) + 0.1
RECURRENT = [
    Case("LSTMSequence", 5, (X, H1, H1), lstm("forward", 1)),
    Case("LSTMSequence", 5, (X, H1, H1), lstm("reverse", 1, clip=0.5)),
    Case("LSTMSequence", 5, (X, H2, H2), lstm("bidirectional", 2)),
    *(Case("GRUSequence", 5, (X, H1), gru("forward", 1, a)) for a in (True, False)),
    Case("GRUSequence", 5, (X, H2), gru("bidirectional", 2, True)),
    Case("RNNSequence", 5, (X, H1), rnn("reverse", 1)),
    Case(
        "LSTMCell",
        4,
        ("f32[2,4]", "f32[2,3]", "f32[2,3]", f32(12, 4), f32(12, 3), f32(12)),
        lambda o, *n: o.lstm_cell(*n, 3),
    ),
    Case(
        "LSTMCell",
        1,
        ("f32[2,4]", "f32[2,3]", "f32[2,3]", f32(12, 4), f32(12, 3), f32(12)),
        lambda o, *n: o.lstm_cell(*n, 3),
    ),
    Case("GRUCell", 3, ("f32[2,4]", "f32[2,3]", f32(9, 4), f32(9, 3), f32(9)), lambda o, *n: o.gru_cell(*n, 3)),
    Case(
        "GRUCell",
        3,
        ("f32[2,4]", "f32[2,3]", f32(9, 4), f32(9, 3), f32(12)),
        lambda o, *n: o.gru_cell(*n, 3, linear_before_reset=True),
    ),
    Case(
        "RNNCell",
        3,
        ("f32[2,4]", "f32[2,3]", f32(3, 4), f32(3, 3), f32(3)),
        lambda o, *n: o.rnn_cell(*n, 3, ["tanh"], [], []),
    ),
    *(
        Case("TensorIterator", 9, ("f32[2,5,4]" if a else "f32[5,2,4]", "f32[2,3]", "f32[2,3]"), iterator(a, c, b, e))
        for a in (0, 1)
        for c in ("lstm", "gru")
        for b in (False, True)
        for e in (False, True)
    ),
    *(
        Case("Loop", 9, ("f32[2,3]", "i64[]"), loop(k), data={0: SMALL, 1: np.asarray(4)})
        for k in ("stated", "condition", "data")
    ),
    *(Case("If", 9, ("bool[]", "f32[2,3]"), branch, data={0: np.asarray(c)}) for c in (True, False)),
]
