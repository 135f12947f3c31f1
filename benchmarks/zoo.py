"""The networks that benchmarks and end-to-end tests compile: fetched, taken from the onnx package, or exported.

python -m benchmarks.zoo [NAME ...]        makes them in .cache/zoo, and prints where they are
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from examples.trained import CACHE, fetch

if TYPE_CHECKING:
    from torch import nn

ZOO = CACHE.parent / "zoo"

LIGHT = {
    "alexnet": "bvlc_alexnet",
    "densenet121": "densenet121",
    "inception_v1": "inception_v1",
    "inception_v2": "inception_v2",
    "resnet50": "resnet50",
    "shufflenet": "shufflenet",
    "squeezenet": "squeezenet",
    "vgg19": "vgg19",
    "zfnet512": "zfnet512",
}
"""Networks inside the onnx package; their weights are constants there, which would make every check hollow."""


def light(name: str, path: Path) -> None:
    """Write one of the onnx package's networks with seeded random weights that let the signal through."""
    source = Path(onnx.__file__).parent / "backend/test/data/light" / f"light_{LIGHT[name]}.onnx"
    model = onnx.ModelProto.FromString(source.read_bytes())
    rng = np.random.default_rng(0)
    tensors = {t.name: t for t in model.graph.initializer}
    filled = {n.output[0]: tensors[n.input[0]] for n in model.graph.node if n.op_type == "ConstantOfShape"}
    kinds = _parameter_kinds(model)
    for result, stored in filled.items():
        model.graph.initializer.remove(stored)
        shape = tuple(int(d) for d in numpy_helper.to_array(stored))
        array = _random(rng, kinds.get(result, "bias"), shape)
        model.graph.initializer.append(numpy_helper.from_array(array.astype(np.float32), result))
    kept = [n for n in model.graph.node if n.op_type != "ConstantOfShape"]
    del model.graph.node[:]
    model.graph.node.extend(kept)
    shapes = {t.name for t in filled.values()}
    for declared in [i for i in model.graph.input if i.name in shapes]:
        model.graph.input.remove(declared)
    _temper(model)
    path.write_bytes(model.SerializeToString())


def _temper(model: onnx.ModelProto) -> None:
    """Scale what computes the logits so that they spread by one: a softmax that is 1 somewhere hides every error."""
    tensors = {t.name: t for t in model.graph.initializer}
    makers = {n.output[0]: n for n in model.graph.node}
    for softmax in (n for n in model.graph.node if n.op_type == "Softmax"):
        maker = makers[softmax.input[0]]
        if maker.op_type != "Gemm":
            continue
        spread = float(_run_to(model, softmax.input[0]).std())
        for read in maker.input[1:]:
            name = read if read in tensors else makers[read].input[0]  # some are reshaped first
            array = numpy_helper.to_array(tensors[name]) / np.float32(spread)
            tensors[name].CopyFrom(numpy_helper.from_array(array, name))


def _run_to(model: onnx.ModelProto, name: str) -> NDArray[np.float32]:
    """Return a tensor inside of a network for random inputs."""
    import onnxruntime

    part = onnx.ModelProto()
    part.CopyFrom(model)
    part.graph.output.append(onnx.ValueInfoProto(name=name))
    session: Any = onnxruntime.InferenceSession(part.SerializeToString())
    rng = np.random.default_rng(0)
    feed: dict[str, Any] = {i.name: rng.random(i.shape, np.float32) for i in session.get_inputs()}
    return session.run([name], feed)[0]


def _parameter_kinds(model: onnx.ModelProto) -> dict[str, str]:
    """What each parameter is used as."""
    kinds: dict[str, str] = {}
    for n in model.graph.node:
        if n.op_type in ("Conv", "Gemm"):
            kinds[n.input[1]] = "weight"
        elif n.op_type == "BatchNormalization":
            kinds |= {n.input[1]: "scale", n.input[4]: "scale"}
        elif n.op_type == "Unsqueeze":
            kinds[n.input[0]] = "scale"
    return kinds


def _random(rng: np.random.Generator, kind: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    if kind == "weight":
        fan_in = int(np.prod(shape[1:]))
        return rng.standard_normal(shape) * np.sqrt(2.0 / fan_in)
    return rng.uniform(0.5, 1.5, shape) if kind == "scale" else rng.uniform(-0.2, 0.2, shape)


def exported(module: Callable[[], nn.Module], shape: tuple[int, ...], *, dynamo: bool) -> Callable[[Path], None]:
    """Return what exports a PyTorch module with ``torch.onnx.export``."""

    def write(path: Path) -> None:
        import torch

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the exporters announce each other's deprecation
            export: Callable[..., object] = torch.onnx.export  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
            export(module(), (torch.rand(shape),), str(path), dynamo=dynamo, external_data=False)

    return write


def _u2netp() -> nn.Module:
    from examples.u2netp import seeded

    return seeded()


def _mobilenet_v2() -> nn.Module:
    from benchmarks.torch_models import mobilenet_v2

    return mobilenet_v2(fetch("mobilenet_v2"))


def _efficientnet_lite0() -> nn.Module:
    from benchmarks.torch_models import efficientnet_lite0

    return efficientnet_lite0(fetch("efficientnet_lite0"))


def _digits() -> nn.Module:
    from benchmarks.digits import network

    return network()


MAKERS: dict[str, Callable[[Path], None]] = {
    **{name: (lambda path, name=name: light(name, path)) for name in LIGHT},
    "u2netp_torch": exported(_u2netp, (1, 3, 320, 320), dynamo=False),
    "digits": exported(_digits, (1, 1, 8, 8), dynamo=False),
    "mobilenet_v2": exported(_mobilenet_v2, (1, 3, 224, 224), dynamo=False),
    "mobilenet_v2_dynamo": exported(_mobilenet_v2, (1, 3, 224, 224), dynamo=True),
    "efficientnet_lite0": exported(_efficientnet_lite0, (1, 3, 224, 224), dynamo=False),
    "efficientnet_lite0_dynamo": exported(_efficientnet_lite0, (1, 3, 224, 224), dynamo=True),
}
"""Networks that are made here, by name."""

FETCHED = (
    *("u2netp", "ppocr_det", "ppocr_cls", "ppocr_rec", "ppocr_orientation", "ddddocr", "ddddocr_det", "ddddocr_old"),
    *("silero_vad", "silero_vad_half", "silero_vad_16k_op15", "silero_vad_16k_sequence", "silero_vad_op18_ifless"),
    *("silero_vad_openvino_16k", "basic_pitch", "minilm", "lac", "yolov8n", "picodet"),
)
"""Trained networks that are ONNX files already."""


def model(name: str) -> Path:
    """Return a network's ONNX file, making or fetching it if it is not there yet."""
    if name in FETCHED:
        return fetch(name)
    path = ZOO / f"{name}.onnx"
    if not path.exists():
        ZOO.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".part")
        MAKERS[name](partial)
        partial.rename(path)
    return path


def main() -> None:
    """Make the named networks, or all."""
    for name in sys.argv[1:] or (*FETCHED, *MAKERS):
        path = model(name)
        print(f"{name:28} {path.stat().st_size / 1e6:8.1f} MB  {path}")


if __name__ == "__main__":
    main()
