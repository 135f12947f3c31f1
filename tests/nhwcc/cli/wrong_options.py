"""More command lines that are wrong: options about quantization, signatures and samples, and those of the other tools.

They run in the folder of :mod:`wrong_lines`, with :data:`FILES` beside what lies there.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from .wrong_lines import Line, compile_, line


def saved(array: Any) -> bytes:
    """Return an array as a file of numpy."""
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


IMAGE = np.zeros((4, 3, 8, 6), np.float32)

FILES: dict[str, bytes] = {
    "image.npy": saved(IMAGE),
    "bytes.npy": saved(IMAGE.astype(np.uint8)),
    "nothing.npy": saved(IMAGE[:0]),
    "nan.npy": saved(IMAGE * np.nan),
    "pictures/broken.png": b"\x89PNG\r\n\x1a\n",
    "none/readme.md": b"# nothing",
    "feed.py": b"def samples():\n    yield 5\n",
    "syntax.py": b"x = (\n",
    "absent.py": b"import nothing_like_this\n",
    "number.toml": b"models = 5\n",
    "words.toml": b'models = ["a"]\n',
    "untitled.toml": b'[[models]]\npath = "good.onnx"\n',
    "homeless.toml": b'[[models]]\nname = "a"\n',
    "targets.toml": b'[[models]]\nname = "a"\npath = "good.onnx"\ntargets = [[1]]\n',
    "target.toml": b'[[models]]\nname = "a"\npath = "good.onnx"\ntargets = ["tflit"]\n',
    "endless.toml": b'[[models]]\nname = "a"\npath = "good.onnx"\nseconds = nan\n',
    "expected.toml": b'[[models]]\nname = "a"\npath = "good.onnx"\nexpect = { transposes = "few" }\n',
    "twice.toml": b'[[models]]\nname = "a"\npath = "good.onnx"\n[[models]]\nname = "a"\npath = "good.onnx"\n',
    "deep.toml": b"a = " + b"[" * 100_000,
}
"""Files by name."""


def quantized(rest: str, code: str, *words: str) -> Line:
    """Build a row: a model is quantized, and something is wrong with how."""
    return compile_(f"--quantize int8 {rest}", code, *words)


IMAGES = [
    compile_("--images resize=16", "L007", "--images is about quantization"),
    quantized("--images resize=16 --data image.npy", "L007", "--data is not a folder", "leave it out"),
    quantized("--images resize=16", "L007", "--data is not a folder"),
    quantized("--images resize=16 --data feed.py:samples", "L007", "--data is not a folder"),
    quantized("--images size=16 --data pictures", "L004", "'size=16' says nothing about pictures"),
    quantized("--images resise=16 --data pictures", "L004", "did you mean 'resize'?"),
    quantized("--images resize --data pictures", "L004", "resize of pictures has no value"),
    quantized("--images resize=0 --data pictures", "L004", "'0' is not a value for resize"),
    quantized("--images order=bgr,order=rgb --data pictures", "L004", "order of pictures is given twice"),
    quantized("--images order=gbr --data pictures", "L004", "'gbr' is not a value for order"),
    quantized("--images std=0.2/0/0.2 --data pictures", "L004", "'0.2/0/0.2' is not a value for std"),
    quantized("--images scale=nan --data pictures", "L004", "'nan' is not a value for scale"),
    line("calibrate good.onnx -o c.json --data image.npy --images crop=4", 1, "L007", "--data is not a folder"),
]

SAMPLES = [
    quantized("--data none", "R010", "none holds no pictures", ".png"),
    quantized("--data feed.py", "R010", "Python code is not data", "feed.py:FUNCTION"),
    quantized("--data gone.py:samples", "R010", "there is no such file"),
    quantized("--data imgae.npy", "R010", "did you mean 'image.npy'?"),
    line("calibrate good.onnx -o c.json", 2, "L011", "give samples: --data"),
    line("calibrate good.onnx -o good.onnx --data image.npy", 1, "R016", "the model itself"),
    line("calibrate good.onnx -o nowhere/c.json --data image.npy", 1, "R012", "there is no folder nowhere"),
    line("calibrate good.onnx -o c.json --data none", 1, "R010", "none holds no pictures"),
]

QUANTIZING = [
    compile_("--quantize int4", "L011", "'int4' is not one of"),
    compile_("--keep-float conv", "L007", "--keep-float is about quantization", "--quantize int8"),
    compile_("--per-tensor", "L007", "--per-tensor is about quantization"),
    compile_("--split-outputs", "L007", "--split-outputs is about quantization"),
    compile_("--min-sqnr 20", "L007", "--min-sqnr is about quantization"),
    compile_("--max-error 1%", "L007", "--max-error is about quantization"),
    compile_("--metric top1", "L007", "--metric is about quantization"),
    compile_("--io-dtype int8", "L007", "--io-dtype is about quantization"),
    compile_("--calibration none.json", "L007", "--calibration is about quantization"),
    quantized("--io-dtype int4", "L004", "can't be 'int4'", "float32, int8, uint8, int16"),
    quantized("--io-dtype int8 --io-dtype uint8", "L004", "two types are asked for all inputs and outputs"),
    quantized("--io-dtype image=int8 --io-dtype image=uint8", "L011", "'image' is given twice"),
    quantized("--metric accuracy", "L004", "no metric 'accuracy'", "cosine, top1, iou"),
    quantized("--metric cosin", "L004", "did you mean 'cosine'?"),
    quantized("--metric gone.py:metric", "R010", "there is no such file"),
    quantized("--max-error 5", "L004", "'5' is not a share of what may be lost", "0.5%"),
    quantized("--max-error 200%", "L004", "'200%' is not a share"),
    quantized("--min-sqnr nan", "L004", "nan is not a distance in dB"),
    quantized("--min-sqnr inf", "L004", "inf is not a distance in dB"),
    line("compile good.onnx -o o.xml --quantize int8", 1, "Q003", "OpenVINO files are not quantized"),
    line("compile good.onnx -o o.keras --quantize int16x8", 1, "Q003", "Keras files are not quantized"),
    line("compile good.onnx -o o.tflite -o o.onnx --quantize int8", 1, "Q003", "ONNX files are not quantized"),
]

TOOLS = [
    line("verify good.onnx good.onnx --min-sqnr nan", 1, "L004", "nan is not a distance in dB"),
    line("verify good.onnx good.onnx --accelerator ethos-u85", 2, "L011", "--accelerator belongs to --on vela"),
    line("verify good.onnx good.onnx --on npu", 2, "L011", "'npu' is not one of"),
    line("verify good.onnx good.onnx --on tflm", 1, "L007", "--on tflm runs TFLite files"),
    line("verify good.onnx good.onnx --signature main", 1, "L007", "neither of the two models has signatures"),
    line("verify good.onnx good.onnx --max-seconds nan", 2, "L011", "'nan' is not a number of seconds"),
    line("verify good.onnx good.onnx --max-seconds 0", 2, "L011", "0.0 is not in the range"),
    line("verify good.onnx good.onnx --max-memory -5GB", 2, "L011", "'-5GB' is not a number of bytes"),
    compile_("--max-seconds inf", "L011", "'inf' is not a number of seconds"),
    line("bench good.onnx", 1, "R015", "the files that are timed are .tflite", "nhwcc compile good.onnx"),
    line("bench gone.tflite", 1, "R010", "there is no such file"),
    line("bench done.tflite --seconds nan", 2, "L011", "'nan' is not a number of seconds"),
    line("bench done.tflite --rounds 0", 2, "L011", "0 is not in the range"),
    line("bench", 2, "L011", "needs a FILE..."),
    line("check good.onnx --target tflite-gpu --require 120%", 2, "L011", "'120%' is not a share"),
    line("check good.onnx --target ethos-u55 --io-dtype int8", 1, "L007", "--io-dtype is about quantization"),
    line("reduce good.onnx --target tflit", 1, "L008", "did you mean 'tflite'?"),
    line("reduce good.onnx -o r.tflite", 1, "L007", "call it r.ir"),
    line("reduce away.onnx", 1, "R010", "there is no such file"),
    line("doctor good.onnx", 2, "L011", "'good.onnx' is one argument too many", "doctor --help"),
    line("doctor --fix", 2, "L011", "there is no option --fix"),
    line("opt good.onnx --disable-pass cse", 1, "L002", "there is no pass 'cse' in the pipeline", "it is empty"),
    line("opt good.onnx --print-ir-after ''", 1, "L002", "pass '' does not exist", "it is empty"),
    line("opt good.onnx --rules during:cse=some.rules", 1, "L004", "'during:cse=some.rules'", "before:PASS=FILE"),
    line("opt good.onnx --rules after:=some.rules", 1, "L004", "'after:=some.rules'"),
    line("opt good.onnx --load syntax.py", 1, "L010", "syntax.py:1", "never closed"),
    line("opt good.onnx --load absent.py", 1, "L010", "nothing_like_this"),
    compile_("--report page.pdf", "L007", "page.pdf", "call it page.html"),
    compile_("--report o.tflite", "L007", "written twice"),
    compile_("--model-explorer good.onnx", "L011", "'good.onnx' is a file"),
    compile_("--outputs map,", "L011", "leaves out a name"),
    compile_("--input-names ''", "L011", "leaves out a name"),
    compile_("--state keep", "L007", "TFLite files keep no states", "OpenVINO"),
    compile_("--data-type FP16", "L007", "--quantize float16 for TFLite"),
    compile_("--optimize speed", "L011", "'speed' is not one of"),
    line("compile good.onnx -o ''", 1, "L007", "an output has no name", "add -o"),
    line("compile good.onnx -o o.tflite -o ./o.tflite", 1, "L007", "written twice"),
]

ZOOS = [
    line("zoo run", 2, "L011", "needs a MANIFEST"),
    line("zoo list", 2, "L011", "no such command 'list'"),
    line("zoo run number.toml", 1, "L014", "lists no models", "[[models]]"),
    line("zoo run words.toml", 1, "L014", "lists no models"),
    line("zoo run untitled.toml", 1, "L014", "a model without a name"),
    line("zoo run homeless.toml", 1, "L014", "a needs either a path or a module"),
    line("zoo run targets.toml", 1, "L014", "targets of a can't be [[1]]"),
    line("zoo run target.toml", 1, "L008", "did you mean 'tflite'?"),
    line("zoo run endless.toml", 1, "L014", "seconds of a can't be nan"),
    line("zoo run expected.toml", 1, "L014", "expect.transposes of a can't be 'few'"),
    line("zoo run twice.toml", 1, "L014", "is listed twice"),
    line("zoo run deep.toml", 1, "M005", "nested too deeply"),
    line("zoo run target.toml --workers 0", 2, "L011", "0 is not in the range"),
]

LINES = [*IMAGES, *SAMPLES, *QUANTIZING, *TOOLS, *ZOOS]
