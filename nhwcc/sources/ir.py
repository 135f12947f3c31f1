"""IR as a source: a module, or its text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from itertools import count
from pathlib import Path

from nhwcc.compiler import ops as _ops  # noqa: F401  # pyright: ignore[reportUnusedImport] -- declares operations
from nhwcc.compiler.clone import clone_module
from nhwcc.compiler.ir import Func, Module
from nhwcc.compiler.ops.core import Const
from nhwcc.compiler.parser import parse_module, read_module
from nhwcc.compiler.types import TensorType
from nhwcc.compiler.workload import check_run
from nhwcc.cut import Cut
from nhwcc.runners import Runner
from nhwcc.runners.bounded import Bounded
from nhwcc.runners.reference import ReferenceRunner
from nhwcc.sources.call import Call


class IrSource:
    """A module, which is copied, or a file or the bytes of its text."""

    def __init__(self, given: Path | bytes | Module, call: Call) -> None:
        self.given = given

    @property
    def title(self) -> str:
        """The path, or that it is IR."""
        return str(self.given) if isinstance(self.given, Path) else "IR"

    def load(self, cut: Cut) -> Module:
        """Read the text, or copy the module.

        Raises:
            CompileError: P..., T... for the text, F018 or F019 for the cut.
        """
        match self.given:
            case Module():
                module = clone_module(self.given)
            case Path():
                module = read_module(self.given)
            case bytes():
                module = parse_module(self.given.decode("utf-8"))
        _name_apart(module.main)
        return cut.of(module, cut.shapes)

    def files(self, module: Module) -> list[Path]:
        """The text, and the side files with its weights."""
        return files_of(self.given, module)

    def runner(self, cut: Cut, types: Mapping[str, TensorType], outputs: Sequence[str], stack: ExitStack) -> Runner:
        """Return the reference interpreter."""
        return ReferenceRunner(self.load(cut))

    def open(self, stack: ExitStack) -> Runner:
        """Return the reference interpreter, once it is known what a run costs."""
        module = self.load(Cut())
        check_run(module.main)
        return Bounded(ReferenceRunner(module), module.main)


def files_of(given: object, module: Module) -> list[Path]:
    """Return the file that was given, and those that weights of its module lie in."""
    weights = [op.value.source for op in module.walk() if isinstance(op, Const)]
    own = [given] if isinstance(given, Path) else []
    return [*own, *dict.fromkeys(source.path for source in weights if source is not None)]


def _name_apart(func: Func) -> None:
    """Give outputs that have the same name, or none, names of their own: results are found by them."""
    taken: set[str] = set()
    for i, port in enumerate(func.outputs):
        if not port.name or port.name in taken:
            numbered = (f"output_{k}" for k in count(i))
            port.name = "output" if len(func.outputs) == 1 else next(n for n in numbered if n not in taken)
        taken.add(port.name)
