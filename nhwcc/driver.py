"""Compiling: read, run passes, write, check; the file appears when all of it went well."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nhwcc.artifact import Artifact
from nhwcc.backends.common.target import Emitted, Target
from nhwcc.backends.registry import find_target, target_of_file
from nhwcc.compiler.budget import limited, timed
from nhwcc.compiler.clone import clone_module
from nhwcc.compiler.diagnostics import CompileError, Remark, collect_remarks, error, remark
from nhwcc.compiler.ir import Module
from nhwcc.compiler.options import DataType
from nhwcc.compiler.pipeline import Pass
from nhwcc.compiler.plugins import blaming
from nhwcc.compiler.refinement import refined
from nhwcc.compiler.scratch import Scratch
from nhwcc.compiler.types import TensorType
from nhwcc.compiler.weights import Weight
from nhwcc.compiler.workload import check_run
from nhwcc.cut import Cut
from nhwcc.data import read_data
from nhwcc.domains import constants, domains
from nhwcc.files import check_not_beside, check_not_source, replacing, scratch
from nhwcc.instruments import Watch, run_passes
from nhwcc.interface import Interface, Renaming
from nhwcc.kept_states import first_states
from nhwcc.memory import peak_memory
from nhwcc.nan_inputs import warn_of_nan
from nhwcc.options import TOLERANCE, CompileOptions, Model, PathLike
from nhwcc.page.snapshots import Snapshots, write_page
from nhwcc.passes.layout.proof import LayoutProof
from nhwcc.pipelines import build_pipeline, check_layouts, register_passes
from nhwcc.precision import attainable, output_steps, single_sequences
from nhwcc.report import Report, count_ops, describe_layout, describe_passes, describe_ports
from nhwcc.request import check_integers, check_io_dtypes, check_request
from nhwcc.runners import Runner
from nhwcc.runners.bounded import Bounded
from nhwcc.runners.worker import Worker
from nhwcc.shapes import read_shapes
from nhwcc.size_domains import advising, sized_inputs
from nhwcc.sources import Source, source_of
from nhwcc.sources.call import Call
from nhwcc.streaming import Streaming
from nhwcc.targets import open_runner, start_runtime
from nhwcc.verification import Settings, Verification, verify

if TYPE_CHECKING:
    from nhwcc.quantization.session import Session

AS_IT_WAS = "nothing was written; --check-each finds the pass that did it, --no-verify writes the file as it is"
"""What can be done about wrong numbers."""

INSIDE = {"int8": "int8", "int16x8": "int16"}
"""What inputs and outputs of a device of integers are where nothing else is said, by the mode of quantization."""

SWIFT = 1.0
"""Seconds that verification may have taken for one run more, on NaN."""

ANY = 1e9
"""A tolerance that is never exceeded: what is compared is only measured."""

Progress = Callable[[str], None]
"""Is told what happens next."""


def silent(step: str) -> None:
    """Take what would be shown as progress, and show nothing."""


def compile_model(
    model: Model, options: CompileOptions, progress: Progress = silent, started: float | None = None
) -> Artifact:
    """Compile a model; see :class:`~nhwcc.options.CompileOptions` for what can be asked.

    The time that the report states counts from ``started``, a value of ``time.perf_counter``, else from now on.

    Raises:
        VerificationError: R020, the result computes something else than the source; R021, a pass changed numbers.
        CompileError: everything else that can be wrong, before anything is written.
    """
    return compile_all(model, options, [options.output], progress, started)[0]


def compile_all(
    model: Model,
    options: CompileOptions,
    outputs: Sequence[PathLike | None],
    progress: Progress = silent,
    started: float | None = None,
) -> list[Artifact]:
    """Compile a model into several files, which is read once; all of them appear, or none.

    Raises:
        CompileError: as :func:`compile_model`.
    """
    with limited(options.budget), blaming():
        started = time.perf_counter() if started is None else started
        check_request(model, options, outputs)
        snapshots = [] if options.report is None else [Snapshots()]
        options = replace(options, instruments=[*options.instruments, *snapshots])
        jobs = [_Job.of(output, options) for output in outputs]
        made = [artifact for artifact, _ in _Compilation(options, progress, started).run(model, jobs)]
        for seen in snapshots:
            write_page(seen, [artifact.report for artifact in made], Path(options.report or ""))
        return made


def compile_part(
    model: Model, options: CompileOptions, progress: Progress, started: float
) -> tuple[Artifact, Module, Target]:
    """Compile a model into a temporary file; return the module that is written there, and for which target, besides.

    Raises:
        CompileError: as :func:`compile_model`.
    """
    check_request(model, options, [])
    job = _Job.of(None, options)
    [(artifact, module)] = _Compilation(options, progress, started).run(model, [job])
    return artifact, module, job.target


def calibrate_model(model: Model, options: CompileOptions, output: Path, progress: Progress = silent) -> int:
    """Run a network in floats on samples and write statistics of its values; return how many samples there were.

    Quantizing takes them in place of samples if the model is compiled with the same options.

    Raises:
        CompileError: as :func:`compile_model`.
    """
    with limited(options.budget), blaming():
        check_request(model, replace(options, output=None), [])
        job = _Job.of(None, options)
        return _Compilation(options, progress, time.perf_counter()).calibrate(model, job, output)


@dataclass(frozen=True)
class _Job:
    """A file that is to be written for a target; without a place of its own in a temporary folder."""

    target: Target
    path: Path
    passes: list[Pass]
    folder: Scratch | None = None

    @staticmethod
    def of(output: PathLike | None, options: CompileOptions) -> _Job:
        register_passes(options.load)
        path = None if output is None else Path(output)
        target = _asked(find_target(options.target or target_of_file(output), options.opset), options)
        if options.quantize is not None and target.integers is None:
            raise error("Q003", f"{target.title} files are not quantized yet", help="write a .tflite file")
        if options.quantize not in (None, "auto", *target.modes):
            text = f"{target.title} has no kernels for {options.quantize}"
            raise error("Q003", text, help=f"--quantize takes {', '.join(sorted(target.modes))} for it")
        if options.data_type is not None:
            target = _storing(target, options.data_type)
        passes = build_pipeline(options, target.pipeline)
        if options.quantize is not None:
            passes = [p for p in passes if not p.after_quantization]
        for instrument in options.instruments:
            instrument.check(passes)
        if path is not None:
            return _Job(target, path, passes)
        folder = scratch()
        return _Job(target, folder.path / f"model{target.suffix}", passes, folder)


def _asked(target: Target, options: CompileOptions) -> Target:
    """Return the target, or the one that writes weights as variables.

    Raises:
        CompileError: L007, its files have no variables, or keep no states.
    """
    if options.state == "keep" and target.emit_states is None:
        raise error("L007", f"{target.title} files keep no states", help="write OpenVINO (.xml), or say --state io")
    if not options.variables:
        return target
    if target.with_variables is None:
        raise error("L007", f"{target.title} files of this kind have no variables", help="write saved_model/")
    return target.with_variables()


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
            "refuse" if options.state == "refuse" else "io",
            options.signature,
            None if options.weights is None else Path(options.weights),
            options.by_standard,
        )
        self.interface = Interface(
            options.input_names, options.output_names, options.rename, options.drop_unused_inputs
        )
        inside, strict = options.report is not None, options.tolerance != TOLERANCE
        self.settings = Settings(options.tolerance, options.data, options.seed, inside, strict=strict)

    def run(self, model: Model, jobs: Sequence[_Job]) -> list[tuple[Artifact, Module]]:
        """Return what was made for each job, and the module that its file holds."""
        with ExitStack() as stack:
            runtimes = [stack.enter_context(start_runtime(job.target)) for job in jobs]
            with collect_remarks() as remarks:
                source = source_of(model, replace(self.call, rounds=all(job.target.rounds for job in jobs)))
                source = source if self.options.state == "refuse" else Streaming(source)
                self.progress(f"reading {source.title}")
                module, assumptions = refined(source.load(self.cut))
                renaming = self.interface.apply(module)
                self._check_request(source, module, jobs)
                if self.options.verify:
                    check_run(module.main)
                known = replace(self.settings, domains=domains(module.main), constants=constants(module.main))
                self.settings = self._within_reach(module, known)
            imported = _Imported(source, module, renaming, count_ops(module), time.perf_counter() - self.start, stack)
            modules = [clone_module(module) for _ in jobs[1:]]
            out: list[tuple[Artifact, Module]] = []
            for job, runtime, own in zip(jobs, runtimes, (module, *modules), strict=True):
                draft = stack.enter_context(replacing(job.path, folder=job.target.artifact == "folder"))
                with collect_remarks() as found:
                    report = self._write(imported, own, job, draft, runtime)
                report.remarks = [*remarks, *found]
                report.sizes = [*assumptions]
                self._finish(report, own, job, imported.kept or {})
                out.append((Artifact(job.path, report, job.folder), own))
        return out

    def calibrate(self, model: Model, job: _Job, output: Path) -> int:
        """Compile in floats, run on samples, and write what was seen."""
        from nhwcc.passes.quantization import statistics
        from nhwcc.quantization.session import Session

        with ExitStack() as stack:
            source = source_of(model, self.call)
            self.progress(f"reading {source.title}")
            module, _ = refined(source.load(self.cut))
            self.interface.apply(module)
            check_layouts(self.options.io_layout, module)
            check_not_source(output, source.files(module))
            types = _source_types(module)
            run_passes(module, job.passes, [Watch(self.progress), *self.options.instruments])
            draft = stack.enter_context(replacing(output))
            seen = Session(job.target, self.options, module, types, self.progress, stack).calibrate()
            statistics.save(seen.statistics, draft)
        return seen.count

    def _write(self, imported: _Imported, module: Module, job: _Job, draft: Path, runtime: Worker) -> Report:
        """Run the passes, write the draft of a file, and compare it with the source."""
        begun, target = time.perf_counter() - imported.seconds, job.target
        report = Report(imported.source.title, None if job.folder else str(job.path), target.name)
        report.ops_before = imported.ops
        instruments = [Watch(self.progress), *self.options.instruments]
        with advising(sized_inputs(module.main)):
            report.passes = describe_passes(run_passes(module, job.passes, instruments))
        quantizing = self._quantizing(module, target, imported)
        if quantizing is not None:
            self._check_floats(quantizing, imported, report)
            emitted, report.quantization, stages = quantizing.run(draft, instruments)
            report.passes += describe_passes(stages)
        else:
            if self.options.data_type == "FP16" and self.options.verify:
                self._check_whole(module, target, imported, report)
            self.progress("writing")
            emitted = self._emit(target, module, draft, imported)
        report.peak_memory = peak_memory()
        report.seconds = time.perf_counter() - begun
        report.custom_ops = list(emitted.custom_ops)
        report.bytes, report.requires = emitted.bytes, emitted.requires
        report.ops_after = dict(emitted.ops.most_common())
        report.arena = None if target.arena is None else target.arena(draft)
        report.placement = None if target.place is None else target.place(draft)
        self._check(draft, (module, target, runtime), imported, report)
        report.verification_seconds += time.perf_counter() - begun - report.seconds
        return report

    def _emit(self, target: Target, module: Module, draft: Path, imported: _Imported) -> Emitted:
        """Write a file, which keeps states if it is to."""
        if self.options.state != "keep":
            return target.emit(module, draft)
        assert target.emit_states is not None
        if imported.kept is None:
            imported.kept = first_states(module.main, imported.renamed(self.cut))
        return target.emit_states(imported.kept, module, draft)

    def _check(self, file: Path, made: tuple[Module, Target, Worker], imported: _Imported, report: Report) -> None:
        """Load a file, and compare what it computes with the source if that has not been done with its floats."""
        module, target, runtime = made
        compares = self.options.verify and report.verification is None
        try:
            candidate = open_runner(target, file, runtime, fast=compares)
            check_run(module.main)
            candidate.allocate()
            if compares:
                self.progress("verifying")
                report.verification = self._verify(Bounded(imported.renamed(self.cut), module.main), candidate)
            elif self.options.data_type == "FP16" and self.options.verify:
                self._measure(Bounded(imported.renamed(self.cut), module.main), candidate)
        except CompileError as bad:
            report.not_verified = _why_not(bad, report.custom_ops)

    def _check_whole(self, module: Module, target: Target, imported: _Imported, report: Report) -> None:
        """Compare a file that stores constants as they are with the source: what is lost afterwards is all rounding."""
        assert target.storing is not None
        whole = target.storing("FP32")
        with scratch() as folder, start_runtime(whole) as runtime:
            file = folder.path / f"whole{whole.suffix}"
            self._emit(whole, module, file, imported)
            self._check(file, (module, whole, runtime), imported, report)

    def _measure(self, reference: Runner, candidate: Runner) -> None:
        """Say by how much a file departs that stores constants in 16 bits."""
        with timed():
            found = verify(reference, candidate, replace(self.settings, tolerance=ANY))
        worst = max(found.outputs, key=lambda o: o.difference.relative)
        text = f"constants in 16 bits: {worst.name} departs by {worst.difference.relative:.1e} of its largest value"
        remark(Remark("warning", "verify", text))

    def _quantizing(self, module: Module, target: Target, imported: _Imported) -> Session | None:
        """Return what quantizes a legal module, if that is asked for."""
        if self.options.quantize is None:
            return None
        from nhwcc.quantization.session import Session

        types, options = _source_types(module), self.options
        if target.only_integers and not options.io_dtype:
            options = replace(options, io_dtype=INSIDE.get(options.quantize or ""))
        return Session(target, options, module, types, self.progress, imported.stack)

    def _check_floats(self, quantizing: Session, imported: _Imported, report: Report) -> None:
        """Compare the network in floats with the source: what is lost afterwards is all due to quantization."""
        sample = quantizing.first_sample
        self.settings = replace(self.settings, data=sample)
        made = quantizing.module, quantizing.target, quantizing.runtime
        self._check(quantizing.floats, made, imported, report)

    def _check_request(self, source: Source, module: Module, jobs: Sequence[_Job]) -> None:
        """Check what only the imported module can tell."""
        check_layouts(self.options.io_layout, module)
        check_io_dtypes(self.options, module, splits=self.options.split_outputs)
        files = source.files(module)
        for job in jobs:
            if job.target.only_integers:
                check_integers(job.target.title, module, self.options.quantize)
            check_not_source(job.path, files)
            if job.target.artifact == "pair":
                check_not_beside(job.path, files, job.target.companion)
        if self.options.verify and self.options.quantize is None:
            read_data(self.options.data, _source_types(module))

    def _within_reach(self, module: Module, settings: Settings) -> Settings:
        """Return settings with the tolerance that the source's element types allow, unless its user set one."""
        error, dtype = attainable(module)
        alone = single_sequences(module)
        if alone:
            text = (
                f"compared with {', '.join(f'{n} = 1' for n in alone)}: the source rounds states of sequences together"
            )
            remark(Remark("note", "verify", text))
            settings = replace(settings, sizes=alone)
        if self.options.tolerance != TOLERANCE or error <= TOLERANCE:
            return settings
        settings = replace(settings, steps=output_steps(module))
        remark(Remark("note", "verify", f"the tolerance is {error:.2g}, since the source rounds to {dtype}"))
        return replace(settings, tolerance=error, floor=error)

    def _verify(self, reference: Bounded, candidate: Runner) -> Verification:
        """Compare what was written with what runs the source."""
        begun = time.perf_counter()
        with timed():
            found = verify(reference, candidate, self.settings)
            if not found.ok:
                raise found.problems(AS_IT_WAS)
            if time.perf_counter() - begun < SWIFT:
                sizes = {name: numbers[0] for name, numbers in found.sizes.items()}
                warn_of_nan(reference.func, (reference, candidate), sizes, self.settings.feeding)
        return found

    def _finish(self, report: Report, module: Module, job: _Job, kept: Collection[str]) -> None:
        """Say what is known once the file is written, which has no inputs and outputs for the states that it keeps."""
        func = module.main
        report.inputs = [p for p in describe_ports(func.inputs, func.args) if p.name not in kept]
        report.outputs = [p for p in describe_ports(func.outputs, func.returns) if p.name not in kept]
        report.transposes_before = report.ops_before.get("transpose", 0)
        report.transposes_after = report.ops_after.get(job.target.transpose, 0)
        report.layout_proof = LayoutProof.of(report.remarks, report.transposes_after)
        report.layout = describe_layout(report.layout_proof, report.remarks)


def _storing(target: Target, data_type: DataType) -> Target:
    """Return the target whose files store constants in a type.

    Raises:
        CompileError: L007, there is none.
    """
    if target.storing is None:
        text = f"{target.title} files have no data type of constants to choose, but {data_type} is asked for"
        help = "--data-type is for OpenVINO (.xml), TensorFlow.js (web_model/) and Core ML (.mlpackage)"
        help += "; --quantize float16 for TFLite"
        raise error("L007", text, help=help)
    return target.storing(data_type)


def _source_types(module: Module) -> dict[str, TensorType]:
    """The types of the inputs, as the source has them."""
    func = module.main
    return {p.name: p.source_type(a.type) for p, a in zip(func.inputs, func.args, strict=True)}


@dataclass
class _Imported:
    """What was read: the source, its module, what its interface became, its operations, and how long it took.

    ``kept`` are the states that files keep, once it is known what they begin with.
    """

    source: Source
    module: Module
    renaming: Renaming
    ops: dict[str, int]
    seconds: float
    stack: ExitStack
    kept: dict[str, Weight] | None = None
    _reference: Runner | None = None

    def reference(self, cut: Cut) -> Runner:
        """Return what runs the source."""
        if self._reference is None:
            types, results = self.renaming.types, self.renaming.results
            self._reference = self.source.runner(cut, types, results, self.stack)
        return self._reference

    def renamed(self, cut: Cut) -> Runner:
        """Return what runs the source, under the names that its inputs and outputs have now."""
        return self.renaming.of(self.reference(cut))


def _why_not(bad: CompileError, custom_ops: Sequence[str]) -> str:
    """Say why a file can't be verified if that is because of custom operators, or of the system.

    Raises:
        CompileError: it is for another reason.
    """
    accepted = ("R001", "R023", "R028") if custom_ops else ("R028",)
    if any(d.code not in accepted for d in bad.diagnostics):
        raise bad
    return "; ".join(d.message for d in bad.diagnostics)
