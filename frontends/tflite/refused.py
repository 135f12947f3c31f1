"""Builtins that the runtime has kernels for, but that are not read, and why."""

from __future__ import annotations

_TEXTS = "reads or gives strings, which only exist as constants here"
_TABLE = "looks strings up in a table that is filled when the network is loaded"

REFUSED = {
    "EMBEDDING_LOOKUP_SPARSE": "combines rows of a table whose number depends on data",
    "HASHTABLE": _TABLE,
    "HASHTABLE_FIND": _TABLE,
    "HASHTABLE_IMPORT": _TABLE,
    "HASHTABLE_SIZE": _TABLE,
    "LSH_PROJECTION": "hashes bytes with the runtime's own function",
    "SKIP_GRAM": _TEXTS,
    "STABLEHLO_GATHER": "gathers windows at computed positions along any axes; TensorFlow's GATHER and SLICE are read",
    "STABLEHLO_REDUCE_WINDOW": "reduces windows by a subgraph; the poolings are read",
    "REDUCE_WINDOW": "reduces windows of any number of axes; the poolings are read",
    "STABLEHLO_RNG_BIT_GENERATOR": "gives the bits of one generator, which no other runtime has",
    "STABLEHLO_SCATTER": "combines windows at computed positions by a subgraph; SCATTER_ND is read",
}
"""Why each is not read, as a message goes on after its name."""
