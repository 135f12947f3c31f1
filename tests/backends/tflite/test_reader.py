"""Reading files, those of other writers and damaged ones too."""

# the schema's generated code is untyped
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from nhwcc.backends.tflite import emit
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.formats.tflite.reader import OperatorInfo, inspect, read_signature

from .files import adding, normal, written


def foreign(path: Path) -> Path:
    """A file as an old converter writes it: no signature, no shape signature, the builtin in the old field."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    tensors = [
        schema.TensorT(shape=[1, 2], type=0, buffer=0, name="x"),
        schema.TensorT(shape=[2], type=0, buffer=1, name="c"),
        schema.TensorT(shape=[1, 2], type=0, buffer=0, name="y"),
    ]
    model = schema.ModelT(
        version=3,
        description="by hand",
        operatorCodes=[
            schema.OperatorCodeT(deprecatedBuiltinCode=0, version=1),
            schema.OperatorCodeT(deprecatedBuiltinCode=32, builtinCode=32, customCode="mine", version=2),
        ],
        buffers=[schema.BufferT(), schema.BufferT(data=np.frombuffer(np.ones(2, np.float32).tobytes(), np.uint8))],
        subgraphs=[
            schema.SubGraphT(
                tensors=tensors,
                inputs=[0],
                outputs=[2],
                operators=[
                    schema.OperatorT(opcodeIndex=0, inputs=[0, 1], outputs=[2]),
                    schema.OperatorT(opcodeIndex=1, inputs=[2, -1], outputs=[2]),
                ],
            )
        ],
    )
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    return path


def test_files_of_others(tmp_path: Path) -> None:
    summary = inspect(foreign(tmp_path / "m.tflite"))
    (graph,) = summary.subgraphs
    assert summary.version == 3 and summary.description == "by hand"
    assert graph.operators == (OperatorInfo("ADD", 1, (0, 1), (2,)), OperatorInfo("mine", 2, (2, -1), (2,), b""))
    assert [(t.name, str(t), t.nbytes) for t in graph.tensors] == [
        ("x", "float32[1,2]", 0),
        ("c", "float32[2]", 8),
        ("y", "float32[1,2]", 0),
    ]
    assert summary.signatures == () and summary.layout is None and summary.min_runtime is None
    assert read_signature(tmp_path / "m.tflite").inputs == {}


def test_own_files(tmp_path: Path) -> None:
    summary = written(adding(normal(3, 4), normal(5)), tmp_path / "m.tflite")
    (graph,) = summary.subgraphs
    assert summary.bytes == (tmp_path / "m.tflite").stat().st_size and summary.description == "nhwcc"
    assert [o.name for o in graph.operators] == ["ADD", "ADD"]
    assert sorted(t.nbytes for t in graph.tensors if t.nbytes) == [20, 48]
    assert summary.min_runtime == "1.5.0"


@pytest.mark.parametrize(
    ("content", "why"),
    [(None, "there is no such file"), (b"", "empty"), (b"abc", "not a TFLite file"), (b"\x1c\0\0\0TFL3", "damaged")],
    ids=["missing", "empty", "short", "header"],
)
def test_no_files_at_all(tmp_path: Path, content: bytes | None, why: str) -> None:
    path = tmp_path / "m.tflite"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CompileError) as caught:
        inspect(path)
    assert caught.value.diagnostics[0].code == "R010" and why in str(caught.value)


def test_damage_is_never_more_than_an_error(tmp_path: Path) -> None:
    """Cut anywhere, or with any byte of the metadata changed."""
    emit(adding(normal(4)), tmp_path / "whole")
    whole = (tmp_path / "whole").read_bytes()
    rng = np.random.default_rng(0)
    damaged = [whole[:n] for n in range(8, len(whole) - 100, 7)]
    for at in rng.integers(8, len(whole), 400):
        changed = bytearray(whole)
        changed[at] = rng.integers(256)
        damaged.append(bytes(changed))
    path = tmp_path / "m.tflite"
    codes: list[str] = []
    for data in damaged:
        path.write_bytes(data)
        try:
            inspect(path)
        except CompileError as bad:
            codes += [d.code for d in bad.diagnostics]
    assert set(codes) == {"R010"} and len(codes) > 100
