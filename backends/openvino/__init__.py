"""The OpenVINO backend: a table of what its operation sets have, legalization into it, and a writer of IR files."""

from __future__ import annotations

PIPELINE = (
    "canonicalize,fold-constants,cse,dce,fuse-recurrent-loops,fuse-patterns,fuse-batch-norm,merge-linear-branches,"
    "propagate-layout{channels=first,io-layout=keep},canonicalize,group-axes,canonicalize,legalize{target=openvino},"
    "fuse-batch-norm,canonicalize,group-axes,legalize{target=openvino},cse,dce"
)
"""What runs between import and writing: inputs and outputs keep their layout unless another one is asked for."""

__all__ = ["PIPELINE"]
