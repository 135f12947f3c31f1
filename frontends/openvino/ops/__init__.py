"""Handlers, one file per family; importing this registers them."""

from ....compiler.pipeline import discover

discover(__name__)
