"""Let another tool write TFLite files of small networks, in a Python that has it; nothing of nhwcc is imported.

    python -m benchmarks.peer_tflite litert_torch|onnx2tf|tensorflow FOLDER [NAME ...]

Each network is written in floats, with weights of 16 bits, with weights of 8 bits (dynamic range), and with integers of
8 bits throughout, as NAME_TOOL_WAY.tflite.  What a tool can't do is said and left out.  onnx2tf reads FOLDER/NAME.onnx,
which ``python -m benchmarks.peer_tflite onnx FOLDER`` writes.
"""

from __future__ import annotations

import importlib
import shutil
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

WAYS = ("float", "float16", "dynamic", "int8")


def torch_to_onnx(name: str, folder: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """Export by PyTorch, for tools that read ONNX; samples lie beside the file, channels last."""
    import torch

    from benchmarks.small_nets import build

    def export() -> None:
        module, samples = build(name)
        options: dict[str, Any] = {"input_names": ["x"], "dynamo": False, "opset_version": 17}
        exporter: Any = torch.onnx
        exporter.export(module, (samples[0],), str(folder / f"{name}.onnx"), **options)
        given = np.concatenate([s.numpy() for s in samples])
        np.save(folder / f"{name}.npy", np.moveaxis(given, 1, -1) if given.ndim == 4 else given)

    yield "onnx", export


def litert_torch(name: str, folder: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """Convert by litert-torch, and quantize what that gives by ai-edge-quantizer, which it brings."""
    from benchmarks.small_nets import build

    tool: Any = importlib.import_module("litert_torch")
    quantizer: Any = importlib.import_module("ai_edge_quantizer.quantizer")
    recipe: Any = importlib.import_module("ai_edge_quantizer.recipe")
    module, samples = build(name)
    first = folder / f"{name}_litert_torch_float.tflite"
    yield "float", lambda: tool.convert(module, (samples[0],)).export(str(first))

    def quantize(way: str, rules: Any, *, calibrates: bool = False) -> Callable[[], object]:
        def run() -> None:
            q = quantizer.Quantizer(str(first))
            q.load_quantization_recipe(rules)
            found = None
            if calibrates:
                given = [{"args_0": s.numpy()} for s in samples]
                found = q.calibrate({"serving_default": given})
            q.quantize(found).export_model(str(folder / f"{name}_litert_torch_{way}.tflite"), overwrite=True)

        return run

    yield "float16", quantize("float16", _halves())
    yield "dynamic", quantize("dynamic", recipe.dynamic_wi8_afp32())
    yield "int8", quantize("int8", recipe.static_wi8_ai8(), calibrates=True)


def _halves() -> list[dict[str, Any]]:
    """A recipe that stores weights in 16 bits."""
    tensor = {"num_bits": 16, "symmetric": True, "granularity": "TENSORWISE", "dtype": "FLOAT"}
    config = {
        "weight_tensor_config": tensor,
        "compute_precision": "FLOAT",
        "explicit_dequantize": True,
        "skip_checks": False,
    }
    return [{"regex": ".*", "operation": "*", "algorithm_key": "float_casting", "op_config": config}]


def onnx2tf(name: str, folder: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """Convert by onnx2tf, all ways at once where it can."""
    tool: Any = importlib.import_module("onnx2tf")
    given = folder / f"{name}_onnx2tf"
    suffixes = {
        "float": "float32",
        "float16": "float16",
        "dynamic": "dynamic_range_quant",
        "int8": "full_integer_quant",
    }

    def convert(way: str) -> Callable[[], object]:
        def run() -> None:
            source = shutil.copy(folder / f"{name}.onnx", folder / f"{name}_copy.onnx")  # it overwrites what it reads
            options: dict[str, Any] = {}
            if way == "dynamic":
                options = {"output_dynamic_range_quantized_tflite": True}
            if way == "int8":
                options = {
                    "output_integer_quantized_tflite": True,
                    "custom_input_op_name_np_data_path": [["x", str(folder / f"{name}.npy"), "0.0", "1.0"]],
                }
            tool.convert(source, output_folder_path=str(given), non_verbose=True, **options)
            stem = f"{name}_copy_{suffixes[way]}.tflite"
            shutil.copy(given / stem, folder / f"{name}_onnx2tf_{way}.tflite")

        return run

    for way in WAYS:
        yield way, convert(way)


def tensorflow(name: str, folder: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """Convert a network of Keras by TensorFlow's converter."""
    tf: Any = importlib.import_module("tensorflow")

    from benchmarks.small_keras import build

    lite: Any = tf.lite
    model, samples = build(name)

    def convert(way: str) -> Callable[[], object]:
        def run() -> None:
            converter = lite.TFLiteConverter.from_keras_model(model)
            converter.optimizations = [] if way == "float" else [lite.Optimize.DEFAULT]
            if way == "float16":
                converter.target_spec.supported_types = [tf.float16]
            if way == "int8":
                converter.representative_dataset = lambda: ([s] for s in samples)
            (folder / f"{name}_tensorflow_{way}.tflite").write_bytes(converter.convert())

        return run

    for way in WAYS:
        yield way, convert(way)


TOOLS = {"onnx": torch_to_onnx, "litert_torch": litert_torch, "onnx2tf": onnx2tf, "tensorflow": tensorflow}

NAMES = ("mobile", "residual", "transformer", "tagger", "segmenter", "detector")


def main() -> None:
    """Write the files of one converter into a folder, print each, and what the converter raises where it fails."""
    tool, folder, names = sys.argv[1], Path(sys.argv[2]).absolute(), sys.argv[3:] or NAMES
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        for way, run in TOOLS[tool](name, folder):
            try:
                run()
                print("made", name, tool, way, flush=True)
            except BaseException as bad:  # noqa: BLE001 -- whatever another tool raises is what the line says
                traceback.print_exc()
                print("failed", name, tool, way, type(bad).__name__, str(bad)[:200].replace("\n", " "), flush=True)


if __name__ == "__main__":
    main()
