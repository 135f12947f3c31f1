"""The lowerings that targets share, as far as they are good for Keras."""

from __future__ import annotations

from ....passes.lowerings import LOWERINGS
from ...common.chosen import chosen

NOT = ("positions-in-rows", "add-to-data", "replace-in-data")
"""Those that lead to what Keras has not: an open number of what is not zero, and sums at positions in zeros alone."""

SHARED = chosen([pattern.name for pattern in LOWERINGS.patterns if pattern.name not in NOT])
