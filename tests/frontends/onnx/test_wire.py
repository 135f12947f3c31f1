"""Stripping large tensors from a model's bytes: the same model for whoever reads it, whatever it looks like."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.formats.onnx.wire import MIN_BYTES, OWN_FILE, strip
from nhwcc.formats.wire import WireError
from nhwcc.frontends.onnx import import_onnx
from onnx import AttributeProto, GraphProto, ModelProto, TensorProto, numpy_helper
from onnx_models import imported, model, node, results


def fill(tensor: TensorProto, draw: st.DrawFn) -> None:
    size = draw(st.sampled_from([0, 1, MIN_BYTES - 1, MIN_BYTES, MIN_BYTES + 1, 5000]))
    tensor.name, tensor.doc_string, tensor.data_type = draw(st.text(max_size=5)), draw(st.text(max_size=9)), 2
    tensor.dims.append(size)
    if draw(st.booleans()):
        tensor.raw_data = b"\x7f" * size


def grow(graph: GraphProto, draw: st.DrawFn, depth: int) -> None:
    for _ in range(draw(st.integers(0, 3))):
        fill(graph.initializer.add(), draw)
    for _ in range(draw(st.integers(0, 2))):
        attribute = graph.node.add(op_type="Op", input=["x"]).attribute.add(name="a")
        kind = draw(st.sampled_from(["tensor", "tensors", "graph"] if depth else ["tensor", "tensors"]))
        if kind == "graph":
            attribute.type = AttributeProto.GRAPH
            grow(attribute.g, draw, depth - 1)
        elif kind == "tensor":
            attribute.type = AttributeProto.TENSOR
            fill(attribute.t, draw)
        else:
            attribute.type = AttributeProto.TENSORS
            fill(attribute.tensors.add(), draw)


@st.composite
def models(draw: st.DrawFn) -> ModelProto:
    out = ModelProto(ir_version=8, producer_name="p" * 2000)
    grow(out.graph, draw, 2)
    return out


def restore(message: ModelProto, data: bytes) -> None:
    """Put the stripped tensors back."""
    for tensor in found(message.graph):
        if tensor.data_location == 1:
            entries = {e.key: e.value for e in tensor.external_data}
            assert entries["location"] == OWN_FILE
            start, size = int(entries["offset"]), int(entries["length"])
            assert size >= MIN_BYTES
            tensor.raw_data = data[start : start + size]
            tensor.ClearField("external_data")
            tensor.ClearField("data_location")


def found(graph: GraphProto) -> list[TensorProto]:
    out = list(graph.initializer)
    for n in graph.node:
        for a in n.attribute:
            out += [*([a.t] if a.HasField("t") else []), *a.tensors, *(found(a.g) if a.HasField("g") else [])]
    return out


@settings(max_examples=60, deadline=None)
@given(models())
def test_nothing_is_lost(message: ModelProto) -> None:
    data = message.SerializeToString()
    stripped = strip(memoryview(data))
    again = ModelProto.FromString(stripped)
    assert all(len(t.raw_data) < MIN_BYTES for t in found(again.graph))
    restore(again, data)
    assert again == message


@settings(max_examples=60, deadline=None)
@given(models(), st.data())
def test_damaged_bytes_are_refused_or_passed_on(message: ModelProto, draw: st.DataObject) -> None:
    data = bytearray(message.SerializeToString())
    for _ in range(draw.draw(st.integers(1, 4))):
        if data:
            data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    data = data[: draw.draw(st.integers(0, len(data)))]
    with suppress(WireError):
        strip(memoryview(bytes(data)))


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    with suppress(WireError):
        strip(memoryview(data))


def test_weights_are_read_from_the_file_itself(tmp_path: Path) -> None:
    w = np.arange(1024, dtype=np.float32)
    path = tmp_path / "m.onnx"
    path.write_bytes(model([node("Add", "x w", "y")], {"x": (1024,)}, ["y"], {"w": w}).SerializeToString())
    module = imported(path)
    (const, *_) = module.main.ops
    assert const.attributes["value"].source is not None, "the elements must not have been copied"
    np.testing.assert_array_equal(results(module, x=np.ones(1024, np.float32))[0], w + 1)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_damaged_model_gives_coded_errors(draw: st.DataObject) -> None:
    """Whatever byte is wrong, importing ends in a module or in a CompileError."""
    weights = {"w": np.ones((3, 2, 3, 3), np.float32), "s": np.asarray([1, -1])}
    whole = model(
        [node("Conv", "x w", "c", pads=[1, 1, 1, 1]), node("Reshape", "c s", "y")], {"x": (1, 2, 5, 5)}, ["y"], weights
    )
    data = bytearray(whole.SerializeToString())
    data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    with suppress(CompileError):
        import_onnx(bytes(data))


@pytest.mark.parametrize("dtype", ["float16", "int64", "bool", "uint8", "float64"])
def test_large_tensors_of_every_kind(tmp_path: Path, dtype: str) -> None:
    array = (np.arange(3000) % 2).astype(dtype)
    proto = model([node("Identity", "w", "y")], {"x": (1,)}, ["y"])
    proto.graph.initializer.append(numpy_helper.from_array(array, "w"))
    (tmp_path / "m.onnx").write_bytes(proto.SerializeToString())
    (got,) = results(imported(tmp_path / "m.onnx"), x=np.zeros(1, np.float32))
    np.testing.assert_array_equal(got, array)
