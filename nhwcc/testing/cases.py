"""Cases: what a pipeline makes of a module, as text, compared by structure and by what both compute."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from nhwcc.compiler import ops as _ops  # noqa: F401  # pyright: ignore[reportUnusedImport] -- declares operations
from nhwcc.compiler.diagnostics import CompileError, Remark, collect_remarks
from nhwcc.compiler.interpreter import random_inputs, run
from nhwcc.compiler.ir import Func, Module
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.pipeline import Pass, Pipeline
from nhwcc.compiler.printer import print_module
from nhwcc.compiler.types import Array
from nhwcc.compiler.verify import verify
from nhwcc.options import CompileOptions, PathLike
from nhwcc.pipelines import build_pipeline, register_passes

SEPARATOR, BECOMES = "// -----\n", "// becomes\n"
"""Lines that separate cases, and the two sides of one."""


@dataclass(frozen=True)
class Case:
    """A case of a file: comments that say what is done, IR before, ``// becomes``, IR after.

    - ``// passes: PIPELINE`` is what runs, ``// rules: FILE`` rules that are applied before;
    - ``// load: FILE.py`` brings passes or operations; files are looked for beside the case's own;
    - ``// expect-error: CODE`` says that the pipeline fails, in which case there is no IR after;
    - ``// expect-missed: RULE: REASON`` says that a rule nearly fires, and why it does not.

    The first other comment is the name.
    """

    path: Path
    number: int
    text: str

    @property
    def name(self) -> str:
        """The first comment that says nothing else, or the number in the file."""
        title = re.search(r"^// (?!passes:|rules:|load:|becomes|expect-)(.+)$", self.text, re.MULTILINE)
        return title[1] if title else str(self.number)

    def check(self) -> None:
        """Run the case.

        Raises:
            AssertionError: the result is another one, computes something else, or what is expected does not happen.
            CompileError: something can't be read, or the pipeline fails.
        """
        result = self.result()
        if result is not None:
            expected = print_module(parse_module(self._after, self.path.name))
            assert result == expected, f"{self.name}: it becomes\n{result}\nwhich should be\n{expected}"

    def result(self) -> str | None:
        """Return what the IR becomes, once it is known to compute the same; None if an error is expected and comes."""
        passes = self._passes()
        module, original = parse_module(self._before, self.path.name), parse_module(self._before, self.path.name)
        verify(module)
        pipeline = Pipeline(passes, after=[lambda _number, _pass, now: verify(now)])
        if errors := self._said("expect-error"):
            assert self._errors(pipeline, module) == errors, f"{self.name}: {', '.join(errors)} is expected"
            return None
        with collect_remarks() as remarks:
            pipeline.run(module)
        self._check_missed(remarks)
        compare(module, original, self.name)
        return print_module(module)

    def blessed(self) -> str:
        """Return the text of the case with what the IR becomes now; numbers are compared all the same."""
        result = self.result()
        return self.text if result is None else f"{self._before}{BECOMES}{result}"

    @cached_property
    def _before(self) -> str:
        return self.text.partition(BECOMES)[0]

    @cached_property
    def _after(self) -> str:
        return self.text.partition(BECOMES)[2]

    def _said(self, what: str) -> list[str]:
        return re.findall(rf"^// {what}: (.*)$", self._before, re.MULTILINE)

    def _passes(self) -> list[Pass]:
        pipelines, beside = self._said("passes"), self.path.parent
        rules = [beside / name for name in self._said("rules")]
        register_passes([beside / name for name in self._said("load")])
        assert pipelines or rules, f"{self.path}: case {self.name!r} lacks a line '// passes: PIPELINE'"
        return build_pipeline(CompileOptions(passes=",".join(pipelines), rules=rules), "")

    def _errors(self, pipeline: Pipeline, module: Module) -> list[str]:
        try:
            pipeline.run(module)
        except CompileError as bad:
            return [d.code for d in bad.diagnostics]
        return []

    def _check_missed(self, remarks: Sequence[Remark]) -> None:
        missed = [f"{r.by}: {r.text}" for r in remarks if r.kind == "missed"]
        for expected in self._said("expect-missed"):
            assert expected in missed, f"{self.name}: {expected!r} is not among what nearly fired: {missed}"


def read_cases(path: PathLike) -> list[Case]:
    """Read the cases of a file, which ``// -----`` separates."""
    texts = Path(path).read_text(encoding="utf-8").split(SEPARATOR)
    return [Case(Path(path), number, text) for number, text in enumerate(texts)]


def compare(module: Module, original: Module, what: str) -> None:
    """Check that two modules compute the same on random inputs, whatever layout the first one has.

    Raises:
        AssertionError: they do not; ``what`` says since when.
    """
    for name, func in original.funcs.items():
        now = module.funcs[name]
        inputs = random_inputs(func)
        stored = [a if p.perm is None else a.transpose(p.perm) for a, p in zip(inputs, now.inputs, strict=True)]
        for got, want in zip(run(now, stored), _expected(func, now, inputs), strict=True):
            if want.dtype == object:
                np.testing.assert_array_equal(got, want, f"@{name} differs after {what}")
                continue
            np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5, err_msg=f"@{name} differs after {what}")


def _expected(func: Func, now: Func, inputs: Sequence[Array]) -> list[Array]:
    """Return what a function computes, in the layouts of another one."""
    want = run(func, inputs)
    return [a if p.perm is None else a.transpose(p.perm) for a, p in zip(want, now.outputs, strict=True)]
