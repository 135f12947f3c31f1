"""The lowerings that only Core ML needs, and how they are declared."""

from __future__ import annotations

from ....compiler.lowering import Build, Lowerings

OWN = Lowerings()
"""Rewrites into what MIL has, in the order in which they are tried."""

lower, improve = OWN.lower, OWN.improve

__all__ = ["OWN", "Build", "improve", "lower"]
