"""What operations demand of named sizes, solved: names, products, multiples, contradictions with both places."""

from __future__ import annotations

import pytest
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.dims import symbol
from nhwcc.compiler.ir import Module
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.refinement import refined
from nhwcc.compiler.verify import verify


def refine(arguments: str, *lines: str, results: str) -> tuple[Module, list[str]]:
    """Refine a function, whose results are given with their types."""
    names = ", ".join(r.split(":")[0] for r in results.split("; "))
    types = ", ".join(r.split(": ")[1] for r in results.split("; "))
    body = "\n".join(f"  {line}" for line in lines)
    module, found = refined(parse_module(f"func @main({arguments}) -> ({types}) {{\n{body}\n  return({names})\n}}\n"))
    verify(module)
    return module, [str(a).partition(", because ")[0] for a in found]


def arguments(module: Module) -> list[str]:
    return [str(a.type) for a in module.main.args]


def test_rows_as_long_as_columns() -> None:
    module, found = refine("%x: f32[b,k], %w: f32[8,4]", "%y = matmul(%x, %w) : f32[b,4]", results="%y: f32[b,4]")
    assert found == ["k = 8"]
    assert arguments(module) == ["f32[b,8]", "f32[8,4]"]


def test_the_later_name_goes_and_so_it_does_everywhere() -> None:
    module, found = refine(
        "%x: f32[b,3], %z: f32[b2,5]",
        "%c = concat(%x, %z) {axis = 1} : f32[b,8]",
        "%r = relu(%z) : f32[b2,5]",
        results="%c: f32[b,8]; %r: f32[b2,5]",
    )
    assert found == ["b2 = b"]
    assert [str(v.type) for v in module.main.returns] == ["f32[b,8]", "f32[b,5]"]


def test_a_batch_of_one() -> None:
    module, found = refine(
        "%x: f32[s,1,12], %m: f32[b,s]",
        "%r = reshape(%x) {shape = ['s', '2*b', 6]} : f32[s,2*b,6]",
        results="%r: f32[s,2*b,6]; %m: f32[b,s]",
    )
    assert found == ["b = 1"]
    assert [str(v.type) for v in module.main.returns] == ["f32[s,2,6]", "f32[1,s]"]


def test_a_product_of_names() -> None:
    module, found = refine(
        "%x: f32[4,h,w], %z: f32[h2,w2]",
        "%r = reshape(%x) {shape = [4, 'h2*w2']} : f32[4,h2*w2]",
        "%q = reshape(%z) {shape = ['h2*w2']} : f32[h2*w2]",
        "%s = add(%r, %q) : f32[4,h2*w2]",
        results="%s: f32[4,h2*w2]",
    )
    assert found == ["h2*w2 = h*w"]
    assert [str(v.type) for v in module.main.returns] == ["f32[4,h*w]"]
    assert arguments(module) == ["f32[4,h,w]", "f32[h2,w2]"]


def test_a_multiple() -> None:
    module, found = refine(
        "%x: f32[n,3]",
        "%r = reshape(%x) {shape = ['n//4', 12]} : f32[(n//4),12]",
        results="%r: f32[(n//4),12]",
    )
    assert found == ["n = 4*n_4"]
    assert arguments(module) == ["f32[4*n_4,3]"]
    assert [str(v.type) for v in module.main.returns] == ["f32[n_4,12]"]


def test_what_was_rounded_has_its_form_again() -> None:
    """Half of what is a multiple of three, counted in threes."""
    module, _ = refine(
        "%x: f32[n,2]",
        "%r = reshape(%x) {shape = ['n//3', 6]} : f32[(n//3),6]",
        "%s = slice(%x) {starts = [0, 0], sizes = ['n//2', 2], steps = [1, 1]} : f32[(n//2),2]",
        results="%r: f32[(n//3),6]; %s: f32[(n//2),2]",
    )
    assert module.main.returns[1].type.shape[0] == symbol("n_3") * 3 // 2


def test_sizes_that_data_decides_about_may_be_zero() -> None:
    """Twice nothing is nothing: that says nothing of what it is multiplied with."""
    _, found = refine(
        "%x: f32[n,2], %c: bool[n]",
        "%p = non_zero(%c) {count = 'u', rows = true} : i64[u,1]",
        "%r = reshape(%p) {shape = ['u*n']} : i64[n*u]",
        results="%r: i64[n*u]",
    )
    assert found == []


def test_a_size_that_is_no_name_alone() -> None:
    _, found = refine(
        "%x: f32[2*h+1,3], %z: f32[5,3]",
        "%c = matmul(%x, %z) {transpose_b = true} : f32[2*h+1,5]",
        "%d = concat(%c, %z) {axis = 1} : f32[5,8]",
        results="%d: f32[5,8]",
    )
    assert found == ["h = 2"]


def test_broadcasting_alone_demands_nothing() -> None:
    """A name beside a number or another name may be one."""
    _, found = refine("%x: f32[a,b], %z: f32[5,c]", "%y = add(%x, %z) : f32[5,max(b,c)]", results="%y: f32[5,max(b,c)]")
    assert found == []


def test_what_can_not_be_one_must_be_equal() -> None:
    _, found = refine(
        "%x: f32[2*a], %z: f32[2*b]", "%y = add(%x, %z) : f32[max(2*a,2*b)]", results="%y: f32[max(2*a,2*b)]"
    )
    assert found == ["b = a"]


def test_branches_demand_nothing() -> None:
    """Neither may be taken."""
    module = parse_module("""
func @main(%c: bool[], %x: f32[n,3]) -> (f32[2,3]) {
  %y = if(%c) do () {
    %a = reshape(%x) {shape = [2, 3]} : f32[2,3]
    return(%a)
  } do () {
    %b = const() {value = dense<0.0> : f32[]} : f32[]
    %d = broadcast_to(%b) {shape = [2, 3]} : f32[2,3]
    return(%d)
  } : f32[2,3]
  return(%y)
}
""")
    assert refined(module) == (module, [])


@pytest.mark.parametrize(
    ("lines", "said", "before"),
    [
        (
            ["%y = matmul(%x, %v) : f32[b,4]", "%z = matmul(%x, %w) : f32[b,4]"],
            "matmul needs k = 5, but so 3 = 5",
            "k = 3, because",
        ),
        (
            ["%y = reshape(%x) {shape = ['2*k', 'b']} : f32[2*k,b]", "%z = relu(%x) : f32[b,k]"],
            "reshape needs b*k = 2*b*k, but so b*k = 2*b*k",
            "",
        ),
    ],
)
def test_contradictions_name_both_places(lines: list[str], said: str, before: str) -> None:
    with pytest.raises(CompileError) as caught:
        refine(
            "%x: f32[b,k], %v: f32[3,4], %w: f32[5,4]",
            *lines,
            results=f"%y: {lines[0].rpartition(' : ')[2]}; %z: {lines[1].rpartition(' : ')[2]}",
        )
    (only,) = caught.value.diagnostics
    assert only.code == "T003" and said in only.message
    assert before in "".join(only.notes)


def test_no_size_can_be_less_than_one() -> None:
    lines = "%c = concat(%x, %z) {axis = 0} : f32[n+5,3]", "%y = reshape(%c) {shape = [4, 3]} : f32[4,3]"
    with pytest.raises(CompileError, match=r"needs 3\*n\+15 = 12"):
        refine("%x: f32[n,3], %z: f32[5,3]", *lines, results="%y: f32[4,3]")
