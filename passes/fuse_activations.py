"""fuse-activations: moves a clamp into the operation before it."""

from __future__ import annotations

from ..compiler.ir import Module
from ..compiler.ops.activation import Clip, Relu
from ..compiler.ops.arith import ACTIVATIONS
from ..compiler.pipeline import Pass, register
from ..compiler.rewrite import Rewriter, pattern, rewrite


@pattern(Relu, Clip)
def fuse_activation(op: Relu | Clip, rw: Rewriter) -> None:
    """An operation that can end in an activation, then a clamp: one operation."""
    bounds = (0.0, float("inf")) if isinstance(op, Relu) else (op.min, op.max)
    name = next((n for n, b in ACTIVATIONS.items() if b == bounds and n != "none"), None)
    producer = op.x.owner
    if name is None or producer is None or "activation" not in producer.spec.attributes:
        return
    rw.require(op.x.type.dtype.is_float, "only float operations end in an activation")
    rw.require(producer.attributes["activation"] == "none", "the operation ends in an activation already")
    rw.require(op.x.has_one_use, "the result before the activation is used elsewhere too")
    rw.replace(producer.clone(activation=name))


@register("fuse-activations")
class FuseActivations(Pass):
    """Let convolutions, matrix products and arithmetic end in the clamp that follows them: ReLU, ReLU6, ReLU-1-to-1."""

    def run(self, module: Module) -> None:
        """Rewrite greedily."""
        rewrite(module, [fuse_activation])
