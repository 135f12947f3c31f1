"""The Keras backend: a table of layers and operations, and functional models that stock Keras loads and trains."""

from __future__ import annotations


def pipeline(target: str) -> str:
    """Return the passes, as a pipeline's text, that run between import and writing of a file for Keras."""
    return (
        "canonicalize,fold-constants,cse,dce,fuse-recurrent-loops,fuse-patterns,fuse-batch-norm,merge-linear-branches,"
        f"propagate-layout,canonicalize,group-axes,canonicalize,legalize{{target={target}}},"
        f"fuse-batch-norm,canonicalize,group-axes,legalize{{target={target}}},cse,dce"
    )


__all__ = ["pipeline"]
