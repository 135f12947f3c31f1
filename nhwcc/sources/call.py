"""How a PyTorch model is called when it is exported, and what else its source must know to read a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nhwcc.options import StateHandling

if TYPE_CHECKING:
    from nhwcc.frontends.torch import DynamicShapes


@dataclass(frozen=True)
class Call:
    """Example inputs, which of their sizes stay open, and what may be done to read and to run the model.

    ``signature`` names one of those that a file has; ``weights`` is where a model's constants are, if not where its
    format says.  ``by_standard`` follows the ONNX standard where onnxruntime departs from it.  ``rounds`` says that all
    targets round what they multiply by weights of few bits as a TFLite file's kernels do.
    """

    args: Sequence[Any] = ()
    kwargs: Mapping[str, Any] | None = None
    dynamic_shapes: DynamicShapes = None
    unsafe_load: bool = False
    state: StateHandling = "refuse"
    signature: str | None = None
    weights: Path | None = None
    by_standard: bool = False
    rounds: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there are neither positional nor keyword arguments."""
        return not self.args and not self.kwargs
