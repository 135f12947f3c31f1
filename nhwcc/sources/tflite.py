"""TFLite files as sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from nhwcc.compiler.diagnostics import error
from nhwcc.compiler.ir import Module
from nhwcc.compiler.types import TensorType
from nhwcc.cut import Cut
from nhwcc.runners import Runner
from nhwcc.runners.tflite import TfliteRunner
from nhwcc.sources.call import Call


class TfliteSource:
    """A file."""

    def __init__(self, given: Path, call: Call) -> None:
        self.given = given

    @property
    def title(self) -> str:
        """The file."""
        return str(self.given)

    def load(self, cut: Cut) -> Module:
        """Refuse: files can be run, but not read.

        Raises:
            CompileError: R015.
        """
        help = "nhwcc inspect and nhwcc verify read it"
        raise error("R015", f"{self.given} is a TFLite file already", help=help)

    def files(self, module: Module) -> list[Path]:
        """The file."""
        return [self.given]

    def runner(self, cut: Cut, types: Mapping[str, TensorType], outputs: Sequence[str]) -> Runner:
        """Return the TFLite runtime."""
        return TfliteRunner(self.given)

    def open(self, stack: ExitStack) -> Runner:
        """Return the TFLite runtime."""
        return stack.enter_context(TfliteRunner(self.given))
