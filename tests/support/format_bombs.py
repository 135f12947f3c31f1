"""More bombs, in files of other formats than ONNX: sizes, places and numbers that no model means.

They are declared and run as those of :mod:`bombs`.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bombs
from bombs import HUGE, RELU, bomb, compiled, text
from onnx import TensorProto
from onnx_models import model, node

import nhwcc

DIGITS = "9" * 6000
"""More than Python reads as a number."""


def file_bomb(name: str, code: str, files: Mapping[str, bytes | str], model: str = "", **options: Any) -> None:
    """Declare files, of which the first one is compiled, or the one that is named."""

    def run(folder: Path) -> object:
        for file, content in files.items():
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return nhwcc.compile(folder / (model or next(iter(files))), folder / "out.tflite", verify=False, **options)

    bomb(name, code)(run)


# ONNX: tensors that no array holds.
@bomb("an initializer of nothing in huge rows", "M001")
def _(folder: Path) -> object:
    proto = model([node("Add", "x w", "y")], {"x": (2,)}, ["y"])
    proto.graph.initializer.append(TensorProto(name="w", data_type=1, dims=[0, 1 << 62], raw_data=b""))
    return compiled(folder, proto, verify=False)


def external(**said: object) -> bytes:
    """Return a model whose weight lies in another file."""
    proto = model([node("Add", "x w", "y")], {"x": (2,)}, ["y"])
    tensor = TensorProto(name="w", data_type=1, dims=[2], data_location=TensorProto.EXTERNAL)
    for key, value in said.items():
        tensor.external_data.add(key=key, value=str(value))
    proto.graph.initializer.append(tensor)
    return proto.SerializeToString()


file_bomb("external data of a device", "F017", {"m.onnx": external(location="/dev/zero")})
file_bomb("external data above the folder", "F017", {"m.onnx": external(location="../../etc/passwd")})
for called, code, place in (("before the file", "F017", "-8"), ("of many digits", "F016", DIGITS)):
    given: dict[str, bytes | str] = {"m.onnx": external(location="w", offset=place, length=8), "w": b"x" * 8}
    file_bomb(f"a place {called}", code, given)

# TensorFlow, as text.
INPUT = (
    'node { name: "x" op: "Placeholder" attr { key: "dtype" value { type: DT_FLOAT } } '
    'attr { key: "shape" value { shape { dim { size: 2 } } } } }\n'
)
ADDED = 'node { name: "y" op: "AddV2" input: "x" input: "c" attr { key: "T" value { type: DT_FLOAT } } }\n'


def constant(size: object) -> str:
    """Return a node of one element that is repeated."""
    tensor = f"tensor {{ dtype: DT_FLOAT tensor_shape {{ dim {{ size: {size} }} }} float_val: 1 }}"
    return (
        'node { name: "c" op: "Const" attr { key: "dtype" value { type: DT_FLOAT } } '
        f'attr {{ key: "value" value {{ {tensor} }} }} }}\n'
    )


file_bomb("graph: a constant", "M001", {"m.pbtxt": INPUT + constant(HUGE) + ADDED})
file_bomb("graph: a constant of no size", "F016", {"m.pbtxt": INPUT + constant(-5) + ADDED})
file_bomb("graph: a number of many digits", "R010", {"m.pbtxt": INPUT + constant(DIGITS) + ADDED})
file_bomb("graph: nested", "R010", {"m.pbtxt": INPUT + "node { attr { value { list { " * 20_000})
LARGE_INPUT = INPUT.replace("size: 2", f"size: {HUGE}")
file_bomb("graph: an input", "M001", {"m.pbtxt": LARGE_INPUT + ADDED.replace('"c"', '"x"')})

# OpenVINO.
HEAD = '<?xml version="1.0"?><net name="m" version="11">'


def parameter(shape: str) -> str:
    """Return a network of one ReLU, whose input has a shape."""
    dims = "".join(f"<dim>{d}</dim>" for d in shape.split(","))
    return (
        f'{HEAD}<layers><layer id="0" name="x" type="Parameter" version="opset1"><data shape="{shape}" '
        f'element_type="f32"/><output><port id="0" precision="FP32">{dims}</port></output></layer>'
        '<layer id="1" name="r" type="ReLU" version="opset1"><input><port id="0"/></input>'
        f'<output><port id="1" precision="FP32">{dims}</port></output></layer>'
        '<layer id="2" name="y" type="Result" version="opset1"><input><port id="0"/></input></layer></layers>'
        '<edges><edge from-layer="0" from-port="0" to-layer="1" to-port="0"/>'
        '<edge from-layer="1" from-port="1" to-layer="2" to-port="0"/></edges></net>'
    )


ENTITIES = "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True))
file_bomb("OpenVINO: an input", "M001", {"m.xml": parameter(str(HUGE)), "m.bin": b""})
file_bomb("OpenVINO: axes", "M001", {"m.xml": parameter(",".join("1" * 20_000)), "m.bin": b""})
file_bomb("OpenVINO: a size of many digits", "R010", {"m.xml": parameter(DIGITS), "m.bin": b""})
file_bomb("OpenVINO: nested", "M005", {"m.xml": HEAD + "<layers><layer>" * 50_000, "m.bin": b""})
GROWING = f'<?xml version="1.0"?><!DOCTYPE n [<!ENTITY a "x">{ENTITIES}]><net name="&i;"/>'
file_bomb("OpenVINO: entities", "R010", {"m.xml": GROWING})

# TensorFlow.js.
WEIGHT = {"name": "w", "shape": [2], "dtype": "float32"}


def web(paths: list[str], **said: object) -> dict[str, bytes | str]:
    """Return a model whose weights lie somewhere."""
    groups = [{"paths": paths, "weights": [WEIGHT | said]}]
    stated: dict[str, Any] = {"format": "graph-model", "modelTopology": {"node": []}, "weightsManifest": groups}
    return {"web/model.json": json.dumps(stated), "web/g.bin": b"\0" * 8}


file_bomb("TensorFlow.js: weights above the folder", "R010", web(["../../etc/passwd"]), "web")
file_bomb("TensorFlow.js: weights elsewhere", "R010", web(["/etc/passwd"]), "web")
file_bomb("TensorFlow.js: a size", "M001", web(["g.bin"], shape=[HUGE]), "web")
file_bomb("TensorFlow.js: a size below nothing", "M001", web(["g.bin"], shape=[-2, -1]), "web")
file_bomb("TensorFlow.js: a size that is no number", "R010", web(["g.bin"], shape=[float("nan")]), "web")
file_bomb("TensorFlow.js: nested", "R010", {"web/model.json": '{"modelTopology":' + '{"a":[' * 100_000}, "web")


# nhwcc's own texts.
STORED = 'weights "m.ir.safetensors"\n' + text(
    "%w = const() {value = @@w : f32[4]} : f32[4]\n  %y = add(%x, %w) : f32[4]"
)


def side(header: str, length: int | None = None) -> dict[str, bytes | str]:
    """Return a text with a side file."""
    size = struct.pack("<Q", len(header) if length is None else length)
    return {"m.ir": STORED, "m.ir.safetensors": size + header.encode() + b"x" * 16}


def entry(shape: object, start: int, end: int) -> str:
    """Return the header of a side file of one tensor."""
    return f'{{"w":{{"dtype":"F32","shape":[{shape}],"data_offsets":[{start},{end}]}}}}'


file_bomb("side file: a long header", "R010", side("{}", 1 << 62))
file_bomb("side file: nested", "M005", side('{"a":' * 20_000))
file_bomb("side file: beyond the end", "R010", side(entry(4, 0, HUGE)))
file_bomb("side file: before the beginning", "R010", side(entry(4, -16, 0)))
file_bomb("side file: a size", "R010", side(entry(HUGE, 0, 16)))
file_bomb("side file: a size of many digits", "R010", side(entry(DIGITS, 0, 16)))
file_bomb("text: division by nothing", "P007", {"m.ir": text("%y = relu(%x) : f32[4]", header="f32[h//0]")})
file_bomb("text: a size of many digits", "P007", {"m.ir": text("%y = relu(%x) : f32[4]", header=f"f32[{DIGITS}]")})


def sum_of(depth: int) -> str:
    """Return a sum of sums, which matches in two orders each."""
    return "%x" if not depth else f"add({sum_of(depth - 1)}, {sum_of(depth - 1)})"


def rules_bomb(name: str, code: str, rules: str) -> None:
    """Declare rules that are applied to two ReLUs."""

    def run(folder: Path) -> object:
        (folder / "m.ir").write_text(text("%a = relu(%x) : f32[4]\n  %y = relu(%a) : f32[4]"))
        (folder / "r.rules").write_text(rules)
        return nhwcc.compile(folder / "m.ir", folder / "out.tflite", rules=[folder / "r.rules"], verify=False)

    bomb(name, code)(run)


rules_bomb("rules: orders", "P011", f"rule c: {sum_of(5)} => %x\n")
rules_bomb("rules: what grows", "W001", "rule g: relu(%x) => neg(relu(neg(relu(%x))))\n")


# Samples and statistics.
def npy(shape: str, kind: str = "'<f4'") -> bytes:
    """Return an array's file with a shape as it is written there."""
    said = f"{{'descr': {kind}, 'fortran_order': False, 'shape': {shape}, }}"
    said += " " * (-(len(said) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + len(said).to_bytes(2, "little") + said.encode() + b"x" * 16


for called, content in (
    ("objects", npy("(1,)", "'|O'")),
    ("a size below nothing", npy("(-4,)")),
    ("a size of many digits", npy(f"({DIGITS},)")),
    ("brackets", npy("(" * 5000)),
    ("long strings", npy("(1,)", "'<U999999999'")),
):

    @bomb(f"data: {called}", "R010")
    def _(folder: Path, content: bytes = content) -> object:
        (folder / "d.npy").write_bytes(content)
        return compiled(folder, RELU, data=folder / "d.npy")


@bomb("data: a pipe", "R010")
def _(folder: Path) -> object:
    os.mkfifo(folder / "d.npy")
    return compiled(folder, RELU, data=folder / "d.npy")


@bomb("a model that is a pipe", "R010")
def _(folder: Path) -> object:
    os.mkfifo(folder / "m.onnx")
    return nhwcc.compile(folder / "m.onnx", folder / "out.tflite")


@bomb("statistics without an end", "R010")
def _(folder: Path) -> object:
    (folder / "s.json").symlink_to("/dev/zero")
    options: dict[str, Any] = {"quantize": "int8", "calibration": [folder / "s.json"]}
    return compiled(folder, model([node("Relu", "x", "y")], {"x": (2,)}, ["y"]), **options)


if __name__ == "__main__":
    bombs.main()
