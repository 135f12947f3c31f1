"""Certificates: which files were compared, on what, and how it came out; a second run writes the same bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nhwcc import __version__
from nhwcc.compiler.diagnostics import error, reason
from nhwcc.cut import Cut
from nhwcc.files import replacing
from nhwcc.report import Report
from nhwcc.sources import source_of
from nhwcc.verification import Verification

if TYPE_CHECKING:
    from nhwcc.comparison import Comparison

SCHEMA = 1

DIGITS = 3
"""Significant digits of errors: more would say how a runtime splits sums among threads."""


def of_comparison(reference: Path, candidate: Path, found: Comparison, data: Iterable[Path]) -> dict[str, Any]:
    """Return the certificate of two models that were compared, on the files ``data`` if there were any.

    Raises:
        CompileError: R010, a file can't be read.
    """
    said = _certificate(found.numbers, reference, candidate, data)
    return said if found.decibels is None else {**said, "decibels": _plain(asdict(found.decibels)), "ok": found.ok}


def of_report(
    reference: Path | None, report: Report, options: Mapping[str, str], data: Iterable[Path]
) -> dict[str, Any]:
    """Return the certificate of a file that was compiled and verified.

    Raises:
        CompileError: R010, a file can't be read; R025, nothing was compared.
    """
    if report.verification is None or report.output is None:
        why = report.not_verified or "it was not asked for"
        raise error("R025", f"there is nothing to certify: nothing was compared, {why}")
    proven = report.layout_proof
    proof = None if proven is None else {**asdict(proven), "is_proven": proven.is_proven}
    said = _certificate(report.verification, reference, Path(report.output), data)
    more = {"target": report.target, "requires": report.requires, "options": dict(options), "layout": proof}
    return {**said, **more}


def _certificate(found: Verification, reference: Path | None, candidate: Path, data: Iterable[Path]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "compiler": f"nhwcc {__version__}",
        "reference": {"runtime": found.reference, "sha256": {} if reference is None else digests(reference)},
        "candidate": {"runtime": found.candidate, "sha256": digests(candidate)},
        "data": {"drawn": found.data, "sha256": {path.name: _digest(path) for path in sorted(data)}},
        "sizes": found.sizes,
        "scales": found.scales,
        "tolerance": found.tolerance,
        "outputs": [_plain({"name": o.name, "sizes": o.sizes, **asdict(o.difference)}) for o in found.outputs],
        "ok": found.ok and found.proven,
        "proven": found.proven,
    }


def digests(model: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a model, by its name: of a folder all, else the file and those of its weights.

    Raises:
        CompileError: R010, one can't be read.
    """
    if model.is_dir():
        files = {path.relative_to(model.parent).as_posix(): path for path in model.rglob("*") if path.is_file()}
    else:
        source = source_of(model)
        files = {path.name: path for path in (model, *source.files(source.load(Cut(allow_custom_ops=True))))}
    return {name: _digest(path) for name, path in sorted(files.items())}


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as bad:
        raise error("R010", f"can't read {path}: {reason(bad)}") from bad


def _plain(value: Any) -> Any:
    """Return plain data with rounded numbers; infinities and NaN, which JSON lacks, are strings."""
    match value:
        case float():
            rounded = float(f"{value:.{DIGITS}g}")
            return rounded if rounded - rounded == 0 else str(rounded)
        case dict():
            return {str(k): _plain(v) for k, v in value.items()}  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        case list() | tuple():
            return [_plain(v) for v in value]  # pyright: ignore[reportUnknownVariableType]
        case _:
            return value


def write_certificate(said: Mapping[str, Any], path: Path) -> None:
    """Write a certificate as JSON, its keys in order.

    Raises:
        CompileError: R012.
    """
    with replacing(path) as draft:
        draft.write_text(json.dumps(said, indent=2, sort_keys=True, allow_nan=False) + "\n", encoding="utf-8")
