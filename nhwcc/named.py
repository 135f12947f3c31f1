"""A PyTorch network by the name of its class, as the command line gives it: checked before PyTorch is imported."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from nhwcc.compiler.diagnostics import did_you_mean, error, reason
from nhwcc.file_formats import detect, supported

if TYPE_CHECKING:
    from torch import nn


def require_torch() -> None:
    """Check that PyTorch is installed.

    Raises:
        CompileError: R017, it is not.
    """
    if find_spec("torch") is None:
        raise error("R017", "PyTorch models need PyTorch", help="pip install 'nhwcc[torch]'")


@dataclass(frozen=True)
class NamedModule:
    """``package.module:Class`` or ``file.py:function``, what it is called with, and its weights.

    ``arguments`` are written as in Python: ``64, classes=10``.  Modules are looked for in ``path``, too.  ``unsafe``
    allows code in the file with weights.
    """

    name: str
    arguments: str = ""
    weights: Path | None = None
    path: Sequence[Path] = ()
    unsafe: bool = False

    @property
    def title(self) -> str:
        """The name of the class or function, as reports call the model."""
        return self.name.rpartition(":")[2]

    def check(self) -> None:
        """Refuse what can't be, as far as that is known without running anything.

        Raises:
            CompileError: F036, there is no such module, or the arguments are not written as in Python; and what is
                wrong with the file of weights (R010, R015).
        """
        require_torch()
        place, separator, name = self.name.rpartition(":")
        if not separator or not place or not name:
            raise error("F036", f"{self.name!r} does not name a class", help=self._advice())
        self._check_arguments()
        if place.endswith(".py"):
            _check_file(Path(place))
        else:
            self._check_package(place)
        if self.weights is not None and detect(self.weights).name != "torch":
            supported(self.weights)
            raise error("F037", f"{self.weights} does not hold weights", help="save model.state_dict() with torch.save")
        if self.weights is not None:
            supported(self.weights)

    def _advice(self) -> str:
        if Path(self.name).is_file() and self.name.endswith(".py"):
            return f"say which class of the file: {self.name}:{_classes(Path(self.name))}"
        package, _, name = self.name.rpartition(".")
        guess = f" (--module {package}:{name}?)" if package and not self.name.endswith(".py") else ""
        return f"write package.module:Class or file.py:Class{guess}"

    def _check_arguments(self) -> None:
        try:
            ast.parse(f"f({self.arguments})", mode="eval")
        except (SyntaxError, ValueError) as bad:
            help = "write literals as in Python: --args '64, classes=10'"
            raise error("F036", f"{self.arguments!r} does not read as arguments", help=help) from bad

    def _check_package(self, place: str) -> None:
        top = place.partition(".")[0]
        if PathFinder.find_spec(top, [str(p) for p in (*self.path, Path.cwd())]) or PathFinder.find_spec(top):
            return
        as_file = Path(*place.split(".")).with_suffix(".py")
        help = f"--python-path says where Python looks for it; a file is given as {as_file.name}:{self.title}"
        raise error("F036", f"can't import {place}: there is no module {top!r}", help=help)

    def load(self) -> nn.Module:
        """Make the network, in evaluation mode.

        Raises:
            CompileError: F036, it can't be made; F037, the weights are not its own; F038, R010.
        """
        from nhwcc.frontends.torch import ModuleSpec

        return ModuleSpec(self.name, self.arguments, self.weights, self.path, self.unsafe).load()


def _check_file(path: Path) -> None:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as bad:
        near = [p.name for p in path.parent.glob("*.py")] if path.parent.is_dir() else []
        raise error("F036", f"can't import {path}: {reason(bad)}", help=did_you_mean(path.name, near)) from bad
    try:
        ast.parse(text)
    except (SyntaxError, ValueError) as bad:
        where = f"{path}:{bad.lineno}" if isinstance(bad, SyntaxError) else str(path)
        raise error("F036", f"can't import {path}: it is not Python", help=f"look at {where}") from bad


def _classes(path: Path) -> str:
    """Return the classes of a file, to choose from."""
    try:
        body = ast.parse(path.read_text(encoding="utf-8")).body
    except (OSError, ValueError, SyntaxError):
        return "Class"
    return ", or :".join(node.name for node in body if isinstance(node, ast.ClassDef)) or "Class"
