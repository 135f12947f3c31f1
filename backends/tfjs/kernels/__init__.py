"""How operations are called in TensorFlow.js where TensorFlow calls them otherwise. Importing this fills the table."""

from ....compiler.pipeline import discover

discover(__name__)
