"""equalize-channels: integers of one scale tell small channels as well as large ones, by factors in the weights."""

from __future__ import annotations

from pathlib import Path

from ..compiler.ir import Module
from ..compiler.pipeline import Pass, register
from .quantization.equalize import equalize
from .quantization.statistics import load


@register("equalize-channels")
class EqualizeChannels(Pass):
    """Scale channels of small numbers, and the weights around them, so that integers tell them as well as large ones.

    ``statistics`` is a file that ``nhwcc calibrate`` writes.  ``strength`` goes from 0, nothing, to 1: all channels
    that can have one get the range of the largest channel of their tensor.
    """

    statistics: str
    strength: float = 1.0

    def run(self, module: Module) -> None:
        """Scale the weights of the main function.

        Raises:
            CompileError: R010, the file holds no statistics.
        """
        equalize(module.main, load(Path(self.statistics)), self.strength)
