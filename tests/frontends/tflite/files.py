"""Files of one operator each, and what they are given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from nhwcc.compiler.types import Array
from nhwcc.formats.tflite.model import CUSTOM, CustomOptions
from nhwcc.frontends.tflite import Program

from .building import new_graph, random_for, save
from .cases import STATE, Case


def write(case: Case, path: Path) -> Path:
    """Write a file of one operator."""
    graph = new_graph()
    operands: list[int] = []
    for i, given in enumerate(case.operands):
        if given is None:
            operands.append(-1)
        elif isinstance(given, str) and given.startswith(STATE):
            operands.append(graph.tensor(given.removeprefix("variable "), f"x{i}", is_variable=True))
        elif isinstance(given, str):
            operands.append(graph.input(given, f"x{i}", case.scales.get(i)))
        else:
            operands.append(graph.constant(given, case.scales.get(i), f"c{i}"))
    scales = {i: case.scales[f"y{i}"] for i in range(len(case.results)) if f"y{i}" in case.scales}
    builtin = CUSTOM if isinstance(case.options, CustomOptions) else case.builtin
    results = graph.call(builtin, operands, case.results, case.options, case.version, scales)
    return save(graph, results, path)


def inputs_of(read: Program) -> dict[str, Array]:
    """Random inputs; states as they are before the first call."""
    rng, func = np.random.default_rng(3), read.module.main
    pairs = zip(func.inputs, func.args, strict=True)
    return {p.name: read.states[p.name].array() if p.name in read.states else random_for(a.type, rng) for p, a in pairs}
