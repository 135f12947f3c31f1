"""The lowerings that targets share, as far as they are good for Keras."""

from __future__ import annotations

from ....passes.lowerings import LOWERINGS
from ...common.chosen import chosen

NOT = ("positions-in-rows",)
"""Those that lead to what Keras has no function for: the number of what is not zero is open."""

SHARED = chosen([pattern.name for pattern in LOWERINGS.patterns if pattern.name not in NOT])
