"""The examples in docstrings, run under the real names of their modules."""

from __future__ import annotations

import doctest
from importlib import import_module
from pkgutil import walk_packages

import pytest

import nhwcc

MODULES = sorted(m.name for m in walk_packages(nhwcc.__path__, "nhwcc.") if not m.name.endswith("__main__")) + [
    m.name
    for tree in ("compiler", "formats", "passes", "frontends", "backends")
    for m in walk_packages(import_module(f"nhwcc.{tree}").__path__, f"nhwcc.{tree}.")
]


@pytest.mark.parametrize("name", dict.fromkeys(MODULES))
def test_examples(name: str) -> None:
    assert doctest.testmod(import_module(name)).failed == 0


def test_there_are_examples() -> None:
    assert doctest.testmod(import_module("nhwcc.compiler.dims")).attempted > 5
