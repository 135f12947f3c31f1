"""Tests of passes and rules: IR before and after, run on both sides.

>>> from nhwcc.testing import read_cases
>>> for case in read_cases("tests/passes/dce.ir")[:2]:
...     case.check()

With pytest, ``pytest -p nhwcc.testing.plugin FILE.ir`` makes every case a test.
"""

from __future__ import annotations

from nhwcc.testing.cases import Case, compare, read_cases

__all__ = ["Case", "compare", "read_cases"]
