"""Where the operations of a model would run on a device, before anything is written."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from nhwcc.backends.common.placement import Placement
from nhwcc.backends.registry import DEVICES, find_target
from nhwcc.compiler.diagnostics import CompileError, error
from nhwcc.driver import compile_model
from nhwcc.file_formats import supported
from nhwcc.options import CompileOptions, Model


def check_model(model: Model, target: str, options: CompileOptions) -> Placement:
    """Say where each operation runs: of a TFLite file as it is, of other models as they would be compiled.

    What a device has no kernel for is left as other targets have it, so that all of it is found at once.

    Raises:
        CompileError: L013, the target is no device; what reading or compiling the model raises.
    """
    device = find_target(target)
    if device.place is None:
        help = f"devices are {', '.join(DEVICES)}"
        raise error("L013", f"{device.title} says nothing about a device", help=help)
    path = Path(model) if isinstance(model, str | os.PathLike) else None
    if path is not None and supported(path).name == "tflite":
        return device.place(path)
    passes = options.passes or device.pipeline.replace("legalize{", "legalize{partial=true,")
    asked = replace(options, output=None, target=target, passes=passes, verify=False)
    compiled = compile_model(model, asked)  # its file is there as long as it is
    return device.place(compiled.path)


def shortfall(found: Placement, required: float) -> CompileError:
    """Build the error for less on a device than is required, with the reasons."""
    text = f"{100 * found.share('operators'):.1f} % of the operators run on {found.device}"
    reasons = [f"{kernel} {ops[0].name}: {why}" for (kernel, why), ops in found.reasons().items()]
    problem = error("B006", f"{text}, {100 * required:g} % are required")
    problem.diagnostics[0].notes += reasons[:MAX_REASONS]
    return problem


MAX_REASONS = 10
"""Reasons that an error names."""
