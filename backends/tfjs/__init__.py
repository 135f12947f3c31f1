"""The TensorFlow.js backend: what browsers run of TensorFlow's table, and graph models written without TensorFlow."""

from __future__ import annotations

PIPELINE = (
    "canonicalize,fold-constants,cse,dce,fuse-recurrent-loops,fuse-patterns,fuse-batch-norm,merge-linear-branches,"
    "propagate-layout,canonicalize,group-axes,canonicalize,legalize{target=tfjs},"
    "fuse-batch-norm,canonicalize,group-axes,legalize{target=tfjs},cse,dce"
)
"""What runs between import and writing."""

__all__ = ["PIPELINE"]
