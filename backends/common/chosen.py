"""The lowerings that all targets share, as far as they are good for one."""

from __future__ import annotations

from collections.abc import Collection

from ...compiler.lowering import Lowerings
from ...passes.lowerings import LOWERINGS


def chosen(names: Collection[str]) -> Lowerings:
    """Return the shared lowerings of these names, in the order in which they are tried."""
    kept = Lowerings()
    texts = iter(LOWERINGS.documented)
    for pattern in LOWERINGS.patterns:
        text = None if pattern.always else next(texts)
        if pattern.name in names:
            kept.patterns.append(pattern)
            kept.documented += [] if text is None else [text]
    return kept
