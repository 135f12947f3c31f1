"""The operator of ``channel_norm.py`` for applications that bring a kernel for it: called instead of rewritten."""

from __future__ import annotations

from nhwcc.backends.tflite.table import CUSTOM, Call, custom, emits
from nhwcc.compiler.ir import Op
from nhwcc.compiler.opdef import OPS


@emits(OPS["acme.channel_norm"], CUSTOM, dtypes="f32")
def call_channel_norm(op: Op) -> Call:
    """Operands, and what the kernel reads from its flexbuffer."""
    options = custom("com.acme.ChannelNorm", axis=op.attributes["axis"], epsilon=op.attributes["epsilon"])
    return Call(op.operands, options)
