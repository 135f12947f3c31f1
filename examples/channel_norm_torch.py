"""How the operator of ``channel_norm.py`` is read from PyTorch: beside it, since importing PyTorch takes a while."""

from __future__ import annotations

from nhwcc.compiler.ir import Value
from nhwcc.compiler.opdef import OPS
from nhwcc.frontends.torch.emitter import Emitter
from nhwcc.frontends.torch.registry import aten

ChannelNorm = OPS["acme.channel_norm"]


@aten("acme::channel_norm")
def read_channel_norm(emit: Emitter, x: Value, scale: Value, epsilon: float = 1e-5) -> Value:
    """Parameters are those of the operator's schema, in its order."""
    return emit(ChannelNorm(x, scale, axis=1, epsilon=epsilon))
