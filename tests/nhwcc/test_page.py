"""The page about a compilation: what it holds, that it is sound, and, where Chromium is installed, that it works."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from models import CONV, onnx_model, write
from nhwcc.compiler.diagnostics import Location

import nhwcc
from nhwcc.page.folding import LARGEST, SMALL, Group, fold
from nhwcc.page.network import Network, Operation, network_of, path_of
from nhwcc.sources import load

EVIL = CONV.replace('name = "map"', 'name = "</script><b>&"')


def chain(*paths: str) -> Network:
    """Operations in modules, each of which reads the one before."""
    found = Network("chain", [Operation("input x", "f32[1]", "interface", tensors=("x",))])
    for number, path in enumerate(paths):
        inside = tuple(filter(None, path.split("/")))
        found.operations.append(Operation(f"op{number}", "f32[1]", "other", inside, reads=[(number, "f32[1]")]))
    return found


def members(groups: list[Group], number: int = 0) -> list[Any]:
    """The members of a group, those of inner groups nested, by their titles."""
    found = groups[number]
    return [m if m >= 0 else (groups[~m].title, *members(groups, ~m)) for m in found.members]


def data_of(page: str) -> dict[str, Any]:
    (text,) = re.findall(r'<script id="data" type="application/json">(.*?)</script>', page, re.DOTALL)
    return json.loads(text)


class Balance(HTMLParser):
    """Checks that every element ends, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.seen.add(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


class TestFolding:
    def test_paths(self) -> None:
        assert path_of(Location("conv1")) == () and path_of(Location("/a/b.0/Conv")) == ("a", "b.0")

    def test_modules_become_groups_where_there_is_more_than_little(self) -> None:
        small = fold(chain("a", "a", "a/b", "a/b"))
        assert members(small) == [0, 1, 2, 3, 4]
        large = fold(chain(*["a/b"] * SMALL, *["a/c"] * SMALL, "d"))
        b, c = list(range(1, SMALL + 1)), list(range(SMALL + 1, 2 * SMALL + 1))
        assert members(large) == [0, ("a/b", *b), ("a/c", *c), 2 * SMALL + 1]

    def test_what_holds_only_one_group_is_that_group(self) -> None:
        groups = fold(chain("", *["model/net/stage"] * (SMALL + 1)))
        assert members(groups) == [0, 1, ("model/net/stage", *range(2, SMALL + 3))]

    @pytest.mark.parametrize("length", [LARGEST, 10 * LARGEST, 50 * LARGEST])
    def test_long_ones_are_cut_into_runs(self, length: int) -> None:
        groups = fold(chain(*[""] * length))
        assert all(len(group.members) <= LARGEST for group in groups)
        assert sorted(m for group in groups for m in group.members if m >= 0) == list(range(length + 1))

    def test_arrows_at_every_level(self) -> None:
        groups = fold(chain(*["a"] * (SMALL + 1), *["b"] * (SMALL + 1)))
        whole, a, b = (g for g in groups if g.members)
        first, second = whole.members[1:]
        assert whole.arrows.keys() == {(0, first), (first, second)} and not whole.enters and not whole.leaves
        last = SMALL + 1
        assert a.enters.keys() == {(0, 1)} and a.leaves.keys() == {(last, last + 1)} and len(a.arrows) == SMALL
        assert b.enters.keys() == {(last, last + 1)} and not b.leaves

    def test_a_read_of_ones_own_group_is_no_arrow(self) -> None:
        network = network_of(load(CONV.encode()), "conv")
        assert [op.kind for op in network.operations][:: len(network.operations) - 1] == [
            "input image",
            "output scores",
        ]
        assert all(read < number for number, op in enumerate(network.operations) for read, _ in op.reads)


class TestPage:
    def page(self, folder: Path, source: str = CONV, **options: Any) -> str:
        nhwcc.compile(write(folder / "m.ir", source), folder / "m.tflite", report=folder / "m.html", **options)
        return (folder / "m.html").read_text(encoding="utf-8")

    def test_it_is_well_formed_and_asks_no_network(self, tmp_path: Path) -> None:
        page, balance = self.page(tmp_path, EVIL), Balance()
        balance.feed(page)
        assert not balance.open and not balance.seen & {"b", "link", "img", "iframe"}
        assert set(re.findall(r"https?://[^\s\"']*", page)) == {"http://www.w3.org/2000/svg"}
        assert "&lt;/script&gt;" in page

    def test_networks_with_errors_of_tensors(self, tmp_path: Path) -> None:
        before, after = data_of(self.page(tmp_path, EVIL))["networks"]
        assert before["title"].endswith("m.ir") and after["title"].endswith("m.tflite")
        for network in (before, after):
            placed = {member for g in network["groups"] if g for member, *_ in g["boxes"]}
            assert placed >= set(range(len(network["ops"])))
        conv = next(op for op in after["ops"] if op["kind"] == "conv")
        assert (
            conv["error"][1] == "ok"
            and conv["weights"]
            and "conv" in conv["origins"]
            and "error" not in before["ops"][1]
        )

    def test_tables(self, tmp_path: Path) -> None:
        page = self.page(tmp_path)
        for text in ("Proven optimal.", "propagate-layout", "tensors inside have the same name", "NHWC", "scores"):
            assert text in page
        assert "Quantization" not in page

    def test_quantized(self, tmp_path: Path) -> None:
        page = self.page(tmp_path, quantize="int8")
        assert "<h2>Quantization</h2>" in page and "dB from floats" in page
        after = data_of(page)["networks"][1]
        assert "i8[" in str([op["detail"] for op in after["ops"]])

    def test_two_outputs(self, tmp_path: Path) -> None:
        files = [tmp_path / "m.tflite", tmp_path / "m.onnx"]
        nhwcc.compile_all(onnx_model(), files, report=tmp_path / "m.html", verify=False)
        page = (tmp_path / "m.html").read_text(encoding="utf-8")
        assert [n["title"] for n in data_of(page)["networks"]] == ["an ONNX model", *map(str, files)]

    @pytest.mark.parametrize("report", ["m.ir", "m.tflite", "none/m.html"])
    def test_where_it_can_not_be_written(self, report: str, tmp_path: Path) -> None:
        with pytest.raises(nhwcc.CompileError, match=r"R012|R016|L007"):
            nhwcc.compile(write(tmp_path / "m.ir", CONV), tmp_path / "m.tflite", report=tmp_path / report)


VISITOR = """<script>
addEventListener("load", () => {
  const say = text => errors.push(text);
  say("boxes " + [...document.querySelectorAll("svg")].map(drawing => drawing.querySelectorAll("g").length));
  search.value = "conv"; search.dispatchEvent(new Event("input"));
  say("hits " + found.children.length);
  found.firstChild.click();
  say("chosen " + [...document.querySelectorAll("g.chosen text:not(.detail)")].map(t => t.textContent));
  say("error " + /error [0-9.e-]+ of the largest value: ok/.test(document.querySelectorAll(".info")[1].textContent));
  theme.click();
  say("theme " + document.documentElement.dataset.theme);
  document.body.append(Object.assign(document.createElement("output"), { textContent: errors.join("; ") }));
});
</script>"""


@pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium opens the page")
def test_in_a_browser(tmp_path: Path) -> None:
    nhwcc.compile(write(tmp_path / "m.ir", CONV), tmp_path / "m.tflite", report=tmp_path / "m.html")
    page = (tmp_path / "m.html").read_text(encoding="utf-8")
    listening = '<script>const errors = []; onerror = text => errors.push(text);</script><meta charset="utf-8"/>'
    visited = page.replace('<meta charset="utf-8"/>', listening).replace("</body>", f"{VISITOR}</body>")
    (tmp_path / "m.html").write_text(visited, encoding="utf-8")
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    done = subprocess.run(
        [*command, "--dump-dom", f"file://{tmp_path / 'm.html'}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    (said,) = re.findall("<output>(.*)</output>", done.stdout)
    assert said == "boxes 6,5; hits 2; chosen conv,conv; error true; theme dark"
