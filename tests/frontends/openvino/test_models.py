"""Whole models: interfaces, open sizes, parts, states, and what they become."""

from __future__ import annotations

from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.interpreter import run as interpret
from nhwcc.compiler.ops.recurrent import Lstm
from nhwcc.frontends.openvino import import_openvino, read_openvino

import nhwcc
from nhwcc.cli import cli
from nhwcc.runners.openvino import OpenvinoModel
from nhwcc.sources import source_of

from .building import f32, openvino, run, save
from .cases_recurrent import iterator

pytest.importorskip("openvino")


def ops() -> Any:
    from openvino import opset13

    return opset13


def small(tmp_path: Path, shape: str = "[1,3,8,8]") -> Path:
    """A convolution, an activation, a pooling."""
    o, ov = ops(), openvino()
    x = o.parameter(ov.PartialShape(shape), np.float32, name="image")
    y = o.convolution(x, o.constant(f32(4, 3, 3, 3)), [1, 1], [1, 1], [1, 1], [1, 1])
    y = o.relu(o.add(y, o.constant(f32(1, 4, 1, 1))))
    y.output(0).set_names({"inner"})
    pooled = o.max_pool(y, [2, 2], [1, 1], [0, 0], [0, 0], [2, 2])
    pooled.output(0).set_names({"scores"})
    return save(ov.Model([o.result(pooled.output(0), name="out")], [x]), tmp_path / "m.xml")


def test_to_every_target(tmp_path: Path) -> None:
    """Compiled, and verified against OpenVINO."""
    path = small(tmp_path)
    for artifact in nhwcc.compile_all(path, [tmp_path / "m.tflite", tmp_path / "m.onnx"]):
        report = artifact.report
        assert report.verification is not None and report.verification.reference.startswith("OpenVINO")
        assert list(report.verification.sizes) == []
        assert [c.name for c in report.verification.outputs] == ["scores"]


def test_weights_elsewhere(tmp_path: Path) -> None:
    path = small(tmp_path)
    other = path.with_suffix(".bin").rename(tmp_path / "other.bin")
    with pytest.raises(CompileError, match=r"F017.*m\.bin"):
        import_openvino(path)
    assert nhwcc.compile(path, tmp_path / "m.tflite", weights=other).report.verification is not None
    with pytest.raises(CompileError, match="L007"):
        nhwcc.compile(tmp_path / "m.tflite", tmp_path / "n.onnx", weights=other)


@pytest.mark.parametrize("shape", ["[?,3,?,?]", "[1..8,3,4..64,8]", "[1,3,-1,8]"])
def test_open_sizes(shape: str, tmp_path: Path) -> None:
    path = small(tmp_path, shape)
    module = import_openvino(path)
    names = [d for d in module.main.args[0].type.shape if not isinstance(d, int)]
    assert len(names) == shape.count("?") + shape.count("..") + shape.count("-1")
    assert nhwcc.compile(path, tmp_path / "m.tflite").report.verification is not None
    fixed = import_openvino(path, shapes={"image": (2, 3, 16, 8)})
    assert str(fixed.main.returns[0].type) == "f32[2,4,8,4]"


def test_open_rank(tmp_path: Path) -> None:
    o, ov = ops(), openvino()
    x = o.parameter(ov.PartialShape.dynamic(), np.float32, name="x")
    path = save(ov.Model([o.result(o.relu(x), name="y")], [x]), tmp_path / "m.xml")
    with pytest.raises(CompileError, match="F020"):
        import_openvino(path)
    assert str(import_openvino(path, shapes={"x": (2, "n")}).main.returns[0].type) == "f32[2,n]"


def test_layouts(tmp_path: Path) -> None:
    """What a model says of the layout of its inputs is kept."""
    ov = openvino()
    model = ov.Core().read_model(str(small(tmp_path)))
    prepared = ov.preprocess.PrePostProcessor(model)
    prepared.input().tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    prepared.input().model().set_layout(ov.Layout("NCHW"))
    prepared.input().preprocess().convert_element_type(ov.Type.f32).mean([10.0, 20.0, 30.0])
    path = save(prepared.build(), tmp_path / "p.xml")
    (port,) = import_openvino(path).main.inputs
    assert port.axes == "NHWC"
    artifact = nhwcc.compile(path, tmp_path / "m.tflite")
    assert artifact.report.transposes_after == 0 and artifact.report.verification is not None


def test_parts(tmp_path: Path) -> None:
    path = small(tmp_path)
    part = import_openvino(path, inputs=["inner"], outputs=["scores"])
    assert [str(a.type) for a in part.main.args] == ["f32[1,4,8,8]"]
    assert [p.name for p in import_openvino(path, outputs=["inner"]).main.outputs] == ["inner"]
    wrong: list[dict[str, Any]] = [
        {"inputs": ["innner"]},
        {"outputs": ["scorse"]},
        {"shapes": {"imagge": 1}},
        {"inputs": []},
    ]
    for what in wrong:
        with pytest.raises(CompileError, match="F018"):
            import_openvino(path, **what)


def counter(tmp_path: Path) -> Path:
    """A variable to which the input is added."""
    o, ov = ops(), openvino()
    x = o.parameter([2, 3], np.float32, name="x")
    before = o.read_value(o.constant(np.full((2, 3), 0.5, np.float32)), "total", np.float32, [2, 3])
    after = o.add(x, before)
    store = o.assign(after, "total")
    return save(ov.Model([o.result(o.relu(after), name="y")], [store], [x]), tmp_path / "m.xml")


def test_states(tmp_path: Path) -> None:
    path = counter(tmp_path)
    with pytest.raises(CompileError, match=r"F031.*total"):
        import_openvino(path)
    read = read_openvino(path, keeps_state=True)
    assert [p.name for p in read.module.main.inputs] == ["x", "total"]
    assert [p.name for p in read.module.main.outputs] == ["y", "total"]
    np.testing.assert_array_equal(read.states["total"].array(), np.full((2, 3), 0.5))
    report = nhwcc.compile(path, tmp_path / "m.tflite", state="io").report
    assert report.verification is not None and report.verification.reference.startswith("OpenVINO")


@pytest.mark.parametrize("back", [False, True])
def test_an_iterator_around_a_cell_is_a_layer(back: bool, tmp_path: Path) -> None:
    """As 2021's converters write a recurrent layer: one operation, of the whole sequence."""
    o, ov = ops(), openvino()
    shapes = ([2, 7, 4], [2, 3], [2, 3])
    given = [o.parameter(s, np.float32, name=f"x{i}") for i, s in enumerate(shapes)]
    results = [o.result(v, name=f"y{i}") for i, v in enumerate(iterator(1, "lstm", back, False)(o, *given))]
    path = save(ov.Model(results, given), tmp_path / "m.xml")
    (layer,) = [op for op in import_openvino(path).main.walk() if isinstance(op, Lstm)]
    assert layer.steps == 7 and layer.reverse is back


def test_long_loops_are_loops(tmp_path: Path) -> None:
    """An iterator that is more than a layer, along an axis of open size."""
    o, ov = ops(), openvino()
    given = [
        o.parameter(ov.PartialShape(s), np.float32, name=f"x{i}") for i, s in enumerate(("[2,?,4]", "[2,3]", "[2,3]"))
    ]
    results = [o.result(v, name=f"y{i}") for i, v in enumerate(iterator(1, "gru", True, True)(o, *given))]
    model = ov.Model(results, given)
    module = import_openvino(save(model, tmp_path / "m.xml"))
    assert any(op.spec.name == "while" for op in module.main.walk())
    inputs = {"x0": f32(2, 6, 4), "x1": f32(2, 3), "x2": f32(2, 3)}
    for got, want in zip(interpret(module.main, list(inputs.values())), run(model, inputs), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)


def test_axes_of_open_sizes_are_turned_around(tmp_path: Path) -> None:
    """By less than there is, by more, to either side, and by what data says."""
    o, ov = ops(), openvino()
    x = o.parameter(ov.PartialShape("[?,4]"), np.float32, name="x0")
    by = o.parameter([1], np.int64, name="x1")
    shifts = [o.constant(np.asarray(n)) for n in ([1], [-1], [7], [-8])]
    rolled = [o.roll(x, s, o.constant(np.asarray([0]))) for s in (*shifts, by)]
    model = ov.Model([o.result(y, name=f"y{i}") for i, y in enumerate(rolled)], [x, by])
    path = save(model, tmp_path / "m.xml")
    module = import_openvino(path)
    made = nhwcc.compile(path, tmp_path / "m.tflite", verify=False)
    for rows, number in ((1, 3), (3, -1), (5, 12)):
        inputs = {"x0": f32(rows, 4), "x1": np.asarray([number])}
        want = run(model, inputs)
        for got in (interpret(module.main, list(inputs.values())), list(made(**inputs).values())):
            for a, b in zip(got, want, strict=True):
                np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("is_endless", [True, False])
def test_loops_that_collect_as_many_pieces_as_data_wants(tmp_path: Path, is_endless: bool) -> None:
    """Tensors grow with every round, along any axis."""
    o, ov = ops(), openvino()
    x = o.parameter([4], np.float32, name="x0")
    count = o.parameter([], np.int64, name="x1")
    carried = o.parameter([4], np.float32)
    one = o.add(carried, o.constant(np.asarray(1, np.float32)))
    row, column = (o.unsqueeze(o.multiply(one, one), o.constant(np.asarray([axis]))) for axis in (0, 1))
    on = o.less(o.reduce_sum(one, o.constant(np.asarray([0]))), o.constant(np.asarray(40, np.float32)))
    body = ov.Model([on if is_endless else o.constant(np.asarray(True)), one, row, column], [carried])
    loop = o.loop(o.constant(np.asarray(-1)) if is_endless else count, o.constant(np.asarray(True)))
    loop.set_function(body)
    loop.set_special_body_ports([-1, 0])
    loop.set_merged_input(carried, x.output(0), body.results[1].output(0))
    loop.get_iter_value(body.results[1].output(0), -1)
    loop.get_concatenated_slices(body.results[2].output(0), 0, 1, 1, -1, 0)
    loop.get_concatenated_slices(body.results[3].output(0), 0, 1, 1, -1, 1)
    results = [o.result(loop.output(i), name=f"y{i}") for i in range(3)]
    model = ov.Model(results, [x] if is_endless else [x, count])
    path = save(model, tmp_path / "m.xml")
    module = import_openvino(path)
    made = nhwcc.compile(path, tmp_path / "m.tflite", verify=False)
    for rounds in (1, 4):
        inputs = {"x0": f32(4) + 10 - 2 * rounds} | ({} if is_endless else {"x1": np.asarray(rounds)})
        want = run(model, inputs)
        for got in (interpret(module.main, list(inputs.values())), list(made(**inputs).values())):
            for a, b in zip(got, want, strict=True):
                assert a.shape == b.shape
                np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_loops_that_change_sizes(tmp_path: Path) -> None:
    """What is carried gets longer in every round, as often as an input says."""
    o, ov = ops(), openvino()
    x = o.parameter(ov.PartialShape("[?,4]"), np.float32, name="x0")
    count = o.parameter([], np.int64, name="x1")
    carried = o.parameter(ov.PartialShape("[?,4]"), np.float32)
    total = o.reduce_sum(carried, o.constant(np.asarray([0])), keep_dims=True)
    on = o.constant(np.asarray(True))
    body = ov.Model([on, o.concat([carried, o.tanh(total)], 0)], [carried])
    loop = o.loop(count, o.constant(np.asarray(True)))
    loop.set_function(body)
    loop.set_special_body_ports([-1, 0])
    loop.set_merged_input(carried, x.output(0), body.results[1].output(0))
    loop.get_iter_value(body.results[1].output(0), -1)
    model = ov.Model([o.result(loop.output(0), name="y0")], [x, count])
    path = save(model, tmp_path / "m.xml")
    module = import_openvino(path)
    made = nhwcc.compile(path, tmp_path / "m.tflite", verify=False)
    for rounds in (0, 1, 4):
        inputs = {"x0": f32(2, 4), "x1": np.asarray(rounds)}
        (want,) = run(model, inputs)
        (got,) = interpret(module.main, list(inputs.values()))
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)
        (written,) = made(**inputs).values()
        np.testing.assert_allclose(written, want, rtol=1e-5, atol=1e-6)


def test_without_openvino(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reference interpreter stands in, and the report says so."""
    monkeypatch.setattr("nhwcc.sources.openvino.is_available", lambda: False)
    report = nhwcc.compile(small(tmp_path), tmp_path / "m.tflite").report
    assert report.verification is not None and report.verification.reference == "the reference interpreter"
    assert any("OpenVINO is not installed" in r.text for r in report.remarks)


def test_operations_that_nobody_knows(tmp_path: Path) -> None:
    path = small(tmp_path)
    path.write_text(path.read_text(encoding="utf-8").replace('type="ReLU"', 'type="Spread"'), encoding="utf-8")
    with pytest.raises(CompileError, match=r"F001.*Spread"):
        import_openvino(path)
    carried = import_openvino(path, allow_custom_ops=True)
    assert [op.spec.name for op in carried.main.walk()].count("custom") == 1


def test_weights_on_the_command_line(tmp_path: Path) -> None:
    path = small(tmp_path)
    other = path.with_suffix(".bin").rename(tmp_path / "other.bin")
    result = CliRunner().invoke(cli, ["compile", str(path), "-o", str(tmp_path / "m.tflite"), "--weights", str(other)])
    assert result.exit_code == 0, result.output
    assert "verified    against OpenVINO" in result.output
    wrong = CliRunner().invoke(cli, ["compile", str(tmp_path / "m.tflite"), "-o", "n.onnx", "--weights", str(other)])
    assert wrong.exit_code == 2 and "--weights belongs to" in wrong.output


def test_the_weights_alone(tmp_path: Path) -> None:
    """Who gives the .bin is told of the .xml beside it."""
    path = small(tmp_path)
    with pytest.raises(CompileError, match=r"R010.*weights of an OpenVINO model") as caught:
        nhwcc.load(path.with_suffix(".bin"))
    assert str(path) in (caught.value.diagnostics[0].help or "")


def test_looking_inside(tmp_path: Path) -> None:
    """OpenVINO gives what is inside under the names of tensors."""
    path = small(tmp_path)
    given = {"image": f32(1, 3, 8, 8)}
    with ExitStack() as stack:
        runner = source_of(path).open(stack)
        inside = {t.name: t for t in runner.trace(given)}
        assert {t.name for t in runner.trace(given, ["inner"])} == {"inner"}
        whole = runner.run(given)
    assert inside["inner"].kind == "Relu" and inside["inner"].array.shape == (1, 4, 8, 8)
    np.testing.assert_array_equal(whole["scores"], inside["scores"].array)


def test_loaded_again_after_a_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenVINO's numbers are wrong after sizes that it has refused."""
    loaded: list[object] = []
    load = vars(import_module(OpenvinoModel.__module__))["_compiled"]

    def counted(model: object) -> object:
        loaded.append(model)
        return load(model)

    monkeypatch.setattr(f"{OpenvinoModel.__module__}._compiled", counted)
    model = OpenvinoModel(small(tmp_path, "[1,3,?,8]"), None, {})
    with pytest.raises(CompileError, match="R018"):
        model.run({"image": f32(1, 3, 0, 8)}, {})
    assert len(loaded) == 2
    model.run({"image": f32(1, 3, 8, 8)}, {})
    assert len(loaded) == 2
