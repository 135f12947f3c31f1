"""What TFLite's kernels need or do faster in another form, besides the lowerings that all targets share.

Importing this declares all of them.  ``dtypes`` comes last: it changes the element type of what nothing else fits.
"""

from . import (  # isort: skip
    arith,
    broadcast,
    casts,
    conv,
    conv_transpose,
    digits,
    linear,
    positions,
    quantize,
    recurrent,
    rounding,
    shape,
    stored_weights,
    dtypes,
)

__all__ = [
    "arith",
    "broadcast",
    "casts",
    "conv",
    "conv_transpose",
    "digits",
    "dtypes",
    "linear",
    "positions",
    "quantize",
    "recurrent",
    "rounding",
    "shape",
    "stored_weights",
]
