"""The ONNX backend: a table of what the standard can say, legalization into it, and a writer of files."""

from __future__ import annotations

PIPELINE = (
    "canonicalize,fold-constants,cse,dce,fuse-recurrent-loops,fuse-patterns,fuse-batch-norm,merge-linear-branches,"
    "propagate-layout{channels=first,io-layout=keep,products=straight,norms=last},canonicalize,group-axes,canonicalize,legalize{target=onnx},"
    "fuse-batch-norm,canonicalize,group-axes,legalize{target=onnx},cse,dce"
)
"""What runs between import and writing: inputs and outputs keep their layout unless another one is asked for."""

__all__ = ["PIPELINE"]
