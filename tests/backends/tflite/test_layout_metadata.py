"""What a file's metadata says of layouts is checked when the file is read."""

from __future__ import annotations

import json

import pytest
from nhwcc.backends.common.layout import write_layout
from nhwcc.compiler.dims import parse_dim, symbol
from nhwcc.compiler.ir import Func, Port, Region, Value
from nhwcc.compiler.ops.core import Return
from nhwcc.compiler.types import DType, TensorType
from nhwcc.formats.layout import read_layout

RANKS = {"inputs": {"x": 4}, "outputs": {"y": 2}}


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b'{"inputs": {"x"',
        b"[]",
        b"[" * 100_000,
        b"\xff\xfe",
        b'{"inputs": []}',
        b'{"inputs": {"x": 1}}',
        b'{"inputs": {"x": {"perm": [0, 1]}}}',
        b'{"inputs": {"x": {"perm": 3}}}',
        b'{"outputs": {"y": {"perm": [1, 1]}}}',
        b'{"outputs": {"y": {"shape": [1]}}}',
        b'{"outputs": {"y": {"shape": [1, -2]}}}',
        b'{"outputs": {"y": {"shape": [1, "h+"]}}}',
        b'{"outputs": {"y": {"shape": [1, null]}}}',
    ],
)
def test_damaged(text: bytes) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 -- of JSON's own, too
        read_layout(text, RANKS)
    assert str(caught.value)


def test_sizes_that_are_too_long_to_be_read() -> None:
    """Such formulas come of sizes that are cut and rounded again and again; what is written must be read."""
    long = sum((symbol(f"n{i}") // 3 for i in range(200)), start=symbol("h"))
    shape = (1, symbol("h") * 2, long, long)
    value = Value(TensorType(DType.F32, shape))
    body = Region([value])
    body.insert(Return(()))
    func = Func("main", body, [Port("x")], [])
    said = read_layout(write_layout(func), RANKS)["inputs"]["x"]["shape"]
    assert said[:2] == [1, "2*h"] and len({str(parse_dim(size)) for size in said[1:]}) == 3


def test_whole() -> None:
    said = {"inputs": {"x": {"perm": [0, 2, 3, 1], "shape": [1, 3, "h", "2*h"]}}, "outputs": {"other": {"perm": 7}}}
    assert read_layout(json.dumps(said).encode(), RANKS) == said
