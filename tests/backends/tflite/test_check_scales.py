"""Files whose scales break the format's rules are not written."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from nhwcc.backends.tflite.check_scales import check_scales
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.types import parse_type
from nhwcc.formats.tflite.model import Model, Operator, Quantization, Subgraph, Tensor

IN, OUT = Quantization((0.1,), (3,)), Quantization((0.2,), (-4,))
SHARE = Quantization((1 / 256,), (-128,))
WEIGHT = Quantization((0.5, 0.25), (0, 0))
BIAS = Quantization((0.05, 0.025), (0, 0))
EVEN = Quantization((0.1,), (0,))
WIDE = {"i16[4,3]": EVEN, "i8[2,3]": WEIGHT, "i64[2]": BIAS}
LAYER = {"i8[4,3]": IN, "i8[2,3]": WEIGHT, "i32[2]": BIAS}


def file(builtin: str, inputs: dict[str, Quantization | None], output: str, scale: Quantization | None) -> Model:
    """A file of one operator."""
    tensors = [Tensor(parse_type(t), f"t{i}", 0, q) for i, (t, q) in enumerate([*inputs.items(), (output, scale)])]
    count = len(inputs)
    return Model([Subgraph("main", tensors, [Operator(builtin, 1, list(range(count)), [count], None)])])


RIGHT: list[Any] = [
    ("RESHAPE", {"i8[2,3]": IN}, "i8[6]", IN),
    ("RESHAPE", {"i8[2,3]": None}, "i8[6]", None),
    ("RELU", {"i8[2,3]": IN}, "i8[2,3]", OUT),
    ("SOFTMAX", {"i8[2,3]": IN}, "i8[2,3]", SHARE),
    ("SOFTMAX", {"u8[2,3]": Quantization((0.1,), (200,))}, "u8[2,3]", replace(SHARE, zeros=(0,))),
    ("SOFTMAX", {"i16[2,3]": EVEN}, "i16[2,3]", Quantization((1 / 32768,), (0,))),
    ("FULLY_CONNECTED", WIDE, "i16[4,2]", EVEN),
    ("FULLY_CONNECTED", LAYER, "i8[4,2]", OUT),
    ("FULLY_CONNECTED", {"f32[4,3]": None, "i8[2,3]": WEIGHT, "f32[2]": None}, "f32[4,2]", None),
    ("DEPTHWISE_CONV_2D", {"i8[1,5,5,2]": IN, "i8[1,3,3,2]": replace(WEIGHT, axis=3)}, "i8[1,3,3,2]", OUT),
]
WRONG: list[Any] = [
    ("RESHAPE", {"i8[2,3]": IN}, "i8[6]", OUT),
    ("CONCATENATION", {"i8[2,3]": IN, "i8[2,4]": OUT}, "i8[2,7]", OUT),
    ("PADV2", {"i8[2]": IN, "i32[1,2]": None, "i8[]": OUT}, "i8[4]", IN),
    ("SOFTMAX", {"i8[2,3]": IN}, "i8[2,3]", OUT),
    ("SOFTMAX", {"i16[2,3]": EVEN}, "i16[2,3]", EVEN),
    ("TANH", {"i8[2,3]": IN}, "i8[2,3]", SHARE),
    ("ADD", {"i8[2,3]": Quantization((0.1,), (200,)), "i8[3]": IN}, "i8[2,3]", OUT),
    ("ADD", {"i8[2,3]": Quantization((-0.1,), (2,)), "i8[3]": IN}, "i8[2,3]", OUT),
    ("ADD", {"i16[2,3]": IN, "i16[3]": replace(IN, zeros=(0,))}, "i16[2,3]", replace(OUT, zeros=(0,))),
    ("FULLY_CONNECTED", LAYER | {"i8[2,3]": replace(WEIGHT, zeros=(0, 1))}, "i8[4,2]", OUT),
    ("FULLY_CONNECTED", LAYER | {"i8[2,3]": replace(WEIGHT, axis=1)}, "i8[4,2]", OUT),
    ("FULLY_CONNECTED", LAYER | {"i8[4,3]": None}, "i8[4,2]", OUT),
    ("FULLY_CONNECTED", LAYER | {"i32[2]": replace(BIAS, scales=(0.05, 0.026))}, "i8[4,2]", OUT),
    ("FULLY_CONNECTED", LAYER | {"i32[2]": replace(BIAS, zeros=(0, 1))}, "i8[4,2]", OUT),
    ("FULLY_CONNECTED", LAYER | {"i32[2]": None}, "i8[4,2]", OUT),
    ("FULLY_CONNECTED", {"i8[4,3]": IN, "i8[2,3]": WEIGHT, "i64[2]": BIAS}, "i8[4,2]", OUT),
    ("DEPTHWISE_CONV_2D", {"i8[1,5,5,2]": IN, "i8[1,3,3,2]": WEIGHT}, "i8[1,3,3,2]", OUT),
]


@pytest.mark.parametrize("given", RIGHT)
def test_what_the_rules_allow(given: Any) -> None:
    check_scales(file(*given))


@pytest.mark.parametrize("given", WRONG)
def test_what_they_forbid(given: Any) -> None:
    with pytest.raises(CompileError) as bad:
        check_scales(file(*given))
    assert [d.code for d in bad.value.diagnostics] == ["I007"]
