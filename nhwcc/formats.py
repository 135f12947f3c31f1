"""What a model's file is: told by its content first, by its name second."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nhwcc.compiler.diagnostics import error

HEAD = 4096
"""Bytes that are looked at."""

EXPORT = 'export it to ONNX first, in PyTorch with torch.onnx.export(model, inputs, "model.onnx", dynamo=True)'


@dataclass(frozen=True)
class Format:
    """A kind of file: how its content begins, how such files are called, and for those we can't read, the way out."""

    name: str
    title: str
    suffixes: tuple[str, ...]
    begins: Callable[[bytes], bool]
    remedy: str = ""


def _magic(*starts: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(starts)


def _zip_with(*names: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(b"PK\x03\x04") and any(n in head for n in names)


def _fields(head: bytes) -> Iterator[tuple[int, int, int]]:
    """Walk the fields of a protobuf message: number, wire type, and the value or the length; stop where it ends."""
    position = 0

    def varint() -> int:
        nonlocal position
        value = shift = 0
        while True:
            byte = head[position]
            position += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128 or shift > 63:
                return value

    try:
        while position < len(head):
            tag = varint()
            value = varint()
            yield tag >> 3, tag & 7, value
            position += value if tag & 7 == 2 else 0
    except IndexError:
        return


_ONNX_WIRE = {1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, 8: 2, 14: 2, 20: 2, 25: 2, 26: 2}
"""Wire types of the fields of ONNX's ModelProto by their numbers."""


def _begins_onnx(head: bytes) -> bool:
    """A version, then short texts, then the graph; TensorFlow's messages have their graph where the texts stand."""
    has_version = False
    for number, wire, value in _fields(head):
        if _ONNX_WIRE.get(number) != wire or (number in (2, 3, 4) and value > 256):
            return False
        if number == 7:
            return True
        has_version = has_version or (number == 1 and 0 < value < 64)
    return has_version


def _begins_ir(head: bytes) -> bool:
    return head.lstrip().startswith((b"func @", b'weights "', b"// "))


FORMATS = [
    Format("tflite", "a TFLite file", (".tflite", ".lite"), lambda head: head[4:8] == b"TFL3"),
    Format("ir", "nhwcc's IR", (".ir",), _begins_ir),
    Format(
        "lfs", "a Git LFS pointer", (), _magic(b"version https://git-lfs"), "fetch the file itself with: git lfs pull"
    ),
    Format(
        "html",
        "a web page",
        (),
        lambda head: head.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html")),
        "the download went wrong; fetch the model again",
    ),
    Format("onnx", "an ONNX model", (".onnx",), _begins_onnx),
    Format("keras", "a Keras model", (".keras", ".h5", ".hdf5"), _magic(b"\x89HDF"), EXPORT),
    Format("keras", "a Keras model", (".keras",), _zip_with(b"metadata.json", b"model.weights.h5"), EXPORT),
    Format(
        "torch",
        "a PyTorch file",
        (".pt", ".pth", ".pt2", ".ckpt", ".bin", ".pkl"),
        _zip_with(b"/data.pkl", b"/byteorder", b"archive_format", b"serialized_exported_program"),
    ),
    Format("torch", "a PyTorch file", (), _magic(b"\x80\x02", b"\x80\x04")),
    Format("weights", "a file of weights without a graph", (".safetensors", ".gguf"), _magic(b"GGUF"), EXPORT),
    Format("openvino", "an OpenVINO model", (".xml",), _magic(b"<?xml", b"<net"), EXPORT),
    Format("tensorflow", "a TensorFlow model", (".pb", ".pbtxt"), lambda head: False, EXPORT),
    Format("coreml", "a Core ML model", (".mlmodel", ".mlpackage"), lambda head: False, EXPORT),
]
"""What is recognised, in the order in which it is tried; what has a remedy can't be read."""


def detect(source: Path | bytes) -> Format:
    """Return the format of a file, or of its bytes.

    Raises:
        CompileError: R010, the file can't be read; R014, it is nothing that we know.
    """
    head = source[:HEAD] if isinstance(source, bytes) else _head(source)
    for format in FORMATS:
        if format.begins(head):
            return format
    suffix = "" if isinstance(source, bytes) else source.suffix.lower()
    for format in FORMATS:
        if suffix in format.suffixes:
            return format
    what = "these bytes are" if isinstance(source, bytes) else f"{source} is"
    raise error(
        "R014", f"{what} no model that nhwcc knows", help="nhwcc reads ONNX models (.onnx) and its own IR (.ir)"
    )


def check_name(output: Path, format: str) -> None:
    """Refuse to write a file under a name by which models of another format that we read are known.

    Raises:
        CompileError: L007.
    """
    suffix = output.suffix.lower()
    other = next((f for f in FORMATS if suffix in f.suffixes and not f.remedy and f.name != format), None)
    if other is not None:
        help = f"call it {output.with_suffix(f'.{format}').name}"
        raise error("L007", f"{output} would be taken for {other.title}, but a .{format} file is written", help=help)


def _head(path: Path) -> bytes:
    try:
        if path.is_dir():
            if (path / "saved_model.pb").exists() or path.suffix == ".mlpackage":
                return b""  # the name tells
            raise error("R010", f"{path} is a folder", help="give the model's file")
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError as bad:
        raise error("R010", f"can't read {path}: {bad.strerror}") from bad
    if not head:
        raise error("R010", f"{path} is empty", help="the download or the export was interrupted")
    return head
