"""Public docstrings tell a stranger something, in words of the field: what docs/docstrings.py lists is empty."""

from __future__ import annotations

from pathlib import Path

import pytest
from docstrings import ROOT, TREES, Docstring, Documented, docstrings, files, read_classes


@pytest.fixture(scope="module")
def documented() -> Documented:
    return read_classes()


@pytest.mark.parametrize("tree", TREES)
def test_no_docstring_is_short_or_private(tree: str, documented: Documented) -> None:
    found = [d for path in files([ROOT / tree]) for d in docstrings(path, documented)]
    assert len(found) > 100
    assert not [f"{d.path}:{d.line}: {d.text}" for d in found if d.is_short or d.private], "see docs/docstrings.py"


def listed(tmp_path: Path, source: str) -> list[Docstring]:
    path = tmp_path / "module.py"
    path.write_text(source)
    known = Documented({"Sum": ["Term"], "Term": []}, {"Sum": set(), "Term": {"value"}}, [])
    return [d for d in docstrings(path, known) if d.is_short or d.private]


def test_short_ones_are_listed(tmp_path: Path) -> None:
    source = '"""Something that is long enough to be of use."""\n\ndef f():\n    """Too short."""\n'
    assert [d.name for d in listed(tmp_path, source)] == ["module.f"]


def test_words_of_this_project_are_listed(tmp_path: Path) -> None:
    text = "A loop whose every turn reads texts that stand behind what is there."
    (found,) = listed(tmp_path, f'"""{text}"""\n')
    assert found.private == ["turn", "texts", "stand", "behind"]


def test_code_and_usual_expressions_are_not(tmp_path: Path) -> None:
    assert not listed(tmp_path, '"""Values that stand for ``texts``, each of them computed in turn."""\n')


def test_overrides_may_be_short(tmp_path: Path) -> None:
    source = '"""Something that is long enough to be of use."""\n\nclass Sum(Term):\n'
    source += '    """A class that is long enough to be of use."""\n\n    def value(self):\n        """Add."""\n'
    assert not listed(tmp_path, source)
    assert [d.name for d in listed(tmp_path, source.replace("value", "other"))] == ["module.Sum.other"]
