"""Compiles the networks of mutants, with verification, and says how each one ends."""

from __future__ import annotations

import sys
import traceback
from typing import Any

import numpy as np

from .catalogue import Network, read

VERIFIED, REFUSED, BROKEN = "verified", "refused", "broken"
HEADER = '<ir_version: 8, opset_import: ["": 18]>\n'


def onnx_model(text: str) -> Any:
    """Parse a model; what its inputs named ``w...`` are becomes constant."""
    from onnx import helper, numpy_helper, parser

    model = parser.parse_model(text if text.lstrip().startswith("<") else HEADER + text)
    rng = np.random.default_rng(7)
    graph = model.graph
    for given in [v for v in graph.input if v.name.startswith("w")]:
        dtype = helper.tensor_dtype_to_np_dtype(given.type.tensor_type.elem_type)
        shape = [d.dim_value for d in given.type.tensor_type.shape.dim]
        drawn = rng.standard_normal(shape) if dtype.kind == "f" else rng.integers(0, 100, shape)
        graph.initializer.append(numpy_helper.from_array(np.asarray(drawn, dtype), given.name))
        graph.input.remove(given)
    return model


def torch_module(network: Network) -> tuple[Any, tuple[Any, ...]]:
    """Evaluate the expression, with parameters and inputs of random numbers; ``i64[2,3]`` is an input of integers."""
    import torch
    from torch import nn
    from torch.nn import functional

    torch.manual_seed(7)  # pyright: ignore[reportUnknownMemberType]

    class Function(nn.Module):
        def __init__(self, function: Any) -> None:
            super().__init__()
            self.function = function

        def forward(self, *args: Any) -> Any:
            return self.function(*args)

    made: Any = eval(network.torch, {"torch": torch, "nn": nn, "F": functional})
    module = made if isinstance(made, nn.Module) else Function(made)
    for name, tensor in (*module.named_parameters(), *module.named_buffers()):
        if tensor.is_floating_point():
            tensor.data.uniform_(0.5 if name.endswith("running_var") else -1, 1.5)
    shapes = [
        (text.startswith("i64"), [int(d) for d in text.removeprefix("i64")[1:-1].split(",")]) for text in network.inputs
    ]
    return module.eval(), tuple(torch.randint(0, 3, s) if whole else torch.randn(s) for whole, s in shapes)


def compiled(network: Network) -> str:
    """Compile, and say how it ended: a word, and for an error its codes or what was raised."""
    from nhwcc.compiler.diagnostics import CompileError

    import nhwcc

    try:
        if network.onnx:
            nhwcc.compile(onnx_model(network.onnx), **network.options)  # pyright: ignore[reportArgumentType]
        else:
            module, args = torch_module(network)
            nhwcc.compile(module, args=args, **network.options)  # pyright: ignore[reportArgumentType]
    except CompileError as bad:
        return f"{REFUSED} {' '.join(sorted({d.code for d in bad.diagnostics}))}"
    except Exception as bad:  # noqa: BLE001  # whatever a fault makes of the compiler
        traceback.print_exception(bad, file=sys.stderr)
        return f"{BROKEN} {type(bad).__name__}"
    return VERIFIED


def main(names: list[str]) -> None:
    networks = {m.name: m.network for m in read()}
    for name in names:
        print(f"{name}: {compiled(networks[name])}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
