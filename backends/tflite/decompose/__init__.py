"""What TFLite has no builtin for, in terms of what it has; one file per family.

Importing this declares all patterns.  ``dtypes`` comes last: it changes the element type of what nothing else fits.
"""

from . import (  # isort: skip
    activation,
    arith,
    broadcast,
    casts,
    channels,
    conv,
    conv_transpose,
    index,
    linear,
    logic,
    norm,
    pad,
    pool,
    quantize,
    recurrent,
    reduce,
    resize,
    scatter,
    shape,
    spatial,
    wide,
    dtypes,
)

__all__ = [
    "activation",
    "arith",
    "broadcast",
    "casts",
    "channels",
    "conv",
    "conv_transpose",
    "dtypes",
    "index",
    "linear",
    "logic",
    "norm",
    "pad",
    "pool",
    "quantize",
    "recurrent",
    "reduce",
    "resize",
    "scatter",
    "shape",
    "spatial",
    "wide",
]
