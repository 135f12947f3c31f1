"""Every operation in every version, and what can only be seen by a second call."""

from __future__ import annotations

from .building import Case
from .cases_basic import ACTIVATIONS, ELEMENTWISE, MOVES
from .cases_more import DETECTION, ENDS, TABLES, TRANSFORMS, UNEVEN
from .cases_random import RANDOM
from .cases_recurrent import RECURRENT
from .cases_regions import REGIONS
from .cases_windows import CONVOLUTIONS, NORMS, POOLS, POSITIONS, PRODUCTS, RESAMPLING, WEIGHTS

CASES: list[Case] = [
    *ELEMENTWISE,
    *ACTIVATIONS,
    *MOVES,
    *POSITIONS,
    *CONVOLUTIONS,
    *POOLS,
    *NORMS,
    *RESAMPLING,
    *PRODUCTS,
    *WEIGHTS,
    *RECURRENT,
    *DETECTION,
    *ENDS,
    *TRANSFORMS,
    *TABLES,
    *UNEVEN,
    *RANDOM,
    *REGIONS,
]
