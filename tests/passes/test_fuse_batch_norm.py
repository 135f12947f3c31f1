"""fuse-batch-norm where constants are large."""

from __future__ import annotations

import pytest
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.pipeline import Pipeline, parse_pipeline
from nhwcc.compiler.verify import verify


@pytest.mark.parametrize(("size", "left"), [(8, 1), (200, 2)])
def test_terms_that_broadcast_against_each_other(size: int, left: int) -> None:
    """A bias of heads and a mask of windows stay apart where their sum would be many times as large."""
    text = f"""func @main(%x: f32[{size},{size}]) -> (f32[{size},{size}]) {{
      %o = const() {{value = dense<[1.5]> : f32[1]}} : f32[1]
      %a = tile(%o) {{repeats = [{size}]}} : f32[{size}]
      %b = reshape(%a) {{shape = [{size}, 1]}} : f32[{size},1]
      %y = add(%x, %a) : f32[{size},{size}]
      %z = add(%y, %b) : f32[{size},{size}]
      return(%z)
    }}"""
    module = parse_module(text)
    Pipeline(parse_pipeline("fold-constants,fuse-batch-norm,dce")).run(module)
    verify(module)
    assert sum(op.spec.name == "add" for op in module.walk()) == left
