"""The table of what can be run: complete, in words, and true to the schema."""

from __future__ import annotations

import pytest
from nhwcc.backends.common.support_matrix import DECOMPOSED, MANY, Support
from nhwcc.backends.tflite import support
from nhwcc.backends.tflite.table import CUSTOM, TABLE
from nhwcc.backends.tflite.versions import releases
from nhwcc.compiler.opdef import OPS
from nhwcc.formats.tflite.schema import builtin_names

ROWS_OF = support()


def test_rows_are_about_operations() -> None:
    """That operations without a row are refused is tested with their examples."""
    assert {s.op for s in ROWS_OF} - {MANY} <= OPS.keys()
    assert {"conv", "add", "silu", "if"} <= {s.op for s in ROWS_OF}


def test_every_row_of_the_table_is_listed() -> None:
    assert len([s for s in ROWS_OF if s.kernel != DECOMPOSED]) == sum(map(len, TABLE.rows.values()))


@pytest.mark.parametrize("row", ROWS_OF, ids=lambda row: f"{row.op}-{row.kernel}")
def test_rows_are_in_words(row: Support) -> None:
    for text in row.conditions:
        assert (text and "_" not in text.lower().replace("depth_to", "")) or row.kernel == DECOMPOSED
    if row.kernel == DECOMPOSED:
        assert row.conditions[0].endswith((".", ")")) and row.source is None
    else:
        assert row.kernel in builtin_names().values()
        assert any(builtin == row.kernel for builtin, _ in releases())
        assert row.ranks and ((row.source or "").endswith(".cc") or row.kernel == CUSTOM)
