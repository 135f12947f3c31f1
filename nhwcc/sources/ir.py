"""IR as a source: a module, or its text; and what sources are that become a module at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

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


class ModuleSource(ABC):
    """A model whose reader gives a module, and that no other runtime runs: the reference interpreter does."""

    kind = "a model"
    """What messages call a model that is not a file."""

    def __init__(self, given: Any, call: Call) -> None:
        self.given = given

    @property
    def title(self) -> str:
        """The path, or what kind of object it is."""
        return str(self.given) if isinstance(self.given, Path) else self.kind

    @abstractmethod
    def read(self) -> Module:
        """Read what was given: a path, or bytes.

        Raises:
            CompileError: it can't be read, or holds what there is no operation for.
        """
        ...

    def load(self, cut: Cut) -> Module:
        """Read the model, and cut out the part that is meant.

        Raises:
            CompileError: as :meth:`read`; F018 or F019 for the cut.
        """
        module = self.read()
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


class IrSource(ModuleSource):
    """A module, which is copied, or a file or the bytes of its text."""

    kind = "IR"

    def read(self) -> Module:
        """Read the text, or copy the module.

        Raises:
            CompileError: P..., T... for the text.
        """
        given: Path | bytes | Module = self.given
        match given:
            case Module():
                return clone_module(given)
            case Path():
                return read_module(given)
            case bytes():
                return parse_module(given.decode("utf-8"))


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
