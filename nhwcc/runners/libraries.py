"""TensorFlow and Keras in processes of their own, imported without what is not used there.

TensorFlow alone takes 2.6 s of CPU in place of 4.5, Keras without scikit-learn 3.0.  Workers call these functions
before anything else imports the libraries; the process of an application gets them whole.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any

TENSORFLOW = f"{__name__}:load_tensorflow"
"""What a worker does to get ready for TensorFlow."""

KERAS = f"{__name__}:load_keras"
"""What a worker does to get ready for Keras."""

BESIDE = "sklearn"
"""What Keras imports for wrappers of its models if it is installed."""


def load_tensorflow() -> None:
    """Import TensorFlow without Keras.

    TensorFlow imports Keras to know where it lies, but finds the package of Keras 2 without importing it.
    """
    quiet()
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    import_module("tensorflow")


def load_keras() -> Any:
    """Import Keras on TensorFlow without scikit-learn, and return it."""
    quiet()
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    sys.modules[BESIDE] = None  # pyright: ignore[reportArgumentType] -- None blocks imports
    try:
        return import_module("keras")
    finally:
        del sys.modules[BESIDE]


def quiet() -> None:
    """Let TensorFlow print errors only, and leave graphics processors alone."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
