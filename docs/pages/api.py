"""docs/api.md: the functions that users call, with every argument, and the objects that they return."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from nhwcc.compiler.diagnostics import Diagnostic

import nhwcc
from nhwcc.numerics import Difference
from nhwcc.quantization.report import QuantizationReport
from nhwcc.report import PassReport, PortReport, Report
from nhwcc.testing import Case
from nhwcc.verification import Compared, Verification
from pages.markdown import code, page, prose, table

INTRO = """Everything below is in the package `nhwcc` unless its name says otherwise. Errors are `nhwcc.CompileError`:
its `diagnostics` have a code, a message, a place and a way out each ([errors.md](errors.md)). In notebooks, what is
returned shows itself."""

FUNCTIONS: list[Callable[..., Any]] = [
    nhwcc.compile,
    nhwcc.compile_all,
    nhwcc.compile_signatures,
    nhwcc.verify,
    nhwcc.load,
]
REPORTS: list[type] = [
    Report,
    PortReport,
    PassReport,
    Verification,
    Compared,
    Difference,
    QuantizationReport,
    Diagnostic,
]

JSON = """`report.to_dict()`, and `--json` on the command line, give these fields as JSON, with `"schema"` beside them:
its number changes when a field goes or gets another meaning."""

EXAMPLE = """import nhwcc

artifact = nhwcc.compile("model.onnx", "model.tflite", io_layout="keep")
artifact.report.verification.ok
nhwcc.verify("model.onnx", "model.tflite", per_op=True).ok"""


class Described(NamedTuple):
    """A docstring in parts: what it says first, and of each argument."""

    text: str
    arguments: dict[str, str]


def described(thing: object) -> Described:
    """Take a docstring apart."""
    text, _, more = (inspect.getdoc(thing) or "").partition("\n\nArgs:\n")
    told = re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", more.partition("\n\nRaises:")[0], re.MULTILINE)
    return Described(text.partition("\n\nRaises:")[0], {name: " ".join(line.split()) for name, line in told})


def api() -> str:
    """Print the page."""
    functions = [part for function in FUNCTIONS for part in _function(function)]
    reports = [part for cls in REPORTS for part in _fields(cls)]
    return page(
        "The Python API",
        INTRO,
        code(EXAMPLE, "python"),
        *functions,
        "## Artifact",
        prose(inspect.getdoc(nhwcc.Artifact) or ""),
        table(("", ""), [(f"`{name}`", _first(method)) for name, method in _methods(nhwcc.Artifact)]),
        "## Reports",
        JSON,
        *reports,
        "## nhwcc.testing.Case",
        prose(inspect.getdoc(Case) or ""),
    )


def _function(function: Callable[..., Any]) -> Iterator[str]:
    """Yield a section: what it does, then its arguments."""
    told = described(function)
    yield f"## nhwcc.{function.__name__}"
    yield prose(told.text)
    stated = inspect.signature(function).parameters
    rows = [
        (f"`{name}`", f"`{stated[name].annotation}`", _default(stated[name].default), prose(text))
        for name, text in told.arguments.items()
    ]
    yield table(("argument", "type", "default", ""), rows)


def _default(value: object) -> str:
    return "" if value is inspect.Parameter.empty else f"`{value!r}`"


def _fields(cls: Any) -> Iterator[str]:
    """Yield a section about plain data: its docstring, and its fields with their types."""
    yield f"### {cls.__name__}"
    yield prose(inspect.getdoc(cls) or "")
    yield table(("field", "type"), [(f"`{f.name}`", f"`{f.type}`") for f in dataclasses.fields(cls)])


def _methods(cls: type) -> Iterator[tuple[str, Callable[..., Any]]]:
    yield "artifact(...)", cls.__call__
    yield from ((f"artifact.{n}(...)", m) for n, m in vars(cls).items() if callable(m) and not n.startswith("_"))


def _first(function: Callable[..., Any]) -> str:
    return prose((inspect.getdoc(function) or "").partition("\n")[0])
