"""The Core ML backend: a table of operations of MIL, and packages with an ML program that coremltools writes."""

from __future__ import annotations

PIPELINE = (
    "canonicalize,fold-constants,cse,dce,fuse-recurrent-loops,fuse-patterns,fuse-batch-norm,merge-linear-branches,"
    "propagate-layout{channels=first,io-layout=keep},canonicalize,group-axes,canonicalize,legalize{target=coreml},"
    "fuse-batch-norm,canonicalize,group-axes,legalize{target=coreml},cse,dce"
)
"""What runs between import and writing: inputs and outputs keep their layout unless another one is asked for."""

__all__ = ["PIPELINE"]
