"""What a model's file is: told by its content first, by its name second; and what to do with those we can't read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nhwcc import contents
from nhwcc.backends.registry import folder_of, suffixes_of, target_of_folder, writes_folder
from nhwcc.compiler.diagnostics import CompileError, did_you_mean, error, reason
from nhwcc.compiler.plugins import discover_plugins
from nhwcc.contents import Begins, Content
from nhwcc.files import cannot_write

ORIGIN = "export the model that it was made from to ONNX"
TORCH = 'in PyTorch: torch.onnx.export(model, inputs, "model.onnx", dynamo=True)'
TF2ONNX = "pip install tf2onnx; python -m tf2onnx.convert"
JAX = f"jax2onnx exports a function of JAX to ONNX; or jax2tf makes a SavedModel of it, then: {TF2ONNX}"
OPTIMUM = "optimum-cli export onnx --model FOLDER onnx/"
CHECKPOINT = "nhwcc compile --module package.module:Class --weights FILE"
TEXT = "a text file"
UNREAD = "nhwcc does not read"
READ = (
    "nhwcc reads ONNX models (.onnx), PyTorch's programs (.pt2, .pt), TensorFlow's SavedModels (folders) and graphs "
    "(.pb, .pbtxt), models of Keras (.keras, .h5), graph models of TensorFlow.js (model.json), OpenVINO's IR (.xml), "
    "TFLite files (.tflite) and its own IR (.ir)"
)

META_GRAPH = (
    f"convert it to ONNX first: {TF2ONNX} --checkpoint model.ckpt.meta --output model.onnx --inputs x:0 --outputs y:0"
)
COREML = f"Core ML does not convert back: {ORIGIN}; for an old .mlmodel, onnxmltools.convert_coreml does it"
SAFETENSORS = (
    "weights need their network: torch.save(safetensors.torch.load_file('FILE'), 'model.pth'), then nhwcc compile "
    f"--module package.module:Class --weights model.pth; for a model of Hugging Face: {OPTIMUM}"
)
GGUF = "llama.cpp has the network in its code: export the original model to ONNX: optimum-cli export onnx --model NAME"
PICKLE = (
    "export it to ONNX where it was made: skl2onnx.to_onnx(model, x[:1]) for scikit-learn; "
    f"a module of PyTorch is compiled by name: {CHECKPOINT}"
)
ONNX_TEXT = "onnx.save(onnx.load('FILE', format='textproto'), 'model.onnx')"


PYTORCH = "nhwcc.sources.torch:torch_source"
TENSORFLOW = "nhwcc.sources.tensorflow:TensorflowSource"
KERAS = "nhwcc.sources.keras:KerasSource"
OPENVINO_IR = "nhwcc.sources.openvino:OpenvinoSource"


PLUGINS = "nhwcc.sources"
"""The entry point group under which installed distributions bring formats."""


@dataclass(frozen=True)
class Format:
    """A kind of file: how its content begins, how such files are called, what makes its source (``module:callable``).

    For those that can't be read there is a way out instead, in which FILE stands for the path as it was given, and
    FOLDER for where the file lies.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    begins: Begins
    remedy: str = ""
    source: str = ""


FORMATS = [
    Format(
        "tflite",
        "a TFLite file",
        (".tflite", ".lite"),
        contents.magic_at(4, b"TFL3"),
        source="nhwcc.sources.tflite:TfliteSource",
    ),
    Format("ir", "nhwcc's IR", (".ir",), contents.is_ir, source="nhwcc.sources.ir:IrSource"),
    Format("onnx", "an ONNX model", (".onnx",), contents.is_onnx, source="nhwcc.sources.onnx:OnnxSource"),
    Format(
        "ort", "a model of onnxruntime's own format", (".ort",), contents.magic_at(4, b"ORTM"), f"{ORIGIN}, as .onnx"
    ),
    Format("h5", "a Keras model in HDF5", (".h5", ".hdf5"), contents.magic(b"\x89HDF"), source=KERAS),
    Format(
        "keras",
        "a Keras model",
        (".keras",),
        contents.zip_with("model.weights.h5", "metadata.json"),
        source=KERAS,
    ),
    Format("coreml", "a Core ML package", (), contents.zip_with("com.apple.CoreML/model.mlmodel"), COREML),
    Format(
        "torch",
        "a PyTorch file",
        (".pt", ".pth", ".pt2", ".ckpt", ".bin"),
        contents.zip_with(
            "/data.pkl", "/byteorder", "archive_format", "serialized_exported_program.json", ".data/version"
        ),
        source=PYTORCH,
    ),
    Format("torch", "a PyTorch file", (), contents.is_torch_pickle, source=PYTORCH),
    Format("pickle", "a Python pickle", (".pkl", ".pickle", ".joblib"), contents.is_pickle, PICKLE),
    Format("gguf", "a GGUF file", (".gguf", ".ggml"), contents.magic(b"GGUF", b"lmgg", b"tjgg"), GGUF),
    Format(
        "safetensors", "a file of weights without a network", (".safetensors",), contents.is_safetensors, SAFETENSORS
    ),
    Format("openvino", "an OpenVINO model", (".xml",), contents.text_with(b"<net", b"<layer"), source=OPENVINO_IR),
    Format("openvino", "an OpenVINO model", (), contents.text_with(b"<?xml", b"<net"), source=OPENVINO_IR),
    Format("coreml", "a Core ML model", (".mlmodel", ".mlpackage"), contents.is_coreml, COREML),
    Format("tensorflow", "a TensorFlow SavedModel", (), contents.is_saved_model, source=TENSORFLOW),
    Format("tensorflow", "a TensorFlow graph", (".pb",), contents.is_graph_def, source=TENSORFLOW),
    Format("tensorflow", "a TensorFlow graph as text", (".pbtxt",), contents.is_graph_text, source=TENSORFLOW),
    Format("checkpoint", "a TensorFlow checkpoint", (".meta", ".index"), contents.never, META_GRAPH),
    Format(
        "tfjs",
        "a TensorFlow.js model",
        (),
        contents.text_with(b'"modelTopology"'),
        source="nhwcc.sources.tfjs:TfjsSource",
    ),
    Format("jax", "weights of JAX", (".msgpack",), contents.never, JAX),
    Format("stablehlo", "StableHLO", (".mlir", ".stablehlo", ".jax"), contents.magic(b"ML\xefR"), JAX),
    Format("stablehlo", "MLIR", (), contents.text_with(b"func.func"), JAX),
    Format(
        "paddle", "a PaddlePaddle model", (".pdmodel", ".pdiparams"), contents.never, "paddle2onnx converts to ONNX"
    ),
    Format(
        "caffe", "a Caffe model", (".caffemodel", ".prototxt"), contents.never, f"caffe2onnx converts it; or {ORIGIN}"
    ),
    Format("ncnn", "an ncnn model", (".param",), contents.magic(b"7767517"), ORIGIN),
    Format("darknet", "a Darknet model", (".weights", ".cfg"), contents.never, ORIGIN),
    Format(
        "device",
        "a model compiled for one device",
        (".engine", ".plan", ".trt", ".rknn", ".hef", ".mnn", ".dlc", ".om"),
        contents.magic(b"RKNN", b"ftrt"),
        ORIGIN,
    ),
    Format(
        "onnx-text", "an ONNX model as text", (".onnxtxt", ".textproto"), contents.text_with(b"ir_version:"), ONNX_TEXT
    ),
]
"""Models, in the order in which they are tried; what has a remedy can't be read."""

OTHERS = [
    Format("lfs", "a Git LFS pointer", (), contents.magic(b"version https://git-lfs"), "fetch the file: git lfs pull"),
    Format("html", "a web page", (".html", ".htm"), contents.is_html, "the download went wrong; fetch the model again"),
    Format("data", "an array of numpy", (".npy",), contents.magic(b"\x93NUMPY"), "--data compares on it"),
    Format("data", "an archive of arrays", (".npz",), contents.zip_with(".npy"), "--data compares on them"),
    Format(
        "python",
        "Python code",
        (".py", ".ipynb"),
        contents.text_with(b"import torch"),
        "compile a class of it: nhwcc compile --module FILE:Class",
    ),
    Format(
        "image",
        "an image",
        (".jpg", ".jpeg", ".png", ".bmp", ".webp"),
        contents.magic(b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM6"),
        "give the model first; --data compares on arrays of numpy",
    ),
    Format(
        "archive",
        "an archive",
        (".zip", ".tar", ".gz", ".tgz", ".7z", ".xz", ".bz2", ".rar"),
        contents.magic(b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"7z\xbc\xaf", b"\xfd7zXZ", b"BZh", b"Rar!"),
        "unpack it, and give the model in it",
    ),
    Format("program", "a program", (".exe", ".so", ".dll"), contents.magic(b"\x7fELF", b"MZ\x90"), READ),
    Format("text", TEXT, (".txt", ".md", ".json", ".yaml", ".yml", ".csv", ".log"), contents.is_text, READ),
]
"""What is given instead of a model, and what to do then."""

DRAWING = Format("svg", "a drawing in SVG", (".svg",), contents.never)
"""What --draw writes."""

ZIPPED = ("torch", "keras")
"""Formats that are archives."""

BINARY = ("onnx", "tflite", "safetensors", "gguf", "pickle", *ZIPPED)
"""Formats that are never texts, whatever a text is called."""

FOLDERS = [
    ("Manifest.json", "a Core ML package", COREML),
    ("*.mlmodel", "a Core ML package", COREML),
    ("_CHECKPOINT_METADATA", "a checkpoint of JAX (Orbax)", JAX),
    ("checkpoint", "a TensorFlow checkpoint", META_GRAPH),
    ("*.onnx", "a folder", ""),
    ("*.pt2", "a folder", ""),
    (
        "model_index.json",
        "a pipeline of Hugging Face",
        f"its networks are several: {OPTIMUM.replace('FOLDER', 'FILE')}",
    ),
    ("config.json", "a model of Hugging Face", OPTIMUM.replace("FOLDER", "FILE")),
    ("*.xml", "a folder", ""),
    ("*.safetensors", "a folder with weights", SAFETENSORS),
]
"""What a folder with such a file is, and the way out; without one, the file itself is what can be read."""

MODEL_FOLDERS = {"saved_model.pb": "tensorflow", "saved_model.pbtxt": "tensorflow", "model.json": "tfjs"}
"""The formats of folders that are models, by a file in them."""

WRITTEN_FOLDERS = {
    "saved_model": ("saved_model.pb", ()),
    "tfjs": ("model.json", ("group*-shard*of*.bin",)),
    "coreml": ("Manifest.json", ()),
}
"""By target: the file by which one of its folders is known, and what else is in it, if a page may lie beside it."""


def detect(source: Path | bytes) -> Format:
    """Return the format of a file, of a folder that is a model, or of the bytes of a file.

    Raises:
        CompileError: R010, the file can't be read; R014, it is nothing that we know; R015, a folder of some format.
    """
    if isinstance(source, Path):
        for file, name in MODEL_FOLDERS.items():
            if (source / file).is_file():
                return named(name)
    content = Content.of(source) if isinstance(source, bytes) else _content(source)
    found = _known(source, content)
    if (found is None or found.remedy) and discover_plugins(PLUGINS):
        found = _known(source, content)
    if found is not None:
        return found
    what = "these bytes are" if isinstance(source, bytes) else f"{source} is"
    near = None if isinstance(source, bytes) else _similar(source)
    raise error("R014", f"{what} not a model that nhwcc knows", help=near or READ)


def _known(source: Path | bytes, content: Content) -> Format | None:
    """Return the format whose content this is, else the one whose files are called so."""
    for format in (*FORMATS, *OTHERS):
        if format.begins(content) and not _is_named_otherwise(format, source):
            return format
    suffix = "" if isinstance(source, bytes) else source.suffix.lower()
    return next((format for format in (*FORMATS, *OTHERS) if suffix in format.suffixes), None)


def register_format(format: Format) -> Format:
    """Make a kind of file known, which its ``source`` reads; it is looked for before all others.

    Raises:
        TypeError: there is a format of this name already, or it has no source.
    """
    if any(known.name == format.name for known in FORMATS):
        raise TypeError(f"format {format.name!r} is known already")
    if not format.source or format.remedy:
        raise TypeError(f"format {format.name!r} needs a source, module:class, and no remedy")
    FORMATS.insert(0, format)
    return format


def named(name: str) -> Format:
    """Return the row of :data:`FORMATS` that has this name."""
    return next(format for format in FORMATS if format.name == name)


def _is_named_otherwise(format: Format, source: Path | bytes) -> bool:
    """Whether a text or an archive says less of a file than its name: .cfg is a text, and what is cut may be .pt."""
    if isinstance(source, bytes) or format.name not in ("text", "archive"):
        return False
    known = (f for f in (*FORMATS, *OTHERS) if f is not format and (f.name in ZIPPED) == (format.name == "archive"))
    return any(source.suffix.lower() in f.suffixes for f in known if f.name not in BINARY or f.name in ZIPPED)


def supported(place: Path | bytes) -> Format:
    """Return the format of a model that can be compiled.

    Raises:
        CompileError: as :func:`detect`; R010, it is damaged; R015, the format is known, but not read.
    """
    format = detect(place)
    if format.remedy:
        raise _unread(format.title, format.remedy, place, "is not a model" if format in OTHERS else UNREAD)
    if format.name == "torch" and isinstance(place, Path):
        _check_archive(place)
    return format


def _unread(title: str, remedy: str, place: Path | bytes, what: str = UNREAD) -> CompileError:
    if isinstance(place, bytes):
        return error("R015", f"what was given is {title}, which {what}", help=remedy)
    help = remedy.replace("FILE", str(place)).replace("FOLDER", str(place.parent))
    line = _content(place).first_line if title == TEXT else None
    return error("R015", f"{place} is {title}, which {what}", excerpt=line, help=help)


def _check_archive(path: Path) -> None:
    """Refuse what PyTorch could not open, before it is imported: its files are archives, or pickled.

    Raises:
        CompileError: R010, R015.
    """
    content = _content(path)
    if content.members or contents.is_pickle(content):
        return
    if content.head.startswith(b"PK"):
        help = "the download or the export was interrupted; get it again"
        raise error("R010", f"{path} is damaged: the archive ends early", help=help)
    if path.with_suffix(".xml").exists():
        raise error("R010", f"{path} holds the weights of an OpenVINO model", help=f"give {path.with_suffix('.xml')}")
    raise error("R010", f"{path} is called like a file of PyTorch, but is none", help=READ)


def check_name(output: Path, format: str) -> None:
    """Refuse to write a file of a format under a name that is not one of its own.

    Raises:
        CompileError: L007.
    """
    if writes_folder(format):
        return _check_folder(output, format)
    own = next((f for f in (*FORMATS, *OTHERS, DRAWING) if f.name == format and f.suffixes), None)
    suffix = output.suffix.lower()
    is_special = output.exists() and not output.is_file()
    if own is None or suffix in own.suffixes or is_special:
        return None
    other = next((f for f in (*FORMATS, *OTHERS) if suffix in f.suffixes), None)
    if not suffix:
        text = f"{output} has no suffix; what is written is {own.title}"
    elif other is not None:
        text = f"{output} would be taken for {other.title}, but {own.title} is written"
    else:
        text = f"{output} does not end in {own.suffixes[0]}, but {own.title} is written"
    drawing = "; nhwcc inspect MODEL --draw FILE.svg draws" if format != "svg" and suffix in (".svg", ".png") else ""
    folder = f", or {output.name}/ for a SavedModel of TensorFlow" if not suffix and format != "svg" else ""
    raise error("L007", text, help=f"call it {output.with_suffix(own.suffixes[0]).name}{folder}{drawing}")


def _check_folder(output: Path, target: str) -> None:
    """Refuse to write a model's folder under a name by which it would be taken for something else, or over other files.

    Raises:
        CompileError: L007, R012.
    """
    suffix, usual, own = output.suffix.lower(), folder_of(target), suffixes_of(target)
    if own and suffix not in own:
        text = f"{output} does not end in {own[0]}, but a package for {target} is written"
        raise error("L007", text, help=f"call it {output.with_suffix(own[0]).name}")
    formats = () if own else (*FORMATS, *OTHERS)
    other = next((f.title for f in formats if suffix and suffix in f.suffixes), None)
    meant = target_of_folder(output.name)
    if meant not in (None, target):
        other = f"the folder of another target, {meant}"
    if other is not None:
        text = f"{output} would be taken for {other}, but a folder for {target} is written"
        raise error("L007", text, help=f"call it {usual}/")
    if output.is_dir() and any(output.iterdir()) and not _is_model_folder(output, target):
        help = f"give a file in it: {output / 'NAME'}, or a folder of its own: {output / usual}/"
        raise cannot_write(output, "it is a folder with other files in it", help=help)


def _is_model_folder(folder: Path, target: str) -> bool:
    """Whether a folder is one that the target has written, which may be replaced as a whole."""
    known, rest = WRITTEN_FOLDERS[target]
    if not (folder / known).is_file():
        return False
    patterns = (known, *rest)
    return not rest or all(any(path.match(pattern) for pattern in patterns) for path in folder.iterdir())


def _content(path: Path) -> Content:
    try:
        if path.is_dir():
            raise _folder(path)
        content = Content.of(path)
    except OSError as bad:
        raise error("R010", f"can't read {path}: {reason(bad)}", help=_neighbour(path)) from bad
    except ValueError as bad:
        raise error("R010", f"can't read {str(path)!r}: no file can be called so") from bad
    if not content.head:
        raise error("R010", f"{path} is empty", help="the download or the export was interrupted")
    return content


def _folder(path: Path) -> CompileError:
    for pattern, title, remedy in FOLDERS:
        found = sorted(path.glob(pattern))
        if found and remedy:
            return _unread(title, remedy, path)
        if found:
            return error("R010", f"{path} is a folder", help=f"did you mean {str(found[0])!r}?")
    return error("R010", f"{path} is a folder", help="give the model's file")


def _neighbour(path: Path) -> str | None:
    """Return advice about a file that is missing."""
    if path.exists():
        return None
    if str(path).startswith(("http:/", "https:/", "s3:/", "hf:/")):
        return "download it first, and give the file"
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}"
    return _similar(path)


def _similar(path: Path) -> str | None:
    """Suggest the model in the same folder whose name is most like this one."""
    known = {s for f in FORMATS for s in f.suffixes if not f.remedy}
    return did_you_mean(path.name, [p.name for p in path.parent.iterdir() if p.suffix.lower() in known and p != path])
