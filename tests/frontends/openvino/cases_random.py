"""What is drawn when a network runs, and what variables keep for the next call."""

# OpenVINO's functions are untyped
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from typing import Any

import numpy as np

from .building import Case, f32, i64, scalar


def stored(o: Any, x: Any) -> list[Any]:
    """A variable to which the input is added."""
    first = o.constant(f32(2, 3))
    typed = () if o.__name__.endswith("opset3") else (np.float32, [2, 3])
    before = o.read_value(first, "total", *typed)
    after = o.add(x, before)
    return [after, before, o.assign(after, "total")]


RANDOM = [
    *(
        Case(
            "RandomUniform",
            8,
            (i64(3, 4), scalar(low, dtype), scalar(high, dtype)),
            lambda o, *n, t=name: o.random_uniform(*n, t),
            is_random=True,
        )
        for low, high, dtype, name in ((-1, 3, np.float32, "f32"), (2, 9, np.int32, "i32"))
    ),
    *(
        Case(
            "Multinomial",
            13,
            ("f32[2,4]", scalar(5)),
            lambda o, p, n, logs=logs: o.multinomial(p, n, "i64", True, logs),
            data={0: np.log([[1, 2, 3, 4], [4, 3, 2, 1]]).astype(np.float32) if logs else np.ones((2, 4), np.float32)},
            is_random=True,
        )
        for logs in (False, True)
    ),
    *(Case(type, opset, ("f32[2,3]",), stored) for type in ("ReadValue", "Assign") for opset in (3, 6)),
]
