"""Damaged files are errors with a code, whatever is wrong with them."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.formats.tflite.constants import constant_weight
from nhwcc.formats.tflite.contents import read_contents
from nhwcc.formats.tflite.model import options
from nhwcc.formats.tflite.sparse import Level, Sparsity, densify
from nhwcc.frontends.tflite import import_tflite

from .building import new_graph, save


def small(tmp_path: Path) -> Path:
    graph = new_graph()
    x = graph.input("i8[1,5,5,2]", "x", (0.1, 3, 0))
    w = graph.constant(np.ones((4, 3, 3, 2), np.int8), ((0.1, 0.2, 0.3, 0.4), 0, 0))
    bias = graph.constant(np.ones(4, np.int32), ((0.01, 0.02, 0.03, 0.04), 0, 0))
    fields = options("Conv2DOptions", padding="SAME", strideH=1, strideW=1)
    (y,) = graph.call("CONV_2D", [x, w, bias], ["i8[1,5,5,4]"], fields, 3, {0: (0.2, 1, 0)})
    shape = graph.constant(np.asarray([1, -1], np.int32))
    (z,) = graph.call("RESHAPE", [y, shape], ["i8[1,100]"], scales={0: (0.2, 1, 0)})
    return save(graph, [z], tmp_path / "m.tflite")


@pytest.mark.parametrize("seed", range(120))
def test_changed_bytes(seed: int, tmp_path: Path) -> None:
    """Either the file can still be read, or an error says what is wrong."""
    data = bytearray(small(tmp_path).read_bytes())
    rng = random.Random(seed)
    for _ in range(rng.choice([1, 1, 2, 8])):
        data[rng.randrange(8, len(data))] = rng.choice([0, 1, 127, 128, 255, rng.randrange(256)])
    assert codes(bytes(data), carries=bool(seed % 2)) <= {*"RFTM"}


def codes(data: bytes, *, carries: bool) -> set[str]:
    """The kinds of errors that a file has, none if it can be read."""
    try:
        import_tflite(data, allow_custom_ops=carries)
    except CompileError as bad:
        return {d.code[0] for d in bad.diagnostics}
    return set()


@pytest.mark.parametrize("size", [0, 7, 40, 400, 1000])
def test_truncated(size: int, tmp_path: Path) -> None:
    data = small(tmp_path).read_bytes()[:size]
    with pytest.raises(CompileError, match="R010"):
        import_tflite(data)


def test_constants_of_the_wrong_size(tmp_path: Path) -> None:
    path = small(tmp_path)
    contents = read_contents(path)
    tensor = next(t for t in contents.graphs[0].tensors if t.info.dtype == "INT32" and t.is_constant)
    wrong = replace(tensor, info=replace(tensor.info, shape=(9,)))
    with pytest.raises(CompileError, match="F016"):
        constant_weight(contents, wrong)


def test_sparse_tensors() -> None:
    """Compressed rows of blocks of two columns."""
    values = np.arange(1, 7, dtype=np.float32)
    tree = Sparsity(
        (0, 1, 2),
        (1,),
        (Level(3), Level(0, np.asarray([0, 1, 1, 3]), np.asarray([1, 0, 1])), Level(2)),
    )
    found = densify(values, (3, 4), tree)
    np.testing.assert_array_equal(found, [[0, 0, 1, 2], [0, 0, 0, 0], [3, 4, 5, 6]])


@pytest.mark.parametrize(
    "tree",
    [
        Sparsity((0, 1), (), (Level(3),)),
        Sparsity((0, 0), (), (Level(3), Level(4))),
        Sparsity((0, 1), (), (Level(3), Level(5))),
        Sparsity((0, 1), (), (Level(3), Level(0, np.asarray([0, 9]), np.asarray([1])))),
        Sparsity((0, 1), (), (Level(3), Level(0, np.asarray([0, 1, 1, 1]), np.asarray([-1])))),
    ],
)
def test_damaged_sparse_tensors(tree: Sparsity) -> None:
    with pytest.raises(ValueError, match=r"\d"):
        densify(np.ones(12, np.float32), (3, 4), tree)
