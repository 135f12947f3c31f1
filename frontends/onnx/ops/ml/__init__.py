"""Handlers of ``ai.onnx.ml``: the operators that classical machine learning is exported to."""

from . import features, labels, linear, svm, trees

__all__ = ["features", "labels", "linear", "svm", "trees"]
