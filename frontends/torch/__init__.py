"""PyTorch."""

from .reader import import_torch

__all__ = ["import_torch"]
