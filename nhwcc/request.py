"""What can be told of a request before anything heavy is imported: files, names, words and numbers."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from nhwcc.backends.registry import suffix_of, target_of_file, writes_folder
from nhwcc.checkpoint import holds_weights_only
from nhwcc.compiler.diagnostics import did_you_mean, error
from nhwcc.compiler.layouts import parse_io_layout
from nhwcc.file_formats import Format, check_name, supported
from nhwcc.files import cannot_write, check_not_source, check_writable
from nhwcc.named import NamedModule, require_torch
from nhwcc.options import WITH_SIGNATURES, CompileOptions, Model, PathLike
from nhwcc.places import read_place

if TYPE_CHECKING:
    from nhwcc.compiler.ir import Module


def check_request(model: Model, options: CompileOptions, outputs: Sequence[PathLike | None]) -> None:
    """Refuse what can't be, whatever the model holds.

    Raises:
        CompileError: R010, R014 or R015 for the model; L007, R012 or R016 for the output; L004 and L005 for options;
            R010 for other files.
    """
    if options.load:
        from nhwcc.pipelines import register_passes

        register_passes(options.load)  # they may bring what reads the model, or what the output is written for
    source = Path(model) if isinstance(model, str | os.PathLike) else None
    if source is not None:
        format = supported(source)
        check_model(format, source)
        _check_suits(format, source, options)
    if isinstance(model, NamedModule):
        model.check()
    given = [output for output in outputs if output is not None]
    if "" in given:
        raise error("L007", "an output has no name", help="add -o FILE.tflite")
    written = list(map(Path, given))
    for number, output in enumerate(written):
        if output in written[:number]:
            raise error("L007", f"{output} is to be written twice", help="give each output once")
        target = options.target or target_of_file(given[number])
        check_writing(output, target, [] if source is None else [source])
    if options.report is not None:
        if any(Path(options.report).resolve() == output.resolve() for output in written):
            raise error("L007", f"{options.report} is to be written twice", help="give the report a name of its own")
        check_writing(Path(options.report), "html", [] if source is None else [source])
    check_options(options)


def _check_suits(format: Format, path: Path, options: CompileOptions) -> None:
    """Refuse options that say nothing of a model of this format.

    Raises:
        CompileError: L007.
    """
    if options.weights is not None and format.name != "openvino":
        raise error("L007", f"{path} holds its own weights", help="weights are given for OpenVINO models (.xml)")
    if options.signature is not None and format.name not in WITH_SIGNATURES:
        help = "--signature is for SavedModels and TFLite files; --outputs takes a part of others"
        raise error("L007", f"{path} has no signatures to choose from", help=help)
    if options.by_standard and format.name != "onnx":
        raise error(
            "L007", f"--by-standard is about the ONNX standard, and {path} is not an ONNX model", help="leave it out"
        )


def check_model(format: Format, path: Path) -> None:
    """Refuse weights without a network, before PyTorch is imported to say so.

    Raises:
        CompileError: F035; R017, PyTorch is not installed.
    """
    if format.name != "torch":
        return
    require_torch()
    if holds_weights_only(path):
        help = f"name the class, too: --module package.module:Class --weights {path}"
        raise error("F035", f"{path} holds weights, but no network", help=help)


def check_options(options: CompileOptions) -> None:
    """Refuse numbers, words and files that can't be.

    Raises:
        CompileError: L004, L005, R010.
    """
    _check_numbers(options.tolerance, options.seed)
    parse_io_layout(io_layout_text(options.io_layout))
    _check_files("rules", (read_place(rules).file for rules in options.rules))
    _check_files("Python code", options.load)
    if options.quantize is None:
        _check_files("data", data_files(options.data))
        _check_only_quantizing(options)
    else:
        _check_quantizing(options)


def _check_quantizing(options: CompileOptions) -> None:
    """Refuse words, files and samples that can't be.

    Raises:
        CompileError: L004, L007, R010.
    """
    from nhwcc.backends.common.quantize import io_dtypes
    from nhwcc.passes.quantization.statistics import load as load_statistics
    from nhwcc.quantization.images import ImageFormat
    from nhwcc.quantization.metrics import check_metric

    ImageFormat.parse(options.images or "")
    files = list(map(Path, data_files(options.data)))
    if options.images and not any(path.is_dir() for path in files):
        help = "leave it out: arrays, and what a function yields, are taken as the network reads them"
        raise error("L007", "--images is about pictures, and --data is not a folder of them", help=help)
    check_metric(options.metric)
    if options.max_error is not None and not 0 < options.max_error <= 1:
        raise error("L004", f"an error of {options.max_error:g} is not a share", help="for example max_error=0.005")
    check_decibels(options.min_sqnr)
    io_dtypes(io_dtype_text(options.io_dtype))
    for path in options.calibration:
        load_statistics(Path(path))
    for path in files:
        _check_samples(path)


def _check_samples(path: Path) -> None:
    """Refuse files and folders that can't hold samples.

    Raises:
        CompileError: R010.
    """
    from nhwcc.quantization.images import pictures

    file, colon, _ = os.fspath(path).rpartition(":")
    if colon and file.endswith(".py"):
        _check_files("Python code", [file])
    elif path.suffix == ".py" and path.exists():
        help = f"{path}:FUNCTION names a function that yields samples"
        raise error("R010", f"can't read {path}: Python code is not data", help=help)
    elif path.is_dir():
        pictures(path)
    else:
        _check_files("data", [path])


def check_decibels(given: float | None) -> None:
    """Refuse a distance that no two networks can have or miss.

    Raises:
        CompileError: L004.
    """
    if given is not None and not math.isfinite(given):
        raise error("L004", f"{given:g} is not a distance in dB", help="for example --min-sqnr 20")


def _check_only_quantizing(options: CompileOptions) -> None:
    """Refuse options that say nothing without quantization.

    Raises:
        CompileError: L007.
    """
    given = {
        "--calibration": options.calibration,
        "--images": options.images,
        "--keep-float": options.keep_float,
        "--per-tensor": options.per_tensor,
        "--io-dtype": options.io_dtype,
        "--split-outputs": options.split_outputs,
        "--metric": options.metric,
        "--max-error": options.max_error is not None,
        "--min-sqnr": options.min_sqnr is not None,
    }
    for flag, value in given.items():
        if value:
            raise error("L007", f"{flag} is about quantization, which is not asked for", help="add --quantize int8")


def check_writing(output: Path, format: str, sources: Iterable[Path]) -> None:
    """Refuse an output under the name of another format, over a model, or in no folder.

    Raises:
        CompileError: L007, R012, R016.
    """
    check_not_source(output, sources)
    check_name(output, format)
    check_writable(output, folder=writes_folder(format))


def check_certificate(path: Path, written: Sequence[Path], sources: Iterable[Path], *, verify: bool = True) -> None:
    """Refuse a certificate over a model, in the place of what is written, of several files, or of nothing compared.

    Raises:
        CompileError: L007, R012, R016.
    """
    if not verify:
        raise error("L007", "a certificate says what was compared, and nothing is", help="leave --no-verify out")
    if len(written) > 1:
        raise error("L007", "a certificate is about one file", help="compile the files one by one")
    if any(path.resolve() == output.resolve() for output in written):
        raise error("L007", f"{path} is to be written twice", help="give the certificate a name of its own")
    check_writing(path, "certificate", sources)


def check_explorer(folder: Path, written: Sequence[PathLike], target: str | None) -> None:
    """Refuse node data of files that are not TFLite's, or in the place of a file.

    Raises:
        CompileError: L007, R012.
    """
    for output in written:
        if suffix_of(target or target_of_file(output)) != ".tflite":
            raise error("L007", f"node data is about TFLite files, which {output} is not", help="leave it out")
    if folder.exists() and not folder.is_dir():
        raise cannot_write(folder, "it is a file", help="name a folder")


def io_layout_text(io_layout: str | Mapping[str, str] | None) -> str:
    """Return a choice of layouts as passes take it.

    >>> io_layout_text({"x": "nchw", "y": "0/2/1"})
    'x=nchw;y=0/2/1'
    """
    if io_layout is None or isinstance(io_layout, str):
        return (io_layout or "").strip() or "free"
    return ";".join(f"{name}={layout}" for name, layout in io_layout.items())


def io_dtype_text(given: str | Mapping[str, str] | None) -> str:
    """Return a choice of element types as passes take it."""
    return given or "" if given is None or isinstance(given, str) else ";".join(f"{n}={t}" for n, t in given.items())


def check_io_dtypes(options: CompileOptions, module: Module, *, splits: bool = False) -> None:
    """Check that element types are asked for inputs and outputs that exist, or will if outputs are to be split.

    Raises:
        CompileError: L006, one does not.
    """
    names = [port.name for port in (*module.main.inputs, *module.main.outputs)]
    asked = (part.rpartition("=")[0] for part in io_dtype_text(options.io_dtype).split(";"))
    for name in filter(None, asked):
        if name not in names and not (splits and name.rpartition("_")[0] in names):
            help = did_you_mean(name, names) or f"there are {', '.join(names)}"
            raise error("L006", f"a type is asked for {name!r}, but there is no such input or output", help=help)


def check_integers(title: str, module: Module, mode: str | None) -> None:
    """Refuse floats for a device that computes with integers only; ``mode`` is how they are to be quantized.

    Raises:
        CompileError: B007.
    """
    from nhwcc.compiler.ops.quantize import Quantize

    if mode is not None or any(isinstance(op, Quantize) for op in module.walk()):
        return
    raise error(
        "B007",
        f"{title} computes with integers only",
        help="add --quantize int8 --data SAMPLES, or give a model that brings its scales",
    )


def _check_numbers(tolerance: float, seed: int) -> None:
    """Refuse a tolerance or a seed that means nothing.

    Raises:
        CompileError: L004.
    """
    if not 0 <= tolerance < float("inf"):
        help = "0.0001 allows an error of one in ten thousand; --no-verify compares nothing"
        raise error("L004", f"the tolerance is {tolerance}, which is not a number of zero or more", help=help)
    if seed < 0:
        raise error("L004", f"the seed is {seed}, which is negative", help="give 0, 1, 2, ...")


def data_files(data: object) -> Iterable[PathLike]:
    """Return the files among what the data was given as."""
    given = cast("Mapping[str, object]", data).values() if isinstance(data, Mapping) else [data]
    return [cast("PathLike", item) for item in given if isinstance(item, str | os.PathLike)]


def _check_files(what: str, paths: Iterable[PathLike]) -> None:
    """Refuse files that are missing.

    Raises:
        CompileError: R010.
    """
    for path in map(Path, paths):
        if path.is_dir():
            raise error("R010", f"can't read {path}: it is a folder, not a file of {what}")
        if not path.exists():
            near = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
            raise error("R010", f"can't read {path}: there is no such file", help=did_you_mean(path.name, near))
