"""Lark, seen through one typed door: a grammar beside a module becomes its parser."""

# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lark import Lark, Transformer
from lark.exceptions import UnexpectedInput
from lark.lexer import PatternStr

from .diagnostics import CompileError, error


def parser(grammar: Path, actions: type) -> Callable[[str, str], Any]:
    """Return ``parse(text, file)`` for a grammar file.

    ``actions`` has one method per rule, called with the rule's children while parsing; no tree is built in between.
    What they raise gets the file's name.
    """
    transformer = type(actions.__name__, (actions, Transformer), {})()
    lark = Lark(grammar.read_text(encoding="utf-8"), parser="lalr", maybe_placeholders=True, transformer=transformer)

    def parse(text: str, file: str) -> Any:
        try:
            return lark.parse(text)
        except UnexpectedInput as bad:
            written = {t.name: t.pattern.value for t in lark.terminals if isinstance(t.pattern, PatternStr)}
            raise _syntax_error(bad, text, file, written) from None
        except CompileError as bad:
            for problem in bad.diagnostics:
                problem.message = f"{file}: {problem.message}"
            raise CompileError(*bad.diagnostics) from bad.__cause__

    return parse


def _syntax_error(bad: UnexpectedInput, text: str, file: str, written: Mapping[str, str]) -> CompileError:
    """Say what could have followed: a token by its characters, as far as it is always ``written`` with the same."""
    place = f"{file}:{bad.line}:{bad.column}"
    wanted: set[str] = (
        getattr(bad, "accepts", None) or getattr(bad, "expected", None) or getattr(bad, "allowed", None) or set()
    )
    names = ", ".join(sorted(written.get(name, name) for name in wanted))
    return error(
        "P001",
        f"{place}: syntax error",
        excerpt=bad.get_context(text).rstrip(),
        help=f"expected {names}" if names else None,
    )
