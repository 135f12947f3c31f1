"""What the report says of a file's Transposes is about the file: those of lowering are counted, and not proven."""

from __future__ import annotations

from pathlib import Path

from nhwcc.compiler.diagnostics import Remark
from nhwcc.passes.layout.proof import ASSIGNMENT, LayoutProof

import nhwcc
from nhwcc.report import Report

PINNED = """
func @main(%x: f32[1,4,6,8]) -> (f32[1,6,4,4]) {
  %t = transpose(%x) {perm = [0, 2, 3, 1]} : f32[1,6,8,4]
  %s, %p = top_k(%t) {k = 4, axis = 2} : f32[1,6,4,4], i64[1,6,4,4]
  return(%s)
}
"""
"""Between an input and an output that are kept as they are, the axis that is searched has to come last and go back."""

LOWERED = """
func @main(%x: f32[3,4,2]) -> (f32[3,n,2]) {
  %v, %first, %inverse, %counts = unique(%x) {axis = 1, count = 'n'} : f32[3,n,2], i64[n], i64[4], i64[n]
  return(%v)
}
"""


def report_of(text: str, folder: Path, **options: object) -> Report:
    (folder / "m.ir").write_text(text)
    return nhwcc.compile(folder / "m.ir", output=folder / "m.tflite", **options).report  # pyright: ignore[reportArgumentType]


def region(transposes: int, moved: int, bound: int) -> Remark:
    return Remark("note", ASSIGNMENT, facts={"transposes": transposes, "bytes": moved, "bound": bound, "charge": 0})


def test_regions_are_summed() -> None:
    proof = LayoutProof.of([region(1, 40, 40), Remark("note", ASSIGNMENT, "x is moved"), region(2, 60, 60)], 3)
    assert proof is not None and proof == LayoutProof(3, 0, 100, 100, 3) and proof.is_proven
    assert str(proof) == "3 transposes, 100 bytes: proven optimal"


def test_nothing_is_claimed_without_the_pass() -> None:
    assert LayoutProof.of([Remark("note", "legalize", facts={"transposes": 1})], 1) is None


def test_a_bound_that_is_not_reached() -> None:
    proof = LayoutProof.of([region(1, 40, 8)], 1)
    assert proof is not None and not proof.is_proven
    assert str(proof) == "1 transpose, 40 bytes: not proven, at most 32 bytes above the optimum"


def test_what_lowering_adds_is_not_proven() -> None:
    proof = LayoutProof.of([region(0, 0, 0), Remark("note", "legalize", facts={"transposes": 2})], 2)
    assert proof is not None and proof.lowered == 2 and not proof.is_proven
    assert str(proof).startswith(
        "2 transposes in the file: 0 transposes, 0 bytes: proven optimal between layouts; 2 more"
    )


def test_the_line_is_about_the_file(tmp_path: Path) -> None:
    report = report_of(PINNED, tmp_path, io_layout="keep")
    assert report.layout_proof is not None and report.layout_proof.is_proven
    assert report.layout_proof.chosen == report.transposes_after > 0


def test_lowering_names_the_operation(tmp_path: Path) -> None:
    report = report_of(LOWERED, tmp_path)
    assert report.layout_proof is not None
    assert report.transposes_after == report.layout_proof.chosen + report.layout_proof.lowered
    assert report.layout_proof.lowered > 0 and not report.layout_proof.is_proven
    assert any("by lowering" in line for line in report.layout)
