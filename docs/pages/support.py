"""docs/support.md: which operators are read; printed from the registry of the frontend and the standard itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from nhwcc.frontends.onnx import import_onnx as _importer  # noqa: F401  # pyright: ignore[reportUnusedImport]
from nhwcc.frontends.onnx.importer import OLDEST
from nhwcc.frontends.onnx.registry import HANDLERS
from onnx import defs

from pages.markdown import page, prose, table

INTRO = """Every operator of a model must be read by the frontend, and every operation of the IR that it becomes must
run on the target. What is missing is reported with all its places at once, and can be cut off with `--inputs` and
`--outputs`."""

ONNX = """Operator sets {oldest} to {newest}. *Definition* means that the operator is read as the function by which the
standard defines it, if all operators in there are read. A model's own functions are read, too."""

NOT_READ = "Not read: {names}."


def support() -> str:
    """Print the page."""
    newest = defs.onnx_opset_version()
    rows, missing = list(_rows()), [name for name, how in _others() if not how]
    rows += [(f"`{name}`", how) for name, how in _others() if how]
    return page(
        "What is supported",
        INTRO,
        "## ONNX operators",
        prose(ONNX.format(oldest=OLDEST, newest=newest)),
        table(("operator", "versions"), sorted(rows)),
        NOT_READ.format(names=", ".join(f"`{name}`" for name in missing)),
    )


def _rows() -> Iterator[tuple[str, str]]:
    """Operators with a handler."""
    for (domain, name), entries in HANDLERS.items():
        ranges = sorted((e.since, e.until) for e in entries)
        since, until = ranges[0][0], ranges[-1][1]
        versions = f"{since} and later" if until is None else f"{since} to {until}"
        yield f"`{domain}.{name}`" if domain else f"`{name}`", versions


def _others() -> Iterator[tuple[str, str]]:
    """Operators of the standard without a handler: whether a definition stands in."""
    for name in sorted({s.name for s in defs.get_all_schemas() if s.domain == ""}):
        schema = cast(Any, defs.get_schema(name))  # the stubs leave out its functions
        if ("", name) not in HANDLERS and not schema.deprecated:
            has_body = schema.has_function or schema.has_context_dependent_function
            yield name, "definition" if has_body else ""
