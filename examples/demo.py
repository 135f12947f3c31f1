"""The main job in front of your eyes: U²-Net-P becomes TFLite, once written in PyTorch here, once as others trained it.

python examples/demo.py        writes models and pictures into out/demo, and prints what was done
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import nhwcc
from nhwcc.graphs.draw import to_svg
from nhwcc.graphs.map import to_map
from nhwcc.inspection import Inspection, inspect

ROOT = Path(__file__).parents[1]
OUT = ROOT / "out" / "demo"
SIZE = 320
"""Height and width of the images that the network takes."""
MEAN = np.array([0.485, 0.456, 0.406], np.float32)
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
"""Mean and deviation of the colours that the trained network is used to."""


def main() -> None:
    """Convert both, draw, and look at a picture."""
    sys.path.insert(0, str(ROOT))  # for the modules beside this one, from wherever it is called
    from examples.trained import fetch

    OUT.mkdir(parents=True, exist_ok=True)
    say("U²-Net-P as examples/u2netp.py writes it in PyTorch, with random weights, exported to ONNX")
    convert(export(OUT / "u2netp.onnx"), "u2netp")
    say("U²-Net-P as it was trained, an ONNX file from elsewhere")
    trained = convert(fetch("u2netp"), "u2netp-trained")
    say(f"A picture, and what {shown(trained)} finds salient in it")
    picture = OUT / "coffee.png"
    side_by_side(ROOT / "examples" / "coffee.jpg", trained).save(picture)
    print(f"  {shown(picture)}")


def export(path: Path) -> Path:
    """Export our own U²-Net-P with PyTorch's exporter."""
    import torch

    from examples.u2netp import seeded

    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # that torchvision is not installed
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the exporter says about itself
        torch.onnx.export(  # pyright: ignore[reportUnknownMemberType]
            seeded(),
            (torch.rand(1, 3, SIZE, SIZE),),
            str(path),
            input_names=["image"],
            output_names=["fused", *(f"map{level}" for level in range(1, 7))],
            dynamo=True,
            verbose=False,
            external_data=False,
        )
    return path


def convert(model: Path, name: str) -> Path:
    """Compile a model as one would in a shell, and draw what came out beside what it would be without layouts."""
    result = OUT / f"{name}.tflite"
    run("compile", model, "-o", result)
    naive = nhwcc.compile(model, disable=["propagate-layout"], verify=False)
    before, after = inspect(naive.path), inspect(result)
    print(f"  without the pass propagate-layout it would be {counts(before)}; now it is {counts(after)}")
    titles = (f"Operation by operation: {counts(before)}", f"nhwcc: {counts(after)}")
    write_text(f"{name}.svg", to_map([before.graph, after.graph], titles))
    write_text(f"{name}-before.svg", to_svg(before.graph))
    write_text(f"{name}-after.svg", to_svg(after.graph))
    return result


def run(*arguments: object) -> None:
    """Run the command line in a process of its own, so that its time and memory are its own."""
    words = [shown(a) if isinstance(a, Path) else str(a) for a in arguments]
    print(f"$ nhwcc {' '.join(words)}", flush=True)
    code = subprocess.run([sys.executable, "-m", "nhwcc", *words], check=False).returncode
    if code:
        sys.exit(code)


def side_by_side(picture: Path, model: Path) -> Image.Image:
    """A picture, its saliency mask, and what the mask cuts out."""
    image = Image.open(picture).convert("RGB")
    mask = Image.fromarray((saliency(image, model) * 255).astype(np.uint8)).resize(image.size, Image.Resampling.BICUBIC)
    paper = Image.new("RGB", image.size, "white")
    sheet = Image.new("RGB", (3 * image.width, image.height))
    for column, part in enumerate((image, mask, Image.composite(image, paper, mask))):
        sheet.paste(part, (column * image.width, 0))
    return sheet


def saliency(image: Image.Image, model: Path) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Run the converted network with the TFLite runtime alone, as a device would; values from 0 to 1."""
    from ai_edge_litert.interpreter import Interpreter  # pyright: ignore[reportMissingTypeStubs]

    pixels = np.asarray(image.resize((SIZE, SIZE), Image.Resampling.LANCZOS), np.float32)
    normal = (pixels / pixels.max() - MEAN) / DEVIATION
    interpreter: Any = Interpreter(str(model))
    network = interpreter.get_signature_runner()
    (name,) = network.get_input_details()
    results = network(**{name: normal[None]})  # NHWC, as images lie in memory
    best = np.squeeze(results[min(results)])  # the fused map is the first one
    return (best - best.min()) / (best.max() - best.min())


def counts(found: Inspection) -> str:
    """How many operations, and how many of them transposes."""
    return f"{sum(found.summary.counts.values())} operations, {found.summary.transposes} of them transposes"


def write_text(name: str, text: str) -> None:
    """Write a drawing."""
    (OUT / name).write_text(text, encoding="utf-8")
    print(f"  {shown(OUT / name)}")


def shown(path: Path) -> str:
    """A path as one would type it here."""
    return os.path.relpath(path)


def say(title: str) -> None:
    """Begin a chapter."""
    print(f"\n{title}", flush=True)


if __name__ == "__main__":
    main()
