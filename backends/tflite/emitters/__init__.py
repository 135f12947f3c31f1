"""How builtins are called, one file per family; importing this fills the table."""

from ....compiler.pipeline import discover

discover(__name__)
