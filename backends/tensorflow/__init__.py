"""The TensorFlow backend: a table of what its kernels run, legalization into it, and a writer of SavedModels."""

from __future__ import annotations

PIPELINE = (
    "canonicalize,fold-constants,cse,dce,fuse-recurrent-loops,fuse-patterns,fuse-batch-norm,merge-linear-branches,"
    "propagate-layout,canonicalize,group-axes,canonicalize,legalize{target=saved_model},"
    "fuse-batch-norm,canonicalize,group-axes,legalize{target=saved_model},cse,dce"
)
"""What runs between import and writing."""

__all__ = ["PIPELINE"]
