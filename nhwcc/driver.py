"""Compiling: read, run passes, write, check; the file appears when all of it went well."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from nhwcc.artifact import Artifact
from nhwcc.backends.registry import find_target
from nhwcc.compiler.budget import limited, timed
from nhwcc.compiler.diagnostics import CompileError, Remark, collect_remarks, remark
from nhwcc.compiler.ir import Module
from nhwcc.compiler.plugins import blaming
from nhwcc.compiler.scratch import Scratch
from nhwcc.compiler.workload import check_run
from nhwcc.cut import Cut
from nhwcc.feeds import read_data
from nhwcc.files import check_not_source, replacing, scratch
from nhwcc.instruments import Stage, Watch, run_passes
from nhwcc.interface import Interface
from nhwcc.memory import peak_memory
from nhwcc.options import TOLERANCE, CompileOptions, Model
from nhwcc.passes.layout.proof import LayoutProof
from nhwcc.pipelines import build_pipeline, check_layouts, register_passes
from nhwcc.precision import attainable
from nhwcc.pytorch import Call, TorchSource
from nhwcc.report import Report, count_ops, describe_layout, describe_passes, describe_ports
from nhwcc.request import check_request
from nhwcc.runners import Runner
from nhwcc.runners.bounded import Bounded
from nhwcc.shapes import read_shapes
from nhwcc.source import Source
from nhwcc.streaming import Streaming
from nhwcc.targets import open_runner, start_runtime
from nhwcc.verification import Settings, Verification, verify

AnySource: TypeAlias = Source | TorchSource | Streaming
"""What can be read, and run as it is."""

Progress = Callable[[str], None]
"""Is told what happens next."""


def silent(step: str) -> None:
    """Show no progress."""


def compile_model(
    model: Model, options: CompileOptions, progress: Progress = silent, started: float | None = None
) -> Artifact:
    """Compile a model; see :class:`~nhwcc.options.CompileOptions` for what can be asked.

    The time that the report states counts from ``started``, a value of ``time.perf_counter``, else from now on.

    Raises:
        VerificationError: R020, the result computes something else than the source; R021, a pass changed numbers.
        CompileError: everything else that can be wrong, before anything is written.
    """
    with limited(options.budget), blaming():
        started = time.perf_counter() if started is None else started
        check_request(model, options)
        if options.output is not None:
            return _Compilation(options, progress, started).run(model, Path(options.output), None)
        folder = scratch()
        return _Compilation(options, progress, started).run(model, folder.path / "model.tflite", folder)


class _Compilation:
    def __init__(self, options: CompileOptions, progress: Progress, started: float) -> None:
        self.options = options
        self.progress = progress
        self.start = started
        self.cut = Cut(read_shapes(options.shapes), options.inputs, options.outputs, options.allow_custom_ops)
        self.call = Call(
            options.args,
            options.kwargs,
            options.dynamic_shapes,
            options.unsafe_load,
            options.state,
        )
        self.interface = Interface(
            options.input_names, options.output_names, options.rename, options.drop_unused_inputs
        )
        self.settings = Settings(options.tolerance, options.data, options.seed)

    def run(self, model: Model, output: Path, folder: Scratch | None) -> Artifact:
        with collect_remarks() as remarks, ExitStack() as stack:
            target = find_target(self.options.target)
            register_passes(self.options.load)
            passes = build_pipeline(self.options, target.pipeline)
            for instrument in self.options.instruments:
                instrument.check(passes)
            runtime = stack.enter_context(start_runtime(self.options.target))
            source: AnySource = Source.of(model, self.call)
            source = Streaming(source) if self.options.state == "io" else source
            self.progress(f"reading {source.title}")
            module = source.load(self.cut)
            renaming = self.interface.apply(module)
            self._check_request(source, module, output)
            if self.options.verify:
                check_run(module.main)
            self.settings = self._within_reach(module)
            report = Report(source.title, None if folder else str(output), self.options.target)
            report.ops_before = count_ops(module)
            stages = run_passes(module, passes, [Watch(self.progress), *self.options.instruments])
            with replacing(output) as draft:
                self.progress("writing")
                emitted = target.emit(module, draft)
                report.peak_memory = peak_memory()
                report.seconds = time.perf_counter() - self.start
                candidate = open_runner(self.options.target, draft, runtime, fast=self.options.verify)
                report.custom_ops = list(emitted.custom_ops)
                try:
                    check_run(module.main)
                    candidate.allocate()
                    if self.options.verify:
                        self.progress("verifying")
                        reference = source.runner(self.cut, renaming.types, renaming.results)
                        report.verification = self._verify(Bounded(renaming.of(reference), module.main), candidate)
                except CompileError as bad:
                    report.not_verified = _why_not(bad, emitted.custom_ops)
            report.bytes, report.min_runtime = emitted.bytes, emitted.min_runtime
            report.ops_after = dict(emitted.ops.most_common())
            self._finish(report, module, stages, remarks)
        return Artifact(output, report, folder)

    def _check_request(self, source: AnySource, module: Module, output: Path) -> None:
        """Check what only the imported module can tell."""
        check_layouts(self.options.io_layout, module)
        check_not_source(output, source.files(module))
        if self.options.verify:
            func = module.main
            read_data(self.options.data, {p.name: a.type for p, a in zip(func.inputs, func.args, strict=True)})

    def _within_reach(self, module: Module) -> Settings:
        """Return the settings with the tolerance that the source's element types allow, unless its user set one."""
        error, dtype = attainable(module)
        if self.options.tolerance != TOLERANCE or error <= TOLERANCE:
            return self.settings
        remark(Remark("note", "verify", f"the tolerance is {error:.2g}, since the source rounds to {dtype}"))
        return replace(self.settings, tolerance=error)

    def _verify(self, reference: Runner, candidate: Runner) -> Verification:
        """Compare what was written with what runs the source."""
        with timed():
            found = verify(reference, candidate, self.settings)
        if not found.ok:
            raise found.problems()
        return found

    def _finish(self, report: Report, module: Module, stages: list[Stage], remarks: list[Remark]) -> None:
        func = module.main
        report.inputs = describe_ports(func.inputs, func.args)
        report.outputs = describe_ports(func.outputs, func.returns)
        report.transposes_before = report.ops_before.get("transpose", 0)
        report.transposes_after = report.ops_after.get("TRANSPOSE", 0)
        report.layout_proof = LayoutProof.of(remarks, report.transposes_after)
        report.layout = describe_layout(report.layout_proof, remarks)
        report.passes = describe_passes(stages)
        report.remarks = remarks
        report.verification_seconds = time.perf_counter() - self.start - report.seconds


def _why_not(bad: CompileError, custom_ops: Sequence[str]) -> str:
    """Say why a file can't be verified if that is because of custom operators.

    Raises:
        CompileError: it is for another reason.
    """
    if not custom_ops or any(d.code not in ("R001", "R023") for d in bad.diagnostics):
        raise bad
    return "; ".join(d.message for d in bad.diagnostics)
