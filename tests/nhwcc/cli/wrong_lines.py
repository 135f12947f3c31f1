"""Command lines that are wrong, as people who come from other tools type them: what is said, and the exit code.

A row is a command line, the exit code, the code of the message and words that it has; a row is run in a folder with
:data:`FILES` and the models of :func:`models_of`.
"""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from models import CONV, SMALL, onnx_model, write_onnx


class Line(NamedTuple):
    """A wrong command line and what is said of it."""

    text: str
    exit: int
    code: str
    words: tuple[str, ...]


def archive(*names: str, content: bytes = b"x") -> bytes:
    """Return a zip archive with these members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name in names:
            file.writestr(name, content)
    return buffer.getvalue()


STATE_DICT = (
    b"\x80\x02ccollections\nOrderedDict\nq\x00)Rq\x01X\x01\x00\x00\x00wq\x02ctorch._utils\n_rebuild_tensor_v2\nq\x03s."
)
"""How the list of weights in a checkpoint begins and ends: names of what tensors are built with."""

FILES: dict[str, bytes] = {
    "notes.txt": b"call me",
    "missing.onnx.txt": b"",
    "empty.onnx": b"",
    "page.onnx": b"<!DOCTYPE html><html><body>404</body></html>",
    "gone.onnx": b"Entry not found",
    "lfs.onnx": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n",
    "cut.onnx": onnx_model().SerializeToString()[:150],
    "noise.xyz": b"\x00\x01\x02\x03",
    "photo.jpg": b"\xff\xd8\xff\xe0\x00\x10JFIF",
    "models.zip": archive("model.onnx"),
    "models.tar.gz": b"\x1f\x8b\x08\x00",
    "model.h5": b"\x89HDF\r\n\x1a\n",
    "model.keras": archive("metadata.json", "config.json", "model.weights.h5"),
    "renamed.onnx": archive("metadata.json", "config.json", "model.weights.h5"),
    "frozen.pb": b"\x0a\x16\x0a\x01x\x12\x0bPlaceholder\x1a\x00\x2a\x02" + b"z" * 40,
    "saved/saved_model.pb": b"\x08\x01\x12\x90\x4e" + b"x" * 10_000,
    "model.ckpt.meta": b"\x0a\x02\x08\x01",
    "model.xml": b'<?xml version="1.0"?><net name="m" version="11"><layers><layer id="0"/></layers></net>',
    "model.bin": b"\x00\x00\x80\x3f" * 4,
    "net.mlmodel": b"\x08\x04\x12\x02\x0a\x00\xa2\x1f\x02\x0a\x00",
    "net.mlpackage/Manifest.json": b"{}",
    "llama.gguf": b"GGUF\x03\x00\x00\x00",
    "w.safetensors": struct.pack("<Q", 2) + b"{}",
    "net.pdmodel": b"\x0a\x00",
    "tree.pkl": pickle.dumps({"a": 1}, protocol=4),
    "flax.msgpack": b"\x81\xa1a\x01",
    "f.mlir": b"module @m { func.func @main() { return } }",
    "state.pth": archive("state/data.pkl", "state/version", content=STATE_DICT),
    "broken.pt": archive("state/data.pkl")[:40],
    "fake.pt": b"\x00\x01 nothing",
    "weights.npz": archive("a.npy"),
    "done.tflite": b"\x1c\0\0\0TFL3\0\0\0\0",
    "net.py": b"import torch\nclass Net(torch.nn.Module):\n    pass\n",
    "bad.py": b"class Net(:\n",
    "bad.ir": b"func @main(",
    "bad.rules": b"rule x add(%x) => %x",
    "bad.npy": b"not an array",
    "hub/config.json": b"{}",
    "hub/model.safetensors": struct.pack("<Q", 2) + b"{}",
    "exported/model.onnx": b"\x08\x08",
    "only/readme.md": b"# nothing",
    "model.ort": b"\x1c\0\0\0ORTM\0\0\0\0",
    "plan.engine": b"ftrt\0\0",
    "yolo.weights": b"\x00\x00\x00\x00\x02\x00",
}
"""Files by name."""


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files by name, with the folders that they are in."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)


def models_of(folder: Path) -> None:
    """Write all files, and models that are right: good.onnx, small.ir, conv.ir."""
    write_files(folder, FILES)
    write_onnx(folder / "good.onnx")
    (folder / "small.ir").write_text(SMALL)
    (folder / "conv.ir").write_text(CONV)


def line(text: str, exit: int, code: str, *words: str) -> Line:
    """Build a row."""
    return Line(text, exit, code, words)


def compile_(rest: str, code: str, *words: str, model: str = "good.onnx") -> Line:
    """Build a row: a model that is right is compiled, something else is wrong."""
    exit = 2 if code == "L011" else 1
    return Line(f"compile {model} -o o.tflite {rest}", exit, code, words)


def source(name: str, code: str, *words: str) -> Line:
    """Build a row: what is to be compiled is not a model, or not one that is read."""
    return Line(f"compile {name} -o o.tflite", 1, code, words)


COMMANDS = [
    line("good.onnx", 2, "L011", "did you mean: nhwcc compile good.onnx -o good.tflite?"),
    line("some/where/net.onnx", 2, "L011", "nhwcc compile some/where/net.onnx"),
    line("done.tflite", 2, "L011", "nhwcc inspect done.tflite"),
    line("convert good.onnx", 2, "L011", "did you mean 'compile'?"),
    line("export good.onnx", 2, "L011", "did you mean 'compile'?"),
    line("comiple good.onnx", 2, "L011", "did you mean 'compile'?"),
    line("Compile good.onnx", 2, "L011", "did you mean 'compile'?"),
    line("info good.onnx", 2, "L011", "did you mean 'inspect'?"),
    line("show done.tflite", 2, "L011", "did you mean 'inspect'?"),
    line("compare good.onnx done.tflite", 2, "L011", "did you mean 'verify'?"),
    line("check good.onnx done.tflite", 2, "L011", "--target tflite-gpu", "nhwcc verify"),
    line("check good.onnx --target tflite-gpu --require most", 2, "L011", "write 100%"),
    line("check good.onnx --target onnx", 1, "L013", "tflite-micro"),
    line(
        "compile good.onnx -o o.tflite --target tflite-micro --quantize dynamic-int8",
        *(1, "Q003", "no kernels for dynamic-int8", "int8"),
    ),
    line("simplify good.onnx", 2, "L011", "did you mean 'opt'?"),
    line("version", 2, "L011", "did you mean '--version'?"),
    line("help", 2, "L011", "did you mean '--help'?"),
    line("frobnicate", 2, "L011", "there is no command 'frobnicate'", "nhwcc --help"),
    line("-o o.tflite good.onnx", 2, "L011", "options stand behind the command"),
    line("--io-layout keep", 2, "L011", "options stand behind the command: nhwcc compile"),
    line("--verison", 2, "L011", "did you mean '--version'?"),
]

ARGUMENTS = [
    line("compile", 2, "L011", "give either a MODEL or --module"),
    line("compile done.tflite", 1, "R016", "no output is given", "the model itself", "say another name"),
    line("compile good.onnx --target tflit", 1, "L008", "did you mean 'tflite'?"),
    line("calibrate good.onnx --data x.npy", 2, "L011", "no output is given", "add -o"),
    line("compile good.onnx out.tflite", 2, "L011", "did you mean: -o out.tflite?"),
    line("compile good.onnx -o a.tflite b.tflite", 2, "L011", "'b.tflite' is one argument too many"),
    line("compile good.onnx conv.ir -o a.tflite", 2, "L011", "takes one model"),
    line("compile -o o.tflite", 2, "L011", "give either a MODEL or --module"),
    line("compile good.onnx -o", 2, "L011", "'-o' requires an argument"),
    line("compile good.onnx --module net.py:Net -o o.tflite", 2, "L011", "give one of them"),
    line("verify good.onnx", 2, "L011", "needs a CANDIDATE"),
    line("inspect", 2, "L011", "needs a MODEL"),
    line("opt", 2, "L011", "needs a MODEL"),
    line("explain", 2, "L011", "needs a CODE"),
    line("explain T0011", 2, "L011", "did you mean 'T001'?"),
    line("explain 42", 2, "L011", "there is no code '42'"),
    line("passes cse dce", 2, "L011", "'dce' is one argument too many"),
    line("passes propagate-layuot", 1, "L002", "did you mean 'propagate-layout'?"),
    line("compile good.onnx -o o.tflite --shape image=1, 3, 8, 6", 2, "L011", "without spaces"),
    line("compile good.onnx -o o.tflite --shape image=1,3,8,6 y=1", 2, "L011", "--shape y=1"),
]

OPTIONS = [
    compile_("--io_layout keep", "L011", "did you mean '--io-layout'?"),
    compile_("--outptus map", "L011", "did you mean '--outputs'?"),
    compile_("--verify-eahc", "L011", "did you mean '--verify-each'?"),
    compile_("--qqq", "L011", "there is no option --qqq", "compile --help"),
    line("compile -i good.onnx -o out", 2, "L011", "the model is given without an option"),
    line("compile --saved_model_dir=saved --output_file=o.tflite", 2, "L011", "the model is given without an option"),
    line("compile --model_path model.xml", 2, "L011", "the model is given without an option"),
    line("compile good.onnx --output_folder_path out", 2, "L011", "-o FILE.tflite"),
    compile_("-ois image:1,3,8,6", "L011", "--shape x=1,3,224,224"),
    compile_("--batch_size 1", "L011", "--shape batch=1"),
    compile_("-kat image", "L011", "--io-layout"),
    compile_("--input_shape 1,3,8,6", "L011", "--shape x=1,3,224,224"),
    compile_("-oiqt", "L011", "--quantize int8"),
    compile_("--output_float16_quant_tflite", "L011", "--quantize int8"),
    compile_("--input_arrays image", "L011", "--inputs A,B"),
    compile_("--debug", "L011", "--verbose"),
    compile_("--overwrite", "L011", "replaced anyway"),
    compile_("--atol 0.1", "L011", "--tolerance"),
    line("inspect good.onnx --time-passes", 2, "L011", "nhwcc compile and nhwcc opt have it"),
    line("opt good.onnx --shape image=1,3,8,6", 2, "L011", "nhwcc bench and nhwcc reduce have it"),
    compile_("--seed many", "L011", "'many' is not a valid integer"),
    compile_("--seed -1", "L004", "the seed is -1"),
    compile_("--tolerance small", "L011", "'small' is not a valid float"),
    compile_("--tolerance -1", "L004", "the tolerance is -1.0"),
    compile_("--tolerance nan", "L004", "the tolerance is nan"),
    compile_("--tolerance inf", "L004", "the tolerance is inf"),
    line("verify good.onnx good.onnx --tolerance -0.1", 1, "L004", "the tolerance is -0.1"),
    compile_("--rnn WHILE", "L011", "'while'"),
    compile_("--state kept", "L011", "'refuse'"),
    compile_("--target tflight", "L008", "did you mean 'tflite'?"),
    compile_("--weights state.pth", "L011", "--weights belongs to --module"),
    compile_("--args 5", "L011", "--args belongs to --module"),
]

SHAPES = [
    compile_("--shape 1,3,8,6", "L011", "does not say which input", "write NAME=1,3,8,6"),
    compile_("--shape image:1,3,8,6", "L011", "write image=1,3,8,6"),
    compile_("--shape image", "L011", "does not say which input"),
    compile_("--shape image=1x3x8x6", "L011", "'1x3x8x6'", "is neither a size nor the name of one"),
    compile_("--shape 'image=1 3 8 6'", "L011", "is neither a size nor the name of one"),
    compile_("--shape image=1,,8,6", "L011", "leaves out a size"),
    compile_("--shape image=-1,3,8,6", "L011", "a size that stays open has a name"),
    compile_("--shape image=None,3,8,6", "L011", "a size that stays open has a name"),
    compile_("--shape image=1,3,8.5,6", "L011", "'8.5'"),
    compile_("--shape image=float:1,3,8,6", "L011", "'float'", "not an element type", "f32"),
    compile_("--shape image=1,3,8,6 --shape image=2,3,8,6", "L011", "'image' is given twice"),
    compile_("--shape imgae=1,3,8,6", "F018", "'imgae'", "image"),
    compile_("--shape image=1,3,8", "F019", "3 axes", "4"),
    compile_("--shape image=i64:1,3,8,6", "F019", "f32"),
    compile_("--rename image", "L011", "write OLD=NEW"),
    compile_("--rename imgae=x", "L006", "did you mean 'image'?"),
    compile_("--rename image=a --rename image=b", "L011", "'image' is given twice"),
    compile_("--output-names a", "L009", "1 name for 2 outputs", "map, scores"),
    compile_("--output-names a,a", "L009", "'a'"),
    compile_("--outputs mapp", "F018", "map"),
    compile_("--inputs nothing", "F018", "nothing"),
]

LAYOUTS = [
    compile_("--io-layout nwhc", "L005", "'nwhc' is not a layout", "did you mean 'nhwc'?"),
    compile_("--io-layout nhcw", "L005", "'nhcw' is not a layout"),
    compile_("--io-layout nnhw", "L005", "'nnhw' is not a layout", "free, keep, nhwc, nchw"),
    compile_("--io-layout channels_last", "L005", "did you mean 'nhwc'?"),
    compile_("--io-layout image:nhwc", "L005", "write image=nhwc"),
    compile_("--io-layout 0,2,3,1", "L005", "0/2/3/1"),
    compile_("--io-layout image=0/2/2/1", "L005", "each axis once"),
    compile_("--io-layout image=nwc", "L005", "f32[1,3,8,6]", "nchw, nhwc"),
    compile_("--io-layout scores=nchw", "L005", "f32[1,4]", "free, keep, nc"),
    compile_("--io-layout ndhwc", "L005", "does not fit"),
    compile_("--io-layout imgae=nhwc", "L006", "did you mean 'image'?"),
    compile_("--io-layout nhwc --io-layout keep", "L005", "two layouts are asked for"),
    compile_("--io-layout image=nhwc --io-layout image=nchw", "L011", "'image' is given twice"),
    compile_("--io-layout image=", "L005", "not a layout"),
]

OUTPUTS = [
    line("compile good.onnx -o good.onnx", 1, "R016", "is the model itself"),
    line("compile good.onnx -o other.onnx --target tflite", 1, "L007", "an ONNX model", "call it other.tflite"),
    line("compile good.onnx -o other.onnx --opset 9", 1, "L012", "opset 9", "opsets 11 to"),
    line("compile good.onnx -o other.tflite --opset 13", 1, "L012", "TFLite has no versions", "--opset"),
    line("compile good.onnx -o o.tflite -o o.tflite", 1, "L007", "written twice", "once"),
    line("compile good.onnx -o m.pth", 1, "L007", "a PyTorch file", "call it m.tflite"),
    line("compile good.onnx -o m.mlmodel", 1, "L007", "a Core ML model", "call it m.tflite"),
    line("compile good.onnx -o web_model/ --target saved_model", 1, "L007", "tfjs", "call it saved_model/"),
    line("compile good.onnx -o saved_model/ --target tfjs", 1, "L007", "saved_model", "call it tfjs/"),
    line("compile good.onnx -o web_model/ --variables", 1, "L007", "no variables", "saved_model/"),
    line("compile good.onnx -o m.keras/", 1, "L007", "a Keras model", "call it saved_model/"),
    line("compile good.onnx -o out", 1, "L007", "no suffix", "call it out.tflite, or out/ for a SavedModel"),
    line("compile good.onnx -o only", 1, "R012", "it is a folder", "only/"),
    line("compile good.onnx -o ./", 1, "R016", "the model itself", "choose another output"),
    line("compile good.onnx -o m.pb --variables", 1, "L007", "no variables", "saved_model/"),
    line("compile good.onnx -o m.tflite/", 1, "L007", "a TFLite file", "saved_model/"),
    line("compile good.onnx -o m.png", 1, "L007", "call it m.tflite", "--draw"),
    line("compile good.onnx -o m.tflite.gz", 1, "L007", "call it m.tflite"),
    line("compile good.onnx -o m.bin", 1, "L007", "a PyTorch file"),
    line("compile good.onnx -o nowhere/m.tflite", 1, "R012", "there is no folder nowhere"),
    line("compile net.py -o m.xml", 1, "R015", "Python code"),
    line("compile --module net.py:Net -o m.mlmodel --shape x=1,3", 1, "L007", "call it m.tflite"),
    line("inspect good.onnx --draw m.png", 1, "L007", "call it m.svg"),
    line("inspect good.onnx --draw m", 1, "L007", "call it m.svg"),
    line("opt good.onnx -o m.onnx", 1, "L007", "call it m.ir"),
    line("opt small.ir -o small.ir", 1, "R016", "is the model itself"),
    line("compile good.onnx -o o.tflite --dump-ir notes.txt", 2, "L011", "notes.txt"),
]

SOURCES = [
    source("nope.onnx", "R010", "there is no such file"),
    source("goood.onnx", "R010", "did you mean 'good.onnx'?"),
    source("folder/good.onnx", "R010", "there is no folder folder"),
    source("https://example.com/m.onnx", "R010", "download it first"),
    source("only", "R010", "only is a folder"),
    source("exported", "R010", "did you mean 'exported/model.onnx'?"),
    source("notes.txt", "R015", "a text file, which is not a model", "| call me"),
    source("empty.onnx", "R010", "is empty"),
    source("page.onnx", "R015", "a web page"),
    source("gone.onnx", "R015", "a text file", "Entry not found"),
    source("lfs.onnx", "R015", "git lfs pull"),
    source("cut.onnx", "F010", "truncated"),
    source("noise.xyz", "R014", "not a model that nhwcc knows"),
    source("photo.jpg", "R015", "an image"),
    source("models.zip", "R015", "an archive", "unpack it"),
    source("models.tar.gz", "R015", "an archive"),
    source("model.h5", "R010", "model.h5 is damaged or incomplete"),
    source("model.keras", "R010", "model.keras is damaged or incomplete"),
    source("renamed.onnx", "R010", "is damaged or incomplete"),
    source("saved", "R010", "damaged or incomplete"),
    source("saved/saved_model.pb", "R010", "damaged or incomplete"),
    source("frozen.pb", "R010", "damaged or incomplete"),
    source("model.ckpt.meta", "R015", "a TensorFlow checkpoint", "--checkpoint"),
    source("model.xml", "R010", "is not a model of OpenVINO", "has no type"),
    source("model.bin", "R010", "the weights of an OpenVINO model", "give model.xml"),
    source("net.mlmodel", "R015", "a Core ML model", "coreml"),
    source("net.mlpackage", "R015", "a Core ML package"),
    source("llama.gguf", "R015", "a GGUF file", "optimum-cli export onnx"),
    source("w.safetensors", "R015", "weights without a network", "--weights model.pth"),
    source("hub", "R015", "Hugging Face", "optimum-cli export onnx --model hub"),
    source("tree.pkl", "R015", "a Python pickle", "skl2onnx"),
    source("flax.msgpack", "R015", "JAX", "jax2tf"),
    source("f.mlir", "R015", "MLIR"),
    source("state.pth", "F035", "holds weights, but no network", "--module package.module:Class --weights state.pth"),
    source("broken.pt", "R010", "the archive ends early"),
    source("fake.pt", "R010", "called like a file of PyTorch"),
    source("weights.npz", "R015", "an archive of arrays", "--data"),
    source("done.tflite", "R010", "damaged or incomplete"),
    source("net.py", "R015", "Python code", "--module net.py:Class"),
    source("net.pdmodel", "R015", "paddle2onnx"),
    source("model.ort", "R015", "onnxruntime's own format", "ONNX"),
    source("plan.engine", "R015", "compiled for one device"),
    source("yolo.weights", "R015", "a Darknet model"),
    source("bad.ir", "P001", "bad.ir:1"),
    line("inspect nope.onnx", 1, "R010", "there is no such file"),
    line("inspect model.h5", 1, "R010", "damaged or incomplete"),
    line("verify good.onnx nope.tflite", 1, "R010", "nope.tflite"),
    line("verify good.onnx photo.jpg", 1, "R015", "an image"),
    line("opt notes.txt", 1, "R015", "a text file"),
    line("zoo run good.onnx", 1, "R010", "it is not a text"),
    line("zoo run nope.toml", 1, "R010", "there is no such file"),
]

MODULES = [
    line("compile --module net.py -o o.tflite", 1, "F036", "net.py:Net"),
    line("compile --module nothere.py:Net -o o.tflite", 1, "F036", "there is no such file"),
    line("compile --module nett.py:Net -o o.tflite", 1, "F036", "did you mean 'net.py'?"),
    line("compile --module bad.py:Net -o o.tflite", 1, "F036", "it is not Python", "bad.py:1"),
    line("compile --module no_such_package.nets:Net -o o.tflite", 1, "F036", "'no_such_package'", "--python-path"),
    line("compile --module torchvision.models.resnet18 -o o.tflite", 1, "F036", "torchvision.models:resnet18"),
    line("compile --module net.py:Net --args '64 10' -o o.tflite", 1, "F036", "literals as in Python"),
    line("compile --module net.py:Net --weights none.pth -o o.tflite", 1, "R010", "none.pth"),
    line("compile --module net.py:Net --weights w.safetensors -o o.tflite", 1, "R015", "safetensors.torch.load_file"),
    line("compile --module net.py:Net --weights good.onnx -o o.tflite", 1, "F037", "does not hold weights"),
]

PASSES = [
    compile_("--passes propagate-layuot", "L002", "did you mean 'propagate-layout'?"),
    compile_("--passes 'cse{'", "L001", "malformed pipeline"),
    compile_("--passes 'propagate-layout{io=1}'", "L003", "its options: io-layout"),
    compile_("--passes 'propagate-layout{time-limit=soon}'", "L004", "it must be a number"),
    compile_("--disable-pass propagate-layuot", "L002", "did you mean 'propagate-layout'?"),
    compile_("--print-ir-after propagate-layuot", "L002", "did you mean 'propagate-layout'?"),
    compile_("--print-ir-before apply-rules", "L002", "is not in the pipeline"),
    compile_("--rules none.rules", "R010", "none.rules", "there is no such file"),
    compile_("--rules bad.rules", "P001", "bad.rules:1"),
    compile_("--rules only", "R010", "it is a folder"),
    compile_("--rules after:canonicalise=bad.rules", "P001", "bad.rules:1"),
    compile_("--load none.py", "R010", "there is no such file"),
    compile_("--after dce", "L011", "not of the form PASS=PIPELINE"),
    compile_("--certificate o.tflite", "L007", "a name of its own"),
    compile_("--certificate good.onnx", "R016", "choose another output"),
    compile_("--certificate c.json --no-verify", "L007", "leave --no-verify out"),
    compile_("--certificate c.json -o o.onnx", "L007", "compile the files one by one"),
    compile_("--load bad.py", "L010", "bad.py:1"),
    compile_("--data none.npy", "R010", "none.npy"),
    compile_("--data bad.npy", "R010", "does not hold an array"),
    compile_("--data imgae=bad.npy", "R010", "does not hold an array"),
    compile_("--data a.npy --data b.npy", "L011", "each needs a name"),
    compile_("--signature main", "L007", "no signatures to choose from", "--outputs"),
    compile_("--quantize int8 --calibration none.json", "R010", "there is no such file"),
    compile_("--quantize int8 --calibration notes.txt", "R010", "it holds no statistics"),
]

LINES = [*COMMANDS, *ARGUMENTS, *OPTIONS, *SHAPES, *LAYOUTS, *OUTPUTS, *SOURCES, *MODULES, *PASSES]
