"""Modules on which rewrites were wrong once: each is applied alone, or a whole pass, and what it makes is compared."""

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


PASS = "in "
"""How titles begin that name a pass instead of a rewrite: what one makes is wrong behind another one only."""


@pytest.mark.parametrize("title", CASES)
def test_what_was_wrong_once(title: str) -> None:
    key = title.partition(":")[0]
    findings = Findings()
    rewrites = all_rewrites()
    if key.startswith(PASS):
        validate(parse_module(CASES[title]), key.removeprefix(PASS), findings)
        assert findings.firings
    else:
        (pattern,) = (r.pattern for r in rewrites if r.key == key)
        validate(parse_module(CASES[title]), pattern, findings)
        assert not findings.stopped, findings.stopped
    assert not findings.alarms, findings.alarms
