"""How far a runner is from its own results: no other can be closer.

It computes in another order, and on inputs that are the same up to their last bit: no sum is more exact than this, and
a network that amplifies the difference amplifies its own rounding, too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from nhwcc.agreement import distance
from nhwcc.compiler.types import Array
from nhwcc.runners import Runner

SHAKE = 1.0
"""By how many units in the last place inputs are shaken: every layer rounds, and these must do for all of them."""

_MIX = np.uint64(0x9E3779B97F4A7C15)
"""Spreads the bits of a number."""


class Shaken:
    """Results of a runner, and how far each element ``moved`` when it was asked otherwise.

    Zeros and inputs that are a limit of the network stay as they are: what it does there is defined, not rounded.
    """

    def __init__(
        self, runner: Runner, inputs: Mapping[str, Array], results: Mapping[str, Array], limits: Collection[float] = ()
    ) -> None:
        self._runner = runner
        self._inputs = inputs
        self._results = results
        self._limits = np.asarray([0.0, *limits])
        self._rng = np.random.default_rng(0)
        self.moved = {name: np.zeros(array.shape) for name, array in results.items()}

    def shake(self) -> None:
        """Run once more on shaken inputs, and remember how far results move."""
        self._take(self._runner.run(self._others()))

    def reorder(self) -> None:
        """Run on shaken inputs in another order, if there is one."""
        inputs = self._others()
        self._take(self._runner.run_otherwise(inputs) or self._runner.run(inputs))

    def _others(self) -> dict[str, Array]:
        return {name: self._shaken(array) for name, array in self._inputs.items()}

    def _shaken(self, array: Array) -> Array:
        """Change the last bits of each floating-point element, up or down, of equal ones alike."""
        if array.dtype.kind != "f":
            return array
        bits = np.ascontiguousarray(array).view(f"u{array.itemsize}").reshape(array.shape).astype(np.uint64)
        is_up = ((bits + self._rng.integers(1 << 62, dtype=np.uint64)) * _MIX) >> np.uint64(63)
        steps = np.where(is_up, SHAKE, -SHAKE).astype(array.dtype)
        with np.errstate(over="ignore"):
            moved = array + np.spacing(array) * steps
        return np.where(np.isin(array, self._limits.astype(array.dtype)), array, moved)

    def _take(self, others: Mapping[str, Array]) -> None:
        for name, array in self._results.items():
            if array.shape != others[name].shape:
                self.moved[name] = np.full(array.shape, np.inf)
            else:
                self.moved[name] = np.maximum(self.moved[name], distance(array, others[name]))
