"""How the operator of ``channel_norm.py`` is read from a TFLite file, such as one that calls a kernel for it."""

from __future__ import annotations

from nhwcc.compiler.ir import Value
from nhwcc.compiler.opdef import OPS
from nhwcc.frontends.tflite.emitter import Emitter
from nhwcc.frontends.tflite.registry import builtin

ChannelNorm = OPS["acme.channel_norm"]


@builtin("com.acme.ChannelNorm")
def read_channel_norm(emit: Emitter, x: Value, scale: Value, *, axis: int, epsilon: float = 1e-5) -> Value:
    """Operands are positional parameters; those behind the star are in the flexbuffer."""
    return emit(ChannelNorm(x, scale, axis=axis, epsilon=epsilon))
