"""Several networks in one file, each called by a key: compiled one by one, then written together."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from nhwcc.artifact import Artifact
from nhwcc.backends.common.target import Target
from nhwcc.backends.registry import find_target, target_of_file
from nhwcc.compiler.budget import limited, timed
from nhwcc.compiler.diagnostics import error
from nhwcc.compiler.ir import Module
from nhwcc.compiler.plugins import blaming
from nhwcc.driver import Progress, compile_part, silent
from nhwcc.file_formats import supported
from nhwcc.files import replacing
from nhwcc.formats.tensorflow.saved_model import read_contents
from nhwcc.formats.tflite.reader import inspect
from nhwcc.options import ALL, CompileOptions, Model, PathLike
from nhwcc.pipelines import register_passes
from nhwcc.request import check_request
from nhwcc.runners.bounded import Bounded
from nhwcc.targets import TargetRunner, open_runner, signatures_of, start_runtime
from nhwcc.verification import Settings, verify

Part: TypeAlias = "Model | tuple[Model, Mapping[str, Any]]"
"""A model, or one with the options that are its own, such as the shapes of its inputs."""


@dataclass(frozen=True)
class _Made:
    """A network that is compiled: what was made of it alone, and what goes into the file."""

    alone: Artifact
    module: Module


def compile_signatures(
    parts: Mapping[str, Part],
    output: PathLike,
    options: CompileOptions,
    progress: Progress = silent,
    started: float | None = None,
) -> list[Artifact]:
    """Compile networks into one file, each of them a signature; weights that they share are stored once.

    Each is compiled and compared with its source as if it were alone, and called in the file to compare it with that.

    Raises:
        VerificationError: R020, one computes something else than its source, or in the file than alone.
        CompileError: L007, the target's files hold one network; everything else that can be wrong with one of them.
    """
    started = time.perf_counter() if started is None else started
    with limited(options.budget), blaming():
        own = {key: _asked(part, options) for key, part in parts.items()}
        _check(own, output, options)
        made: dict[str, _Made] = {}
        target = _target(output, options)
        for key, (model, asked) in own.items():
            progress(f"signature {key}")
            alone, module, target = compile_part(model, replace(asked, target=target.name), progress, started)
            made[key] = _Made(alone, module)
        return _written(made, Path(output), target, options, progress)


def _asked(part: Part, options: CompileOptions) -> tuple[Model, CompileOptions]:
    """Return a model and how it is to be compiled."""
    model, more = part if isinstance(part, tuple) else (part, dict[str, Any]())
    return model, replace(options, output=None, **more)


def _target(output: PathLike, options: CompileOptions) -> Target:
    """Return the target, whose files hold several networks.

    Raises:
        CompileError: L007, they hold one.
    """
    register_passes(options.load)
    target = find_target(options.target or target_of_file(output), options.opset)
    if target.emit_signatures is None:
        help = "write saved_model/ or a .tflite file, or compile one of them: --signature NAME"
        raise error("L007", f"{target.title} files of this kind hold one network, not several signatures", help=help)
    return target


def _check(own: Mapping[str, tuple[Model, CompileOptions]], output: PathLike, options: CompileOptions) -> None:
    """Refuse what can't be before one of them is read.

    Raises:
        CompileError: L007, there is nothing to compile, or a page is asked for, which shows one network; what
            :func:`~nhwcc.request.check_request` finds.
    """
    if not own or not all(own):
        raise error("L007", "there is no signature to compile", help='give each a name: {"encode": model}')
    if options.report is not None:
        raise error("L007", "a report's page shows one network", help="compile one signature alone for its page")
    for model, asked in own.values():
        check_request(model, asked, [output])
    _target(output, options)


def _written(
    made: Mapping[str, _Made], path: Path, target: Target, options: CompileOptions, progress: Progress
) -> list[Artifact]:
    """Write the networks into one file, and compare each in it with what it is alone."""
    assert target.emit_signatures is not None
    progress("writing")
    modules = {key: part.module for key, part in made.items()}
    with replacing(path, folder=target.artifact == "folder") as draft, start_runtime(target) as runtime:
        emitted = target.emit_signatures(modules, draft)
        for key, part in made.items():
            called = signatures_of(target).open_signature(draft, key, runtime)
            called.allocate()
            if options.verify and part.alone.report.verification is not None:
                progress(f"comparing {key}")
                _compare(target, part, called, options)
    artifacts: list[Artifact] = []
    for key, part in made.items():
        report = part.alone.report
        report.signature, report.output, report.bytes, report.requires = key, str(path), emitted.bytes, emitted.requires
        artifacts.append(Artifact(path, report, signature=key))
    return artifacts


def _compare(target: Target, part: _Made, called: TargetRunner, options: CompileOptions) -> None:
    """Compare a network in the file with what it is in a file of its own.

    Raises:
        VerificationError: R020, it computes something else.
    """
    with start_runtime(target) as runtime, timed():
        alone = Bounded(open_runner(target, part.alone.path, runtime), part.module.main)
        found = verify(alone, called, Settings(data=options.data, seed=options.seed))
        if any(not o.difference.ok for o in found.outputs):
            raise found.problems("nothing was written; compile each signature into a file of its own")


def parts_of(model: Model, wanted: Sequence[str], options: CompileOptions) -> dict[str, Part]:
    """Return the signatures of a model that are asked for, or all, each with the shapes that are about its inputs.

    Raises:
        CompileError: L007, the model has no signatures; F018, it has none of a name; R010, it can't be read.
    """
    there = _inputs_by_signature(model)
    keys = [*there] if ALL in wanted else [*dict.fromkeys(wanted)]
    missing = next((key for key in keys if key not in there), None)
    if missing is not None:
        known = ", ".join(map(repr, there))
        raise error("F018", f"there is no signature {missing!r}", help=f"There are {known}.")
    inputs = {name for key in keys for name in there[key]}
    given = options.shapes or {}
    return {
        key: (
            model,
            {"signature": key, "shapes": {n: s for n, s in given.items() if n in there[key] or n not in inputs}},
        )
        for key in keys
    }


def _inputs_by_signature(model: Model) -> dict[str, list[str]]:
    """Return the names of the inputs of each signature.

    Raises:
        CompileError: L007, there is none; R010, the model can't be read.
    """
    path = Path(model) if isinstance(model, str | os.PathLike) else None
    kind = "" if path is None else supported(path).name
    found: dict[str, list[str]] = {}
    if path is not None and kind == "tflite":
        found = {s.key: [*s.inputs] for s in inspect(path).signatures}
    elif path is not None and kind == "tensorflow":
        found = {s.key: [*s.inputs] for s in read_contents(path).signatures}
    if not found:
        help = "--signature is for SavedModels and TFLite files; --outputs takes a part of others"
        raise error("L007", f"{path or 'the model'} has no signatures to choose from", help=help)
    return found
