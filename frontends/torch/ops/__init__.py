"""Handlers, one module per family; importing this package registers them all."""

from . import activation, elementwise, norm, shape, spatial, window

__all__ = ["activation", "elementwise", "norm", "shape", "spatial", "window"]
