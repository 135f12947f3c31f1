"""Modules on which a rewrite was wrong once: each is applied alone, and what it makes is compared."""

from __future__ import annotations

from pathlib import Path

import pytest
from nhwcc.compiler.parser import parse_module

from .firings import Findings, validate
from .rewrites import all_rewrites

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
"""Numbers overflow on purpose."""

CASES = dict(
    case.strip().removeprefix("// ").split("\n", 1)
    for case in Path(__file__).with_name("corners.txt").read_text(encoding="utf-8").split("// -----\n")
)


@pytest.mark.parametrize("title", CASES)
def test_the_rewrite_alone(title: str) -> None:
    key = title.partition(":")[0]
    (pattern,) = (r.pattern for r in all_rewrites() if r.key == key)
    findings = Findings()
    validate(parse_module(CASES[title]), pattern, findings)
    assert not findings.alarms, findings.alarms
    assert not findings.stopped, findings.stopped
