"""How operations are called in OpenVINO; one file per family. Importing this fills the table."""

from ....compiler.pipeline import discover

discover(__name__)
