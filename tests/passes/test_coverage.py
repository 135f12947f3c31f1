"""Every rewrite of the passes fires in some case beside this file."""

from __future__ import annotations

import re
from pathlib import Path

from firing import counting, of_passes
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.pipeline import Pipeline, parse_pipeline

SEPARATOR = "// -----\n"


def test_every_rewrite_fires() -> None:
    """A rule without a case may be one that can never fire."""
    with counting() as fired:
        for file in Path(__file__).parent.glob("*.ir"):
            for case in file.read_text().split(SEPARATOR):
                run(case.partition("// becomes\n")[0])
    assert sorted(of_passes() - fired.keys()) == []


def run(text: str) -> None:
    """Apply what a case asks for; its own test looks at the result."""
    (pipeline,) = re.findall(r"^// passes: (.*)$", text, re.MULTILINE)
    try:
        Pipeline(parse_pipeline(pipeline)).run(parse_module(text))
    except CompileError:
        assert "// expect-error:" in text
