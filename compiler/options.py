"""What users choose among: apart from what implements it, so that a command line need not load that."""

from __future__ import annotations

from typing import Literal, TypeAlias

Strategy: TypeAlias = Literal["auto", "unroll", "while", "fused"]
"""How a target is asked to run a recurrent layer: as is best, step by step, as a loop, as one kernel."""

Channels: TypeAlias = Literal["first", "last"]
"""Where the channels of an operation lie: after the batch, or after all else."""
