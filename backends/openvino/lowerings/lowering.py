"""The lowerings that only OpenVINO needs, and how they are declared."""

from __future__ import annotations

from ....compiler.lowering import Build, Lowerings

OWN = Lowerings()
"""Rewrites into what operation sets have, in the order in which they are tried."""

lower, improve = OWN.lower, OWN.improve

__all__ = ["OWN", "Build", "improve", "lower"]
