"""Ten faults, planted into networks of 300 to 3,000 operations: how many operations ``nhwcc reduce`` leaves.

python -m benchmarks.reduction
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import run
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIZES = (300, 600, 1000, 2000, 3000)
"""Operations of the networks."""

PASS = '''
from nhwcc.compiler.ops.activation import Softmax
from nhwcc.compiler.ops.core import Const
from nhwcc.compiler.ops.shape import Concat, Transpose
from nhwcc.compiler.ops.window import Conv
from nhwcc.compiler.pipeline import Pass, register
from nhwcc.compiler.weights import Weight


@register("planted")
class Planted(Pass):
    """A fault."""

    def run(self, module):
        ops = list(module.main.ops)
{body}
'''
BODIES = {
    "a pass that fails on a softmax behind a transpose": """
        if any(isinstance(o, Softmax) and isinstance(o.x.owner, Transpose) for o in ops):
            raise ValueError("axis 7 of 4")
""",
    "a pass that fails where there are a softmax and a concat": """
        assert not ({Softmax, Concat} <= {type(o) for o in ops})
""",
    "a pass that halves the weights behind a concat": """
        for o in ops:
            if isinstance(o, Conv) and isinstance(o.x.owner, Concat):
                o.w.owner.attributes["value"] = Weight.of(o.w.owner.value.array() / 2)
""",
}
RULES = {
    "a gate without its sigmoid": "rule wrong: mul(%x, sigmoid(%y)) => mul(%x, %y)",
    "a sum without its relu": "rule wrong: relu(add(%x, %y)) => add(%x, %y)",
    "a sum that forgets a tanh": "rule wrong: add(tanh(%x), %y) => add(%x, %y)",
    "a relu in place of a softmax": "rule wrong: softmax(%x, axis=$a) => relu(%x)",
    "channels that are not weighed": "rule wrong: mul(%x, sigmoid(conv(reduce(%y, kind=$k, dims=$d), %w, %b, "
    "strides=$s, dilations=$e, pads=$p))) => %x",
    "rules that never end": "rule wrong: tanh(%x) => neg(tanh(neg(%x)))",
}
SCRIPT = """import sys, onnx
nodes = onnx.load(sys.argv[1]).graph.node
made = {name: node.op_type for node in nodes for name in node.output}
sys.exit(3 if any(n.op_type == "Conv" and made.get(n.input[0]) == "Concat" for n in nodes) else 0)
"""


@dataclass
class Builder:
    """Builds a network of blocks as exporters do."""

    rng: np.random.Generator
    nodes: list[onnx.NodeProto]
    weights: list[onnx.TensorProto]

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add a node and return its result."""
        name = f"/layers.{len(self.nodes) // 12}/{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [f"{name}_out"], name, **attributes))
        return f"{name}_out"

    def conv(self, x: str, filters: int, channels: int, size: int) -> str:
        """Add a convolution with weights of its own."""
        name = f"w{len(self.weights)}"
        shape = (filters, channels, size, size)
        weights = self.rng.normal(size=shape).astype(np.float32) / np.float32(size * np.sqrt(channels))
        self.weights.append(numpy_helper.from_array(weights, name))
        self.weights.append(numpy_helper.from_array(self.rng.normal(size=filters).astype(np.float32) / 10, f"{name}b"))
        return self.node("Conv", x, name, f"{name}b", pads=[size // 2] * 4)

    def block(self, x: str) -> str:
        """Add a block of some kind."""
        kind = self.rng.integers(5)
        if kind == 0:
            return self.node("Relu", self.node("Add", x, self.conv(self.node("Relu", self.conv(x, 8, 8, 3)), 8, 8, 3)))
        if kind == 1:
            weighed = self.conv(self.node("GlobalAveragePool", x), 8, 8, 1)
            return self.node("Mul", x, self.node("Sigmoid", weighed))
        if kind == 2:
            last = self.node("Softmax", self.node("Transpose", x, perm=[0, 2, 3, 1]), axis=-1)
            return self.node("Add", x, self.node("Transpose", last, perm=[0, 3, 1, 2]))
        if kind == 3:
            return self.conv(self.node("Concat", x, self.node("Tanh", x), axis=1), 8, 16, 1)
        return self.node("Add", self.node("Tanh", self.conv(x, 8, 8, 3)), x)


def network(size: int, seed: int) -> onnx.ModelProto:
    """Return a network of at least so many operations."""
    builder = Builder(np.random.default_rng(seed), [], [])
    x = "image"
    while len(builder.nodes) < size:
        x = builder.block(x)
    builder.nodes.append(helper.make_node("Relu", [x], ["scores"]))
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 8, 8, 8]) for name in ("image", "scores")]
    graph = helper.make_graph(builder.nodes, "net", ports[:1], ports[1:], builder.weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def faults(folder: Path) -> dict[str, Sequence[str]]:
    """Return the options with which each fault shows, after writing the files that these name."""
    found: dict[str, Sequence[str]] = {}
    for number, (name, rule) in enumerate(RULES.items()):
        (folder / f"{number}.rules").write_text(rule + "\n")
        found[name] = ["--rules", f"{number}.rules"]
    for number, (name, body) in enumerate(BODIES.items()):
        (folder / f"pass{number}.py").write_text(PASS.replace("{body}", body))
        found[name] = ["--load", f"pass{number}.py", "--passes", f"canonicalize,planted,{DEFAULT}"]
    (folder / "check.py").write_text(SCRIPT)
    found["a command that dislikes a concat before a convolution"] = [
        *("--while", f"{sys.executable} check.py", "-o", "reduced.onnx")
    ]
    return found


DEFAULT = "propagate-layout,canonicalize,legalize,fuse-activations,cse,dce"


def main() -> None:
    """Reduce all of them and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", type=int, help="the number of a fault")
    only: int | None = parser.parse_args().only
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, (fault, options) in enumerate(faults(folder).items()):
            if only not in (None, number):
                continue
            size = SIZES[number % len(SIZES)]
            (folder / "model.onnx").write_bytes(network(size, number).SerializeToString())
            command = [sys.executable, "-m", "nhwcc", "reduce", "model.onnx", "--json", *options]
            start = time.perf_counter()
            done = run(command, cwd=folder, capture_output=True, text=True, check=False)
            said = json.loads(done.stdout)
            what = said["report"] or said["diagnostics"][0]["message"]
            print(f"{number} {fault}, {size} operations: {time.perf_counter() - start:.0f} s, {what}", flush=True)


if __name__ == "__main__":
    main()
