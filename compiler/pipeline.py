"""Passes, which are registered by name with options, and pipelines of them."""

from __future__ import annotations

import re
import typing
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, field, fields
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, ClassVar, TypeVar, dataclass_transform

from .diagnostics import did_you_mean, error
from .ir import Module

PASSES: dict[str, type[Pass]] = {}
"""All registered passes by name."""


@dataclass(frozen=True)
class Pass(ABC):
    """A named transformation of a module. Its fields are its options.

    ``after_quantization`` says that it looks at what is in the file in the end: integers where these are asked for.
    """

    name: ClassVar[str]
    after_quantization: ClassVar[bool] = False

    @abstractmethod
    def run(self, module: Module) -> None:
        """Transform ``module`` in place."""

    def __str__(self) -> str:
        set_ = {
            f.name.replace("_", "-"): getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default
        }
        return self.name + (f"{{{','.join(f'{k}={_show(v)}' for k, v in set_.items())}}}" if set_ else "")


P = TypeVar("P", bound=Pass)


@dataclass_transform(frozen_default=True, kw_only_default=True)
def register(name: str) -> Callable[[type[P]], type[P]]:
    """Declare a pass under its command line name; the docstring is its help text."""

    def wrap(cls: type[P]) -> type[P]:
        if not cls.__doc__:
            raise TypeError(f"pass {name!r} needs a docstring: it is its help text")
        made = dataclass(frozen=True, kw_only=True)(cls)
        made.name = name
        if PASSES.setdefault(name, made) is not made:
            raise TypeError(f"pass {name!r} is registered twice")
        return made

    return wrap


def discover(package: str) -> None:
    """Import every module of a package, so that what they declare registers."""
    root = import_module(package)
    for module in iter_modules(root.__path__):
        import_module(f"{package}.{module.name}")


DEFAULT = "default"
"""Stands in a pipeline for the passes of the target's own."""

_ITEM = re.compile(r"\s*([a-z][a-z0-9-]*)(?:\{([^}]*)\})?\s*(?:,|$)")


def parse_pipeline(text: str, default: str = "") -> list[Pass]:
    """Read ``canonicalize,fold-constants{max-bytes=64}``; ``default`` in it stands for all passes of that pipeline.

    Raises:
        CompileError: L001 malformed, L002 unknown pass, L003 unknown option, L004 bad or missing value.
    """
    out: list[Pass] = []
    position = 0
    while text[position:].strip():
        item = _ITEM.match(text, position)
        if item is None:
            raise error("L001", f"malformed pipeline at column {position + 1}", excerpt=f"{text}\n{' ' * position}^")
        if item.group(1) == DEFAULT and item.group(2) is None:
            out += parse_pipeline(default)
        else:
            out.append(_instantiate(_find(item, text), item.group(2) or ""))
        position = item.end()
    return out


def _find(item: re.Match[str], text: str) -> type[Pass]:
    name = item.group(1)
    if name in PASSES:
        return PASSES[name]
    excerpt = f"{text}\n{' ' * item.start(1)}{'^' * len(name)}"
    help = did_you_mean(name, PASSES) or "nhwcc passes lists them"
    raise error("L002", f"no pass named {name!r}", excerpt=excerpt, help=help)


def _instantiate(cls: type[Pass], text: str) -> Pass:
    options = {f.name: f for f in fields(cls)}
    values: dict[str, Any] = {}
    for pair in re.split(r"[,\s]+", text.strip()) if text.strip() else []:
        key, _, value = pair.partition("=")
        option = options.get(key.replace("-", "_"))
        if option is None:
            names = ", ".join(n.replace("_", "-") for n in options) or "none"
            raise error("L003", f"pass {cls.name!r} has no option {key!r}", help=f"its options: {names}")
        values[option.name] = read_option(cls, option.name, value)
    missing = [
        k for k, f in options.items() if f.default is MISSING and f.default_factory is MISSING and k not in values
    ]
    if missing:
        raise error("L004", f"pass {cls.name!r} needs a value for {', '.join(missing)}")
    return cls(**values)


def read_option(cls: type[Pass], name: str, text: str) -> Any:
    """Read the value of a pass's option.

    Raises:
        CompileError: L004, it is no such value.
    """
    kind = typing.get_type_hints(cls)[name]
    try:
        if kind is bool:
            return {"": True, "true": True, "false": False}[text]
        if kind is int or kind is float:
            return kind(text)
        choices = typing.get_args(kind) if typing.get_origin(kind) is typing.Literal else None
        if choices and text not in choices:
            raise ValueError(f"one of {', '.join(map(str, choices))}")
        return text
    except (ValueError, KeyError) as bad:
        shown = f"{cls.name}{{{name.replace('_', '-')}={text}}}"
        what = {bool: "true or false", int: "a whole number", float: "a number"}.get(kind) or str(bad)
        raise error("L004", f"bad value in {shown}: it must be {what}") from bad


def _show(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass
class Pipeline:
    """Runs passes in order; ``before`` and ``after`` see the module around each, with the pass's number."""

    passes: Sequence[Pass]
    before: list[Callable[[int, Pass, Module], None]] = field(
        default_factory=lambda: list[Callable[[int, Pass, Module], None]]()
    )
    after: list[Callable[[int, Pass, Module], None]] = field(
        default_factory=lambda: list[Callable[[int, Pass, Module], None]]()
    )

    def run(self, module: Module) -> None:
        """Run all passes; an error gets a note that names the guilty one."""
        for number, p in enumerate(self.passes, 1):
            for watch in self.before:
                watch(number, p, module)
            try:
                p.run(module)
            except Exception as bad:
                bad.add_note(f"while running pass {p} (number {number} of {','.join(q.name for q in self.passes)})")
                raise
            for watch in self.after:
                watch(number, p, module)
