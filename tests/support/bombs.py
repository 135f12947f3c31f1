"""Models of a few hundred bytes that ask for too much, the code that each must end in, and the process to run them.

Each bomb is a function that puts what is to be compiled into a folder and compiles it.  They run one after the other in
one process, whose memory is limited to one gigabyte above what it has when all libraries are loaded.
"""

from __future__ import annotations

import json
import sys
import time
import traceback
import zipfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from nhwcc.compiler.budget import Budget
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper
from onnx_models import model, node

import nhwcc
from nhwcc.memory import peak_memory
from nhwcc.sources import source_of

MEMORY = 1 << 30
"""Bytes that no bomb may take."""

SECONDS = 10.0
"""None may take more of a processor's time."""

HUGE = 1 << 40

Run = Callable[[Path], object]


@dataclass(frozen=True)
class Bomb:
    """What runs, and the code of the error that must come of it."""

    name: str
    code: str
    run: Run
    is_long: bool = False


BOMBS: list[Bomb] = []
"""All of them."""


def bomb(name: str, code: str, *, is_long: bool = False) -> Callable[[Run], Run]:
    """Declare a bomb."""

    def wrap(run: Run) -> Run:
        BOMBS.append(Bomb(name, code, run, is_long))
        return run

    return wrap


def onnx_bomb(
    name: str,
    code: str,
    nodes: Sequence[NodeProto],
    constants: dict[str, Any] | None = None,
    x: Sequence[int | str] = (2,),
    **fields: Any,
) -> None:
    """Declare a network from ``x`` to ``y``."""

    def run(folder: Path) -> object:
        return compiled(folder, model(nodes, {"x": x}, ["y"], constants, **fields))

    BOMBS.append(Bomb(name, code, run))


SCALES = np.asarray([1, 1, 1e6, 1e6], np.float32)


def ints(*values: int) -> Any:
    """A vector of integers."""
    return np.asarray(values, np.int64)


def compiled(folder: Path, proto: ModelProto, **options: Any) -> object:
    """Compile a model from a file."""
    path = folder / "model.onnx"
    path.write_bytes(proto.SerializeToString())
    return nhwcc.compile(path, folder / "model.tflite", **options)


def ir_bomb(name: str, code: str, text: Callable[[], str], **options: Any) -> None:
    """Declare a text."""

    def run(folder: Path) -> object:
        path = folder / "model.ir"
        path.write_text(text())
        return nhwcc.compile(path, folder / "model.tflite", **options)

    BOMBS.append(Bomb(name, code, run))


# Results that are too large.
for number in (HUGE, 1 << 31, (1 << 62) + 1):
    onnx_bomb(f"ConstantOfShape of {number}", "M001", [node("ConstantOfShape", "s", "y")], {"s": ints(number)})
    onnx_bomb(f"Expand to {number}", "M001", [node("Expand", "x s", "y")], {"s": ints(number)}, (1,))
    onnx_bomb(f"Tile {number} times", "M001", [node("Tile", "x s", "y")], {"s": ints(number)})
onnx_bomb("ConstantOfShape of a square", "M001", [node("ConstantOfShape", "s", "y")], {"s": ints(1 << 20, 1 << 20)})
onnx_bomb("Range", "M001", [node("Range", "a b c", "y")], {"a": np.int64(0), "b": np.int64(HUGE), "c": np.int64(1)})
onnx_bomb(
    "OneHot",
    "M001",
    [node("Cast", "x", "i", to=TensorProto.INT64), node("OneHot", "i d v", "y")],
    {"d": ints(HUGE), "v": np.asarray([0, 1], np.float32)},
)
onnx_bomb("Pad", "M001", [node("Pad", "x p", "y")], {"p": ints(0, HUGE)})
onnx_bomb("Pad on many sides", "M001", [node("Pad", "x p", "y")], {"p": ints(*[1 << 15] * 8)}, (1, 1, 1, 1))
onnx_bomb("Resize", "M001", [node("Resize", "x _ _ s", "y")], {"s": ints(1, 1, 1 << 20, 1 << 20)}, (1, 1, 2, 2))
onnx_bomb(
    "Resize by a scale",
    "M001",
    [node("Resize", "x _ s", "y")],
    {"s": SCALES},
    (1, 1, 2, 2),
)
onnx_bomb(
    "Upsample",
    "M001",
    [node("Upsample", "x s", "y")],
    {"s": SCALES},
    (1, 1, 2, 2),
    version=9,
)
onnx_bomb(
    "EyeLike", "M001", [node("Expand", "x s", "z"), node("EyeLike", "z", "y")], {"s": ints(1 << 15, 1 << 16)}, (1, 1)
)
onnx_bomb("outer product", "M001", [node("Einsum", "x x", "y", equation="i,j->ij")], None, (1 << 20,))
onnx_bomb("broadcast", "M001", [node("Reshape", "x s", "z"), node("Add", "x z", "y")], {"s": ints(-1, 1)}, (1 << 20,))
onnx_bomb("input", "M001", [node("Identity", "x", "y")], None, (HUGE,))
onnx_bomb("input that is read", "M001", [node("Relu", "x", "y")], None, (1 << 20, 1 << 20))
onnx_bomb("RandomNormal", "M001", [node("RandomNormal", "", "r", shape=[HUGE]), node("Add", "x r", "y")], None, (1,))
onnx_bomb(
    "ConvTranspose",
    "M001",
    [node("ConvTranspose", "x w", "y", strides=[1 << 20, 1 << 20])],
    {"w": np.ones((1, 1, 2, 2), np.float32)},
    (1, 1, 64, 64),
)
onnx_bomb(
    "Conv with padding",
    "M001",
    [node("Conv", "x w", "y", pads=[1 << 20] * 4)],
    {"w": np.ones((1, 1, 2, 2), np.float32)},
    (1, 1, 64, 64),
)
onnx_bomb(
    "doublings",
    "M001",
    [node("Concat", f"c{i} c{i}", f"c{i + 1}", axis=0) for i in range(40)]
    + [node("ReduceSum", "c40", "s"), node("Add", "x s", "y")],
    {"c0": np.ones(16, np.float32)},
)
onnx_bomb("CenterCropPad", "M001", [node("CenterCropPad", "x s", "y")], {"s": ints(HUGE)})
onnx_bomb(
    "MaxUnpool",
    "M001",
    [node("Cast", "x", "i", to=TensorProto.INT64), node("MaxUnpool", "x i s", "y", kernel_shape=[2, 2])],
    {"s": ints(1, 1, 1 << 20, 1 << 20)},
    (1, 1, 2, 2),
)
onnx_bomb(
    "RoiAlign",
    "M001",
    [node("RoiAlign", "x r b", "y", output_height=1 << 20, output_width=1 << 20)],
    {"r": np.asarray([[0, 0, 1, 1]], np.float32), "b": ints(0)},
    (1, 1, 4, 4),
)
onnx_bomb(
    "Col2Im",
    "M001",
    [node("Col2Im", "x s b", "y")],
    {"s": ints(1 << 20, 1 << 20), "b": ints(1, 1)},
    (1, 1, 1),
    version=18,
)

# Constants that are computed.
for window in ("HannWindow", "HammingWindow", "BlackmanWindow"):
    onnx_bomb(window, "M001", [node(window, "n", "w"), node("Add", "x w", "y")], {"n": np.int64(HUGE)}, (1,))
onnx_bomb("DFT", "M001", [node("DFT", "x n", "y", axis=1)], {"n": np.int64(1 << 20)}, (1, 1 << 20, 1), version=17)
onnx_bomb("DFT of some size", "M002", [node("DFT", "x", "y", axis=1)], None, (1, 1 << 14, 1), version=17)
onnx_bomb(
    "STFT",
    "M002",
    [node("STFT", "x n _ m", "y")],
    {"n": np.int64(1), "m": np.int64(1 << 14)},
    (1, 1 << 16, 1),
    version=17,
)
onnx_bomb(
    "MelWeightMatrix",
    "M001",
    [node("MelWeightMatrix", "b n r l h", "m"), node("ReduceSum", "m", "s"), node("Add", "x s", "y")],
    {"b": np.int64(1 << 20), "n": np.int64(1 << 20), "r": np.int64(8000), "l": np.float32(0), "h": np.float32(4000)},
)


def sparse(size: int) -> NodeProto:
    """A constant of which one element is stored."""
    values = numpy_helper.from_array(np.ones(1, np.float32), "v")
    where = numpy_helper.from_array(ints(size - 1), "i")
    return helper.make_node("Constant", [], ["c"], "c", sparse_value=helper.make_sparse_tensor(values, where, [size]))


onnx_bomb("sparse tensor", "M001", [sparse(HUGE), node("Add", "x c", "y")], None, (1,))
onnx_bomb("sparse tensor of some size", "M002", [sparse(1 << 28), node("Add", "x c", "y")], None, (1,))
onnx_bomb("constant output", "M002", [node("ConstantOfShape", "s", "y")], {"s": ints(1 << 29)})


# Loops, functions and nesting.
def body(nodes: Sequence[NodeProto], outputs: str = "k v") -> Any:
    """A loop's body: the iteration's number, the condition, and a value that is carried."""
    ins: list[tuple[str, int, list[int]]] = [
        ("i", TensorProto.INT64, []),
        ("c", TensorProto.BOOL, []),
        ("v0", TensorProto.FLOAT, [2]),
    ]
    return helper.make_graph(
        nodes,
        "body",
        [helper.make_tensor_value_info(*given) for given in ins],
        [helper.make_empty_tensor_value_info(name) for name in outputs.split()],
    )


ROUND = [node("Identity", "c", "k"), node("Mul", "v0 v0", "v")]
for rounds in (HUGE, (1 << 63) - 1):
    onnx_bomb(
        f"Loop of {rounds} iterations",
        "M003",
        [node("Loop", "m t x", "y", body=body(ROUND))],
        {"m": np.int64(rounds), "t": np.asarray(True)},
    )
onnx_bomb("Loop without an end", "M003", [node("Loop", "_ _ x", "y", body=body(ROUND))])
onnx_bomb(
    "Loop that collects",
    "M003",
    [node("Loop", "m _ x", "z y", body=body([*ROUND, node("Neg", "v", "r")], "k v r"))],
    {"m": np.int64(HUGE)},
)


def nested_loops(depth: int, count: int) -> NodeProto:
    """A loop of loops."""
    inner = ROUND if depth == 0 else [node("Identity", "c", "k"), nested_loops(depth - 1, count)]
    result = "y" if depth == 3 else "v"
    return node("Loop", f"m _ {'x' if depth == 3 else 'v0'}", result, body=body(inner))


onnx_bomb("Loops inside of loops", "M004", [nested_loops(3, 500)], {"m": np.int64(500)})


@bomb("functions that call each other twice", "M004")
def _(folder: Path) -> object:
    opset = helper.make_opsetid("", 18)
    own = helper.make_opsetid("own", 1)

    def function(level: int) -> Any:
        inner = f"f{level - 1}"
        nodes = (
            [helper.make_node("Neg", ["a"], ["b"])]
            if not level
            else [
                helper.make_node(inner, ["a"], ["t"], domain="own"),
                helper.make_node(inner, ["t"], ["b"], domain="own"),
            ]
        )
        return helper.make_function("own", f"f{level}", ["a"], ["b"], nodes, [opset, own])

    proto = model([helper.make_node("f40", ["x"], ["y"], domain="own")], {"x": (2,)}, ["y"])
    proto.functions.extend(function(i) for i in range(41))
    proto.opset_import.append(own)
    return compiled(folder, proto)


@bomb("functions that call each other in a row", "M005")
def _(folder: Path) -> object:
    opset, own = helper.make_opsetid("", 18), helper.make_opsetid("own", 1)
    calls = [
        helper.make_function(
            "own", f"f{i}", ["a"], ["b"], [helper.make_node(f"f{i - 1}", ["a"], ["b"], domain="own")], [opset, own]
        )
        for i in range(1, 2000)
    ]
    last = helper.make_function("own", "f0", ["a"], ["b"], [helper.make_node("Neg", ["a"], ["b"])], [opset])
    proto = model([helper.make_node("f1999", ["x"], ["y"], domain="own")], {"x": (2,)}, ["y"])
    proto.functions.extend([last, *calls])
    proto.opset_import.append(own)
    return compiled(folder, proto)


@bomb("a recurrent layer that is written out", "M004")
def _(folder: Path) -> object:
    w, r = np.ones((1, 4, 1), np.float32), np.ones((1, 4, 1), np.float32)
    proto = model([node("LSTM", "x w r", "y", hidden_size=1)], {"x": (1 << 20, 1, 1)}, ["y"], {"w": w, "r": r})
    return compiled(folder, proto, rnn="unroll")


# Runs.
@bomb("many large tensors at a time", "M007")
def _(folder: Path) -> object:
    nodes = [node("Expand", f"x s{i}", f"e{i}") for i in range(40)]
    nodes += [node("Sum", " ".join(f"e{i}" for i in range(40)), "z"), node("ReduceMax", "z", "y")]
    return compiled(folder, model(nodes, {"x": (1,)}, ["y"], {f"s{i}": ints((1 << 28) + 0 * i) for i in range(40)}))


@bomb("a run out of time", "M003")
def _(folder: Path) -> object:
    limit = [node("ReduceSum", "v", "s", keepdims=0), node("Less", "s big", "k"), node("Mul", "v0 one", "v")]
    proto = model(
        [node("Loop", "_ t x", "y", body=body(limit))],
        {"x": (2,)},
        ["y"],
        {"t": np.asarray(True), "big": np.float32(1e9), "one": np.float32(1)},
    )
    return compiled(folder, proto, budget=Budget(seconds=1.0))


onnx_bomb(
    "a filter as large as a picture",
    "M003",
    [node("ConstantOfShape", "s", "w"), node("Conv", "x w", "y", pads=[1 << 12] * 4)],
    {"s": ints(1, 1, 1 << 13, 1 << 13)},
    (1, 1, 1 << 13, 1 << 13),
)
onnx_bomb(
    "a filter and a picture that are constants",
    "M003",
    [
        *(node("ConstantOfShape", "s", "w"), node("Conv", "w w", "c", pads=[1 << 12] * 4)),
        *(node("ReduceMax", "c", "m", keepdims=0), node("Add", "x m", "y")),
    ],
    {"s": ints(1, 1, 1 << 13, 1 << 13)},
)


@bomb("a loop of large products", "M003")
def _(folder: Path) -> object:
    nodes = [node("Identity", "c", "k"), node("Expand", "v0 s", "e"), node("MatMul", "e e", "p")]
    nodes += [node("ReduceMax", "p", "r"), node("Reshape", "r one", "q"), node("Concat", "q q", "v", axis=0)]
    loop = node("Loop", "m t x", "y", body=body(nodes))
    given = {"m": np.int64(1 << 27), "t": np.asarray(True), "s": ints(1 << 20, 2, 2), "one": ints(1)}
    return compiled(folder, model([loop], {"x": (2,)}, ["y"], given))


# Texts.
def text(line: str, result: str = "f32[4]", header: str = "f32[4]") -> str:
    """A function with one operation."""
    return f"func @main(%x: {header}) -> ({result}) {{\n  {line}\n  return(%y)\n}}\n"


ir_bomb(
    "text: a broadcast",
    "M001",
    lambda: text("%y = broadcast_to(%x) {shape = [1099511627776, 4]} : f32[1099511627776,4]"),
)
ir_bomb("text: operands without an end", "P001", lambda: text("%y = concat(" + ", ".join(["%x"] * 100_000)))
ir_bomb("text: blanks without an end", "P001", lambda: text("%y = concat(%x" + " " * 100_000))
ir_bomb("text: a type without an end", "P001", lambda: text("%y = relu(%x) : a" + "0" * 100_000))
ir_bomb("text: nested lists", "M005", lambda: text("%y = relu(%x) {a = " + "[" * 5000 + "]" * 5000 + "} : f32[4]"))
ir_bomb(
    "text: a size to the power of a billion",
    "P007",
    lambda: text("%y = relu(%x) : f32[4]", header="f32[h**1000000000]"),
)
ir_bomb("text: a tower of powers", "P007", lambda: text("%y = relu(%x) : f32[4]", header="f32[9**9**9**9]"))
ir_bomb("text: powers of sums", "P007", lambda: text("%y = relu(%x) : f32[4]", header="f32[(a+b+c+d+e+f+g)**16]"))
ir_bomb("text: a long size", "P007", lambda: text("%y = relu(%x) : f32[4]", header=f"f32[{'+'.join('h' * 50_000)}]"))
ir_bomb("text: code for a size", "P007", lambda: text("%y = relu(%x) : f32[4]", header="f32[__import__('os')]"))
LARGE_SIZE = "f32[(h+100)**15,4]"
ir_bomb(
    "text: an open size of a high power",
    "M001",
    lambda: text(
        f"%y = broadcast_to(%x) {{shape = ['(h+100)**15', 4]}} : {LARGE_SIZE}", LARGE_SIZE, "f32[1,4], %z: f32[h,4]"
    ),
)
ir_bomb(
    "text: an open size that is large for all inputs",
    "M007",
    lambda: text(
        "%y = broadcast_to(%x) {shape = ['(h+1200)**3', 4]} : f32[(h+1200)**3,4]",
        "f32[(h+1200)**3,4]",
        "f32[1,4], %z: f32[h,4]",
    ),
)


@bomb("text: nested regions", "M005")
def _(folder: Path) -> object:
    depth = 500
    opened = "%y = if(%c) do () {\n" * depth
    closed = "return(%x)\n} do () {\nreturn(%x)\n} : f32[4]\n"
    lines = opened + closed + "return(%y)\n} do () {\nreturn(%x)\n} : f32[4]\n" * (depth - 1)
    (folder / "model.ir").write_text(
        f"func @main(%x: f32[4], %c: bool[]) -> (f32[4]) {{\n{lines}return(%y)\n}}\n".replace("%y", "%y")
    )
    return nhwcc.compile(folder / "model.ir", folder / "model.tflite")


# Rules.
@bomb("rules: nested terms", "M005")
def _(folder: Path) -> object:
    (folder / "model.rules").write_text("rule deep: " + "relu(" * 5000 + "%x" + ")" * 5000 + " => %x\n")
    path = folder / "model.ir"
    path.write_text(text("%y = relu(%x) : f32[4]"))
    return nhwcc.compile(path, folder / "model.tflite", rules=[folder / "model.rules"])


# Archives.
def zeros(path: Path, member: str, head: bytes, size: int) -> Path:
    """Write an archive with one member that is mostly zeros."""
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open(member, "w") as file,
    ):
        file.write(head)
        for _ in range(size >> 24):
            file.write(bytes(1 << 24))
    return path


def npy_head(shape: Sequence[int]) -> bytes:
    """The beginning of an .npy file of floats."""
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {tuple(shape)}, }}"
    text += " " * (-(len(text) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


RELU = model([node("Relu", "x", "y")], {"x": ("n",)}, ["y"])


@bomb(".npz that expands", "M006")
def _(folder: Path) -> object:
    return compiled(folder, RELU, data=zeros(folder / "d.npz", "x.npy", npy_head([3 << 26]), 3 << 28))


@bomb(".npz that claims to be large", "R010")
def _(folder: Path) -> object:
    return compiled(folder, RELU, data=zeros(folder / "d.npz", "x.npy", npy_head([HUGE]), 0))


@bomb(".npy that claims to be large", "R010")
def _(folder: Path) -> object:
    (folder / "d.npy").write_bytes(npy_head([HUGE]))
    return compiled(folder, RELU, data=folder / "d.npy")


@bomb("a size in the metadata of a file", "R010")
def _(folder: Path) -> object:
    name = "n" * 13
    path = folder / "model.tflite"
    nhwcc.compile(model([node("Relu", "x", "y")], {"x": (name,)}, ["y"]), path)
    path.write_bytes(path.read_bytes().replace(name.encode(), b"n**1000000000"))
    with ExitStack() as stack:
        return source_of(path).open(stack).inputs


@bomb("comparing with a loop without an end", "M003")
def _(folder: Path) -> object:
    path = folder / "model.onnx"
    path.write_bytes(model([node("Loop", "_ _ x", "y", body=body(ROUND))], {"x": (2,)}, ["y"]).SerializeToString())
    with ExitStack() as stack:
        return source_of(path).open(stack)


@bomb(".pth that expands", "M006", is_long=True)
def _(folder: Path) -> object:
    return nhwcc.compile(zeros(folder / "model.pth", "model/data/0", b"", 3 << 28), folder / "model.tflite")


@bomb(".pt2 that expands", "M006", is_long=True)
def _(folder: Path) -> object:
    path = zeros(folder / "model.pt2", "model/data/weights/weight_0", b"", 3 << 28)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("model/archive_format", "pt2")
    return nhwcc.compile(path, folder / "model.tflite")


def measure(bomb: Bomb, folder: Path) -> dict[str, Any]:
    """Set a bomb off, and say what came of it."""
    start = time.process_time()
    try:
        bomb.run(folder)
        found, said = "", "nothing went wrong"
    except nhwcc.CompileError as bad:
        found, said = bad.diagnostics[0].code, str(bad)
    except Exception as bad:  # noqa: BLE001 -- whatever it is, the test shows it
        found, said = type(bad).__name__, traceback.format_exc()
    return {"name": bomb.name, "code": found, "said": said, "seconds": time.process_time() - start}


def main() -> None:
    """Run the bombs whose names are given, or all; print a line of JSON for each."""
    import resource

    nhwcc.compile(RELU)  # loads all libraries, whose memory does not count
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, size + MEMORY))
    for chosen in BOMBS:
        if not sys.argv[1:] or chosen.name in sys.argv[1:]:
            with TemporaryDirectory() as folder:
                print(json.dumps(measure(chosen, Path(folder)) | {"peak": peak_memory()}), flush=True)


if __name__ == "__main__":
    main()
