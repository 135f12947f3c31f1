"""Running products and turned sequences in the TFLite runtime."""

from __future__ import annotations

from itertools import product

import pytest

from .conftest import Check, single
from .test_refusals import refused


@pytest.mark.parametrize("dtype", ["f32", "i32", "i64", "u8", "f64"])
@pytest.mark.parametrize(("exclusive", "reverse"), list(product([False, True], repeat=2)))
def test_running_products(check: Check, dtype: str, exclusive: bool, reverse: bool) -> None:
    for shape, axis in (("2,7", 1), ("5,3", 0), ("1,4", 0)):
        module = single("cum_prod", f"{dtype}[{shape}]", axis=axis, exclusive=exclusive, reverse=reverse)
        check(module)


def test_running_products_take_as_many_steps_as_the_length_has_bits(check: Check) -> None:
    out = check(single("cum_prod", "f32[64]", axis=0))
    assert out.builtins == {"SLICE": 6, "CONCATENATION": 6, "MUL": 6}


def test_running_products_of_unknown_length_are_refused() -> None:
    assert "running products along an axis of n positions" in str(refused(single("cum_prod", "f32[n]", axis=0)))


@pytest.mark.parametrize("dtype", ["f32", "i64", "bool", "i8", "f16", "u64"])
@pytest.mark.parametrize(("axis", "batch"), [(0, 1), (1, 0), (2, 0)])
def test_turned_sequences(check: Check, dtype: str, axis: int, batch: int) -> None:
    count = (3, 4, 2)[batch]
    module = single("reverse_sequence", f"{dtype}[3,4,2]", f"i64[{count}]", axis=axis, batch=batch)
    lengths = {"x1": [2, 1, 0, 2][:count]}
    check(module, inputs=lengths)
    check(single("reverse_sequence", f"{dtype}[3,4,2]", f"u8[{count}]", axis=axis, batch=batch), inputs=lengths)
