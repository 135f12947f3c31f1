"""Pages in other languages: the same commands, the same figures, the same links as the page that they translate."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = {"README.ja.md": "README.md", "docs/getting-started.ja.md": "docs/getting-started.md"}

BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"(?<![\w.])\d[\d.,]*(?<![.,])")
CODE = re.compile(r"`([^`]+)`")


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def figures(text: str) -> Counter[str]:
    """All numbers outside of code and links, which a translation may not change."""
    plain = re.sub(r"\]\([^)]*\)", "]", CODE.sub("", BLOCK.sub("", text)))
    return Counter(NUMBER.findall(plain))


@pytest.mark.parametrize(("name", "original"), PAGES.items())
class TestTranslations:
    def test_commands_are_the_same(self, name: str, original: str) -> None:
        assert BLOCK.findall(page(name)) == BLOCK.findall(page(original))

    def test_figures_are_the_same(self, name: str, original: str) -> None:
        assert figures(page(name)) == figures(page(original))

    def test_options_and_names_are_the_same(self, name: str, original: str) -> None:
        codes = [Counter(" ".join(c.split()) for c in CODE.findall(BLOCK.sub("", page(p)))) for p in (name, original)]
        assert codes[0] == codes[1]
