"""Flags about PyTorch modules: which class, with which weights."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from nhwcc.options import Model

_OPTIONS: list[Callable[..., Any]] = [
    click.option(
        "--module",
        "spec",
        metavar="PACKAGE.MODULE:CLASS",
        help="Compile a PyTorch module: the class, or a function that returns one. FILE.py:CLASS names a file.",
    ),
    click.option(
        "--args",
        "arguments",
        default="",
        metavar="ARGS",
        help="Arguments for the class or function of --module, as in Python: '64, classes=10'.",
    ),
    click.option(
        "--weights",
        type=click.Path(path_type=Path),
        help="The weights of the --module (.pth, .pt), or of an .xml (.bin).",
    ),
    click.option(
        "--python-path",
        multiple=True,
        type=click.Path(path_type=Path),
        help="A folder in which Python also looks for modules.",
    ),
    click.option(
        "--unsafe-load",
        is_flag=True,
        help="Read PyTorch and Keras files even if reading them runs code that they contain.",
    ),
]


@dataclass(frozen=True)
class ModuleFlags:
    """The values of the flags that name a PyTorch module, its arguments and its weights."""

    spec: str | None
    arguments: str
    weights: Path | None
    python_path: tuple[Path, ...]
    unsafe_load: bool

    @property
    def options(self) -> dict[str, Any]:
        """The options of a compilation that are among them."""
        return {"unsafe_load": self.unsafe_load, "weights": None if self.spec else self.weights}

    def model(self, path: Path | None) -> Model:
        """Return what is to be compiled: the file, or the module.

        Raises:
            click.UsageError: neither was given, or both; or what belongs to a module is given with a file.
        """
        if path is None and self.spec is None:
            raise click.UsageError("give either a MODEL or --module PACKAGE.MODULE:CLASS")
        if path is not None and self.spec is not None:
            raise click.UsageError(f"both the model {path} and --module {self.spec} are given; give one of them")
        if self.spec is not None:
            from nhwcc.named import NamedModule

            return NamedModule(self.spec, self.arguments, self.weights, self.python_path, self.unsafe_load)
        assert path is not None
        own_weights = None if path.suffix.lower() == ".xml" else self.weights
        for option, value in (("--weights", own_weights), ("--args", self.arguments)):
            if value:
                raise click.UsageError(f"{option} belongs to --module PACKAGE.MODULE:CLASS; {path} is a file")
        return path


def module_flags(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the flags about modules; the command gets them as one argument, ``module``."""

    @functools.wraps(command)
    def wrapper(**given: Any) -> Any:
        said: dict[str, Any] = {f.name: given.pop(f.name) for f in fields(ModuleFlags)}
        return command(module=ModuleFlags(**said), **given)

    out: Callable[..., Any] = wrapper
    for option in reversed(_OPTIONS):
        out = option(out)
    return out
