"""What a file's metadata says of layouts is checked when the file is read."""

from __future__ import annotations

import json

import pytest
from nhwcc.formats.layout import read_layout

RANKS = {"inputs": {"x": 4}, "outputs": {"y": 2}}


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b'{"inputs": {"x"',
        b"[]",
        b"[" * 100_000,
        b"\xff\xfe",
        b'{"inputs": []}',
        b'{"inputs": {"x": 1}}',
        b'{"inputs": {"x": {"perm": [0, 1]}}}',
        b'{"inputs": {"x": {"perm": 3}}}',
        b'{"outputs": {"y": {"perm": [1, 1]}}}',
        b'{"outputs": {"y": {"shape": [1]}}}',
        b'{"outputs": {"y": {"shape": [1, -2]}}}',
        b'{"outputs": {"y": {"shape": [1, "h+"]}}}',
        b'{"outputs": {"y": {"shape": [1, null]}}}',
    ],
)
def test_damaged(text: bytes) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 -- of JSON's own, too
        read_layout(text, RANKS)
    assert str(caught.value)


def test_whole() -> None:
    said = {"inputs": {"x": {"perm": [0, 2, 3, 1], "shape": [1, 3, "h", "2*h"]}}, "outputs": {"other": {"perm": 7}}}
    assert read_layout(json.dumps(said).encode(), RANKS) == said
