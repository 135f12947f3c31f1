"""Sizes: symbolic arithmetic against Python's own on random numbers, text, broadcasting, solving."""

from __future__ import annotations

import math
import random

import pytest
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.dims import (
    Dim,
    Sym,
    at_least,
    broadcast,
    ceil_div,
    exact_div,
    is_static,
    maximum,
    minimum,
    parse_dim,
    product,
    solve,
    static,
    substitute,
    symbol,
)

H, W = symbol("h"), symbol("w")


def random_expression(rng: random.Random, depth: int) -> str:
    if depth == 0:
        return rng.choice(["h", "w", "h", "w", str(rng.randint(1, 9))])
    a, b = random_expression(rng, depth - 1), random_expression(rng, depth - 1)
    kind = rng.choice(["+", "-", "*", "//", "%", "max", "min", "neg"])
    match kind:
        case "//" | "%":
            return f"({a}){kind}{rng.randint(1, 7)}"
        case "max" | "min":
            return f"{kind}({a},{b})"
        case "neg":
            return f"-({a})"
        case _:
            return f"({a}){kind}({b})"


@pytest.mark.parametrize("seed", range(60))
def test_arithmetic_agrees_with_python(seed: int) -> None:
    """Build, print, parse and substitute random expressions; compare with ``eval`` on numbers."""
    rng = random.Random(seed)
    text = random_expression(rng, 3)
    dim = parse_dim(text)
    again = parse_dim(str(dim))
    assert again == dim, text
    for _ in range(5):
        sizes = {"h": rng.randint(1, 40), "w": rng.randint(1, 40)}
        assert substitute(dim, sizes) == eval(text, {"max": max, "min": min}, dict(sizes)), text


def test_numbers_come_back_as_int() -> None:
    assert H - H == 0 and type(H - H) is int
    assert (H * 4) // H == 4
    assert parse_dim("3*(2+1)") == 9


def test_equal_sizes_are_equal_objects() -> None:
    assert H * (W + 1) == W * H + H
    assert hash(H * (W + 1)) == hash(W * H + H)
    assert H != W and H != 3


@pytest.mark.parametrize(
    "text",
    [
        "h+",
        "h.x",
        "f(h)",
        "[1]",
        "h**w or 1",
        "h and w",
        "max()",
        "'h'",
        "h<3",
        "1.5",
        "True",
        "h**-1",
        "h**w",
        "h//0",
        "h%0",
        "/h",
        "-",
        "",
    ],
)
def test_bad_text_is_a_coded_error(text: str) -> None:
    with pytest.raises(CompileError) as caught:
        parse_dim(text)
    assert [d.code for d in caught.value.diagnostics] == ["P007"]


def test_division_by_zero() -> None:
    """As with Python's numbers; where an exporter writes it, inference has an error to show."""
    with pytest.raises(ZeroDivisionError):
        _ = H // 0


def test_exact_division() -> None:
    assert exact_div(12, 4) == 3
    assert exact_div(12, 5) is None
    assert exact_div(12, 0) is None
    assert exact_div(H * 6, 3) == H * 2
    assert exact_div(H * W * 6, H * 2) == W * 3
    assert exact_div(H, 2) is None
    assert exact_div(6, H) is None
    assert exact_div(H + 4, 2) is None
    assert exact_div(H * 2 + 4, 2) == H + 2


def test_ceil_div() -> None:
    assert [ceil_div(n, 3) for n in range(1, 7)] == [1, 1, 1, 2, 2, 2]
    assert [substitute(ceil_div(H, 3), {"h": n}) for n in range(1, 7)] == [1, 1, 1, 2, 2, 2]


def test_product_and_extremes() -> None:
    assert product([]) == 1
    assert product([2, H, 3]) == H * 6
    assert maximum(3, 5) == 5 and minimum(3, 5) == 3
    assert substitute(maximum(H, W), {"h": 3, "w": 8}) == 8
    assert substitute(minimum(H, W), {"h": 3, "w": 8}) == 3


def test_at_least() -> None:
    assert at_least(3, 3) and not at_least(2, 3)
    assert at_least(H + 2, 1) and at_least(H, 1)
    assert not at_least(H, 2) and not at_least(H, W)


@pytest.mark.parametrize(
    ("a", "b", "want"),
    [
        ((4, 1), (3,), (4, 3)),
        ((H, 4), (1, 4), (H, 4)),
        ((H,), (4,), (4,)),
        ((H,), (H,), (H,)),
        ((), (2, 3), (2, 3)),
        ((1, 1), (H, W), (H, W)),
    ],
)
def test_broadcast(a: tuple[Dim, ...], b: tuple[Dim, ...], want: tuple[Dim, ...]) -> None:
    assert broadcast(a, b) == want
    assert broadcast(b, a) == want


def test_broadcast_of_two_names_is_their_maximum() -> None:
    (out,) = broadcast((H,), (W,))
    assert [substitute(out, {"h": 1, "w": 5}), substitute(out, {"h": 5, "w": 5})] == [5, 5]


def test_broadcast_refuses() -> None:
    with pytest.raises(ValueError, match="3 and 4 do not broadcast"):
        broadcast((3,), (4,))


def test_static() -> None:
    assert static((2, 3)) == (2, 3) and is_static((2, 3))
    assert not is_static((2, H))
    with pytest.raises(ValueError, match="size h of"):
        static((2, H))


def test_substitute_leaves_other_values_alone() -> None:
    assert substitute(((H, "text"), None, 2.5), {"h": 7}) == ((7, "text"), None, 2.5)
    partly = substitute(H * W, {"h": 3})
    assert isinstance(partly, Sym) and partly == W * 3


def test_solve() -> None:
    sizes: dict[str, int] = {}
    assert solve(H * 2 + 1, 9, sizes) and sizes == {"h": 4}
    assert solve(H, 4, sizes) and not solve(H, 5, sizes)
    assert not solve(W * 2, 7, sizes), "no whole number"
    assert not solve(W + 9, 7, sizes), "sizes are positive"
    assert solve(W * symbol("n"), 7, sizes), "two unknowns: another axis will bind them"
    assert sizes == {"h": 4}


def test_names() -> None:
    size = H * W + 1
    assert isinstance(size, Sym) and size.names == {"h", "w"}


def test_cutting_towards_zero() -> None:
    """What a cast to integers does to a size; where the sign is open, nothing is claimed."""
    assert math.trunc(H / 2) == H // 2
    assert math.trunc(H - 5) == H - 5, "whatever its sign, it is whole"
    with pytest.raises(ValueError, match="sign"):
        math.trunc(H / 2 - 5)


@pytest.mark.parametrize(
    ("text", "actual", "found"),
    [
        ("h//2", 10, 20),
        ("(h+1)//2*2", 10, 9),
        ("h//2+h//3", 10, 12),
        ("max(h,3)", 10, 10),
        ("h*h*h+h", 10, 2),
        ("h*h//2", 10, None),
        ("12-h", 10, 2),
        ("2*h", 0, None),
        ("h**16+3*h+1", 5, 1),
        ("h**16+3*h+1", 6, None),
    ],
)
def test_solving_what_is_not_linear(text: str, actual: int, found: int | None) -> None:
    sizes: dict[str, int] = {}
    assert solve(parse_dim(text), actual, sizes) == (found is not None)
    assert sizes == ({} if found is None else {"h": found})


@pytest.mark.parametrize("seed", range(150))
def test_a_bound_that_is_claimed_holds(seed: int) -> None:
    """Of random differences, what is said never to be negative is not for any small sizes."""
    rng = random.Random(seed)
    text = f"({random_expression(rng, 2)})-({random_expression(rng, 2)})"
    dim = parse_dim(text)
    if at_least(dim, 0):
        sizes = ({"h": h, "w": w} for h in range(1, 16) for w in range(1, 16))
        assert min(eval(text, {"max": max, "min": min}, s) for s in sizes) >= 0, text


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("256*((n+255)//256)", "n"),
        ("n+255", "256*((n+255)//256)"),
        ("7*((b*n+6)//7)", "b*n"),
        ("2*((max(h,n)+1)//2)", "max(h,n)"),
        ("h", "2*(h//2)"),
        ("h//2", "h//3"),
        ("n%7", "0"),
        ("6", "n%7"),
        ("n", "max(n-3,0)"),
        ("max(h-3,1)*w", "w"),
        ("(h+1)//2", "1"),
        ("4*((h+3)//4)//2", "1"),
        ("min(h,w)*b", "min(h,w)"),
        ("(h-min(h,max(0,h*min(1,max(0,3-h//2))+h//2-3)))//2", "0"),  # a cut from a begin that may count from the end
    ],
)
def test_bounds_through_quotients_and_extremes(a: str, b: str) -> None:
    assert at_least(parse_dim(a), parse_dim(b))
    assert maximum(parse_dim(a), parse_dim(b)) == parse_dim(a)
    assert minimum(parse_dim(a), parse_dim(b)) == parse_dim(b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("(h-1)//2+1", "(h+1)//2"),
        ("-(-h//4)", "(h+3)//4"),
        ("(3*h+5)//2", "h+(h+1)//2+2"),
        ("(2*h+1)//4", "h//2//1*2//2"),
        ("((h//2)+1)//2", "(h+2)//4"),
        ("max(h,2*(h//2))", "h"),
    ],
)
def test_sizes_have_one_form(a: str, b: str) -> None:
    """Strides, paddings and ceilings write the same size in several ways."""
    assert parse_dim(a) == parse_dim(b)
