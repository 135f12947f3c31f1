"""A target of a few lines: what all targets share asks for nothing that only one of them has."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from nhwcc.backends import registry
from nhwcc.backends.common.table import Condition, Table
from nhwcc.backends.common.target import Emitted, Target
from nhwcc.compiler.ir import Func, Module, Op, Port, Region, Value
from nhwcc.compiler.lowering import Limits
from nhwcc.compiler.ops import activation, arith, logic, norm, reduce, shape, window
from nhwcc.compiler.ops.core import Const, Return
from nhwcc.compiler.options import Channels
from nhwcc.compiler.parser import parse_module, read_module
from nhwcc.compiler.printer import print_module
from nhwcc.compiler.sidefile import SideFile
from nhwcc.compiler.types import DType, TensorType
from nhwcc.compiler.weights import Weight
from nhwcc.passes.lowerings import LOWERINGS

import nhwcc
from nhwcc.report import count_ops
from nhwcc.runners.reference import ReferenceRunner

FEW = (
    *(arith.Add, arith.Sub, arith.Mul, arith.Div, arith.Max, arith.Min, arith.Exp, arith.Log, arith.Sqrt, arith.Rsqrt),
    *(arith.Cast, arith.SquaredDifference, activation.Relu, reduce.Reduce, logic.Select, logic.Equal),
    *(arith.Abs, logic.Greater),
    *(shape.Reshape, shape.Transpose, shape.Slice, shape.Concat, shape.Pad, window.Conv, window.AveragePool),
)


def fake(channels: Channels) -> Target:
    """Run a few operations; their text and their weights are a pair of files."""
    table: Table[str] = Table("Fake", "kernel")
    misplaced = Condition(f"channels {channels}", lambda op: _misplaced(op, channels))
    for cls in FEW:
        table.emits(cls, cls.spec.name, dtypes="f32 i32 bool", when=(misplaced,))(str)
    pipeline = f"canonicalize,propagate-layout{{channels={channels}}},legalize{{target=fake}},dce"
    limits = Limits(6, 3, 4)
    return Target("fake", "Fake", ".fake", table, (LOWERINGS,), limits, channels, pipeline, emit, "fake_runners")


def _misplaced(op: Op, channels: Channels) -> str | None:
    last = op.attributes.get("channels_last")
    return None if last is None or last == (channels == "last") else "channels elsewhere"


def emit(module: Module, path: Path, *, metadata: object = None) -> Emitted:
    weights, beside = SideFile(), path.with_name(f"{path.name}.safetensors")
    path.write_text(print_module(module, sink=weights, side_files=[beside.name]))
    weights.write(beside)
    return Emitted(path, Counter(count_ops(module)), path.stat().st_size, "a reader of IR")


class Runners:
    """What the target's files are run by: the reference interpreter."""

    class _File(ReferenceRunner):
        def allocate(self) -> None:
            """Nothing has to be prepared."""

    @staticmethod
    def start() -> nullcontext[None]:
        return nullcontext()

    @staticmethod
    def open_file(path: Path, worker: object, *, fast: bool) -> ReferenceRunner:
        return Runners._File(read_module(path))


@pytest.fixture(params=["first", "last"])
def channels(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Channels:
    """Register the target, its channels first or last, and its runners."""
    target = fake(request.param)
    monkeypatch.setitem(registry.TARGETS, "fake", registry.Entry((".fake",), lambda: target))
    monkeypatch.setitem(sys.modules, target.runner, Runners)
    return request.param


def network() -> Module:
    """A convolution, a norm, functions, a pooling."""
    rng = np.random.default_rng(0)
    x = Value(TensorType(DType.F32, (1, 3, 9, 8)), None, "x")
    body = Region([x])

    def add(op: Op) -> Value:
        return body.insert(op).results[0]

    w, b = (add(Const(Weight.of(rng.normal(size=s).astype(np.float32)))) for s in ((4, 3, 3, 3), (4,)))
    ones, pads = (1, 1), ((1, 1), (1, 1))
    y = add(window.Conv(x, w, b, strides=(2, 1), dilations=ones, pads=pads))
    y = add(norm.GroupNorm(y, b, b, groups=2, axis=1, epsilon=1e-3))
    y = add(activation.Mish(y))
    y = add(window.AveragePool(y, kernel=(2, 2), strides=(2, 2), dilations=ones, pads=((0, 0), (0, 0))))
    y = add(activation.Selu(add(activation.LogSoftmax(y, axis=1))))
    body.insert(Return((y,)))
    return Module(Func("main", body, [Port("x")], [Port("y")]))


DET = """func @main(%x: f32[2,2]) -> (f32[]) {
  %y = det(%x) {} : f32[]
  return(%y)
}"""


def test_a_network(channels: Channels, tmp_path: Path) -> None:
    """Convolutions, norms, functions and poolings become what the target has; the numbers stay."""
    done = nhwcc.compile(network(), tmp_path / "net.fake")
    assert done.report.target == "fake" and done.report.requires == "a reader of IR"
    found = done.report.verification
    assert found is not None and all(o.difference.status == "ok" for o in found.outputs)
    assert done.report.ops_after.keys() <= {cls.spec.name for cls in FEW}
    assert done.report.transposes_after == 0


def test_several_targets_from_one_import(channels: Channels, tmp_path: Path) -> None:
    """Each file is right; if one can't be written, none is."""
    files = [tmp_path / "net.fake", tmp_path / "net.tflite"]
    both = nhwcc.compile_all(network(), files)
    assert [a.report.target for a in both] == ["fake", "tflite"]
    assert all(a.report.verification and all(path.stat().st_size for path in files) for a in both)
    refused = parse_module(DET)
    with pytest.raises(nhwcc.CompileError, match="Fake"):
        nhwcc.compile_all(refused, [tmp_path / "a.tflite", tmp_path / "a.fake"])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["net.fake", "net.fake.safetensors", "net.tflite"]


def test_what_it_lacks_is_named(channels: Channels, tmp_path: Path) -> None:
    with pytest.raises(nhwcc.CompileError, match="Fake has no kernel for gather"):
        nhwcc.compile(parse_module(DET), tmp_path / "a.fake")
