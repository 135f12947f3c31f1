"""nhwcc compile: what it writes, what it says, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from models import SMALL, write
from nhwcc.compiler.parser import read_module
from nhwcc.formats.tflite.reader import inspect

from .conftest import Call, as_json


def leftovers(folder: Path, *expected: str) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if p.name not in expected)


def failed(result: Result, code: str, exit_code: int = 1) -> str:
    """Check how a command failed; return what it said."""
    assert result.exit_code == exit_code, result.output
    assert f"error[{code}]" in result.stderr and "Traceback" not in result.output
    return result.stderr


class TestSuccess:
    def test_the_report(self, call: Call, conv: Path, tmp_path: Path) -> None:
        result = call("compile", conv, "-o", tmp_path / "out.tflite")
        assert result.exit_code == 0, result.output
        lines = [line.split() for line in result.stdout.splitlines()]
        assert lines[0][0] == str(tmp_path / "out.tflite") and "for TFLite" in result.stdout.splitlines()[0]
        by_title = {line[0]: " ".join(line[1:]) for line in lines[1:] if line}
        assert by_title["operations"].endswith("transposes 0 -> 0")
        assert by_title["input"] == "image f32[1,8,6,3] NHWC (source: NCHW)"
        assert "output map f32[1,4,3,4] NHWC (source: NCHW)" in " ".join(" ".join(line) for line in lines)
        assert by_title["output"] == "scores f32[1,4]" or "scores f32[1,4]" in result.stdout
        assert "0 transposes, 0 bytes: proven optimal" in by_title["layout"]
        assert by_title["verified"] == "against the reference interpreter, random inputs, seed 0"
        assert result.stdout.count(" ok") == 2 and "peak memory" in by_title["took"]
        assert leftovers(tmp_path, "conv.ir") == ["out.tflite"] and result.stderr == ""

    def test_the_file(self, call: Call, conv: Path, tmp_path: Path) -> None:
        call("compile", conv, "-o", tmp_path / "out.tflite")
        found = inspect(tmp_path / "out.tflite")
        assert found.layout is not None and found.layout["inputs"]["image"]["order"] == "NHWC"
        assert set(found.signatures[0].outputs) == {"map", "scores"}

    def test_the_model_is_not_touched(self, call: Call, conv: Path, tmp_path: Path) -> None:
        before = conv.read_bytes(), conv.stat().st_mtime_ns
        call("compile", conv, "-o", tmp_path / "out.tflite")
        assert (conv.read_bytes(), conv.stat().st_mtime_ns) == before

    def test_an_old_file_is_replaced(self, call: Call, small: Path, tmp_path: Path) -> None:
        (tmp_path / "out.tflite").write_text("old")
        assert call("compile", small, "-o", tmp_path / "out.tflite").exit_code == 0
        assert (tmp_path / "out.tflite").read_bytes()[4:8] == b"TFL3"

    def test_a_device_without_an_output(self, call: Call, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(small.parent)
        assert call("compile", small, "--target", "tflite-micro").exit_code == 0
        assert small.with_suffix(".tflite").exists()

    def test_without_an_output(self, call: Call, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "here").mkdir()
        monkeypatch.chdir(tmp_path / "here")
        for more in ([], ["--target", "onnx"], ["--target", "openvino"]):
            assert call("compile", small, "-q", *more).exit_code == 0
        assert {p.name for p in Path().iterdir()} == {"small.tflite", "small.onnx", "small.xml", "small.bin"}

    def test_verbose(self, call: Call, small: Path, tmp_path: Path) -> None:
        said = call("compile", small, "-o", tmp_path / "out.tflite", "-v").stdout
        assert "all passes" in said and "never fired:" in said

    def test_quiet(self, call: Call, small: Path, tmp_path: Path) -> None:
        result = call("compile", small, "-o", tmp_path / "out.tflite", "--quiet")
        assert result.exit_code == 0 and result.output == ""

    def test_without_verification(self, call: Call, small: Path, tmp_path: Path) -> None:
        result = call("compile", small, "-o", tmp_path / "out.tflite", "--no-verify")
        assert result.exit_code == 0 and "its numbers were not compared" in result.stdout


class TestLayouts:
    @pytest.mark.parametrize(
        ("args", "image", "map"),
        [
            (("--io-layout", "keep"), "image f32[1,3,8,6] as in the source", "map f32[1,4,4,3] as in the source"),
            (("--io-layout", "nhwc"), "image f32[1,8,6,3] NHWC", "map f32[1,4,3,4] NHWC"),
            (("--io-layout", "image=nchw"), "image f32[1,3,8,6] as in the source", "map f32[1,4,3,4] NHWC"),
            (("--io-layout", "map=0/3/1/2", "--io-layout", "keep"), "image f32[1,3,8,6] as", "map f32[1,3,4,4] NWCH"),
        ],
    )
    def test_choices(self, args: tuple[str, ...], image: str, map: str, call: Call, conv: Path, tmp_path: Path) -> None:
        result = call("compile", conv, "-o", tmp_path / "out.tflite", *args)
        assert result.exit_code == 0, result.output
        assert image in result.stdout and map in result.stdout

    def test_names_that_do_not_exist(self, call: Call, conv: Path, tmp_path: Path) -> None:
        said = failed(call("compile", conv, "-o", tmp_path / "o.tflite", "--io-layout", "imgae=nhwc"), "L006")
        assert "did you mean 'image'?" in said

    def test_layouts_that_do_not_fit(self, call: Call, conv: Path, tmp_path: Path) -> None:
        failed(call("compile", conv, "-o", tmp_path / "o.tflite", "--io-layout", "scores=0/1/2"), "L005")

    def test_a_pipeline_that_chooses_no_layouts(self, call: Call, small: Path, tmp_path: Path) -> None:
        args = ("--io-layout", "nhwc", "--disable-pass", "propagate-layout")
        failed(call("compile", small, "-o", tmp_path / "o.tflite", *args), "L007")


class TestOutput:
    def test_the_model_itself_is_refused(self, call: Call, small: Path, tmp_path: Path) -> None:
        before = small.read_bytes()
        (tmp_path / "soft").symlink_to(small)
        (tmp_path / "hard").hardlink_to(small)
        for output in (small, tmp_path / "soft", tmp_path / "hard"):
            failed(call("compile", small, "-o", output), "R016")
        assert small.read_bytes() == before

    @pytest.mark.parametrize("name", ["out.mlmodel", "out.ir"])
    def test_the_name_of_another_format_is_refused(self, name: str, call: Call, small: Path, tmp_path: Path) -> None:
        said = failed(call("compile", small, "-o", tmp_path / name), "L007")
        assert "call it out.tflite" in said and leftovers(tmp_path, "small.ir") == []

    def test_a_missing_folder(self, call: Call, small: Path, tmp_path: Path) -> None:
        said = failed(call("compile", small, "-o", tmp_path / "none" / "out.tflite"), "R012")
        assert "there is no folder" in said and leftovers(tmp_path, "small.ir") == []

    def test_a_folder_in_its_place(self, call: Call, small: Path, tmp_path: Path) -> None:
        (tmp_path / "folder.tflite").mkdir()
        assert "it is a folder" in failed(call("compile", small, "-o", tmp_path / "folder.tflite"), "R012")
        assert "is the model itself" in failed(call("compile", small, "-o", tmp_path), "R016"), "it lies in there"

    def test_a_failure_leaves_nothing_and_keeps_what_was_there(
        self, call: Call, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The disk fills up while the file is written."""

        def full(*args: object, **kwargs: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("nhwcc.formats.tflite.writer.write", full)
        (tmp_path / "out.tflite").write_text("old")
        said = failed(call("compile", small, "-o", tmp_path / "out.tflite"), "R012")
        assert "No space left on device" in said
        assert (tmp_path / "out.tflite").read_text() == "old" and leftovers(tmp_path, "small.ir") == ["out.tflite"]


class TestModels:
    @pytest.mark.parametrize(
        ("name", "content", "code"),
        [
            ("none.onnx", None, "R010"),
            ("empty.onnx", b"", "R010"),
            ("model.pt", b"PK\x03\x04 archive/data.pkl", "R010"),
            ("model.h5", b"\x89HDF", "R010"),
            ("model.mlmodel", b"\x00\x01\x02", "R015"),
            ("model.xyz", b"\x00\x01\x02", "R014"),
            ("model.tflite", b"\x1c\0\0\0TFL3", "R010"),
            ("model.ir", b"func @main(", "P001"),
        ],
    )
    def test_what_is_no_model(self, name: str, content: bytes | None, code: str, call: Call, tmp_path: Path) -> None:
        if content is not None:
            (tmp_path / name).write_bytes(content)
        failed(call("compile", tmp_path / name, "-o", tmp_path / "out.tflite"), code)
        assert leftovers(tmp_path, name) == []

    def test_the_way_out_of_checkpoints(self, call: Call, tmp_path: Path) -> None:
        (tmp_path / "m.meta").write_bytes(b"\x00\x01")
        said = failed(call("compile", tmp_path / "m.meta", "-o", tmp_path / "o.tflite"), "R015")
        assert "tf2onnx.convert --checkpoint" in said

    def test_cutting_ir(self, call: Call, small: Path, tmp_path: Path) -> None:
        failed(call("compile", small, "-o", tmp_path / "o.tflite", "--shape", "x=1,2,3,4"), "F019")
        failed(call("compile", small, "-o", tmp_path / "o.tflite", "--inputs", "a,b"), "F018")


class TestUsage:
    @pytest.mark.parametrize(
        "args",
        [
            ("-o",),
            ("-o", "x.tflite", "--no-such-option"),
            ("-o", "x.tflite", "--shape", "x"),
            ("-o", "x.tflite", "--shape", "x=1,,2"),
            ("-o", "x.tflite", "--seed", "many"),
            ("-o", "x.tflite", "--tolerance", "small"),
            ("-o", "x.tflite", "--data", "a.npy", "--data", "b.npy"),
        ],
    )
    def test_exit_code_2(self, args: tuple[str, ...], call: Call, small: Path) -> None:
        result = call("compile", small, *args)
        assert result.exit_code == 2 and "error[L011]" in result.stderr

    def test_options_are_suggested(self, call: Call, small: Path) -> None:
        assert "--verify-each" in call("compile", small, "-o", "x", "--verify-eahc").stderr


SHORT = "propagate-layout,legalize"
"""The two passes without which nothing is written."""


class TestPasses:
    def test_a_pipeline_of_ones_own(self, call: Call, small: Path, tmp_path: Path) -> None:
        result = call("compile", small, "-o", tmp_path / "o.tflite", "--passes", SHORT)
        assert result.exit_code == 0, result.output

    @pytest.mark.parametrize(
        ("args", "code", "says"),
        [
            (("--passes", "propagate-layuot"), "L002", "did you mean 'propagate-layout'?"),
            (("--passes", "propagate-layout{"), "L001", "^"),
            (("--passes", "propagate-layout{io=1}"), "L003", "its options: io-layout"),
            (("--disable-pass", "propagate-layuot"), "L002", "did you mean 'propagate-layout'?"),
            (("--print-ir-after", "propagate-layuot"), "L002", "did you mean 'propagate-layout'?"),
            (("--target", "tflight"), "L008", "did you mean 'tflite'?"),
            (("--load", "none.py"), "R010", "none.py"),
            (("--rules", "none.rules"), "R010", "none.rules"),
        ],
    )
    def test_mistakes(
        self, args: tuple[str, str], code: str, says: str, call: Call, small: Path, tmp_path: Path
    ) -> None:
        assert says in failed(call("compile", small, "-o", tmp_path / "o.tflite", *args), code)

    def test_rules_and_loaded_files(self, call: Call, small: Path, tmp_path: Path) -> None:
        write(tmp_path / "my.rules", "rule twice: add(%x, %x) where test-always(%x) => mul(%x, 2)")
        helper = "from nhwcc.compiler.rules import helper\n@helper\ndef test_always(x):\n    return True\n"
        write(tmp_path / "my.py", helper)
        args = ("--rules", tmp_path / "my.rules", "--load", tmp_path / "my.py", "--explain")
        result = call("compile", small, "-o", tmp_path / "o.tflite", *args)
        assert result.exit_code == 0, result.output
        assert "1 x twice" in result.stdout
        assert "MUL" in [op.name for op in inspect(tmp_path / "o.tflite").subgraphs[0].operators]

    def test_rules_that_never_fire(self, call: Call, small: Path, tmp_path: Path) -> None:
        """They are listed, with what is in the way where they came nearest."""
        write(tmp_path / "my.rules", "rule far: relu(add(%x, 3)) => relu(%x)\nrule none: softplus(%x) => relu(%x)")
        args = ("--rules", f"before:legalize={tmp_path / 'my.rules'}", "--passes", SHORT, "--explain")
        said = " ".join(call("compile", small, "-o", tmp_path / "o.tflite", *args).stdout.split())
        assert "never fired:" in said and "far: operand 2 of add is not the constant 3 (nearest at act)" in said
        assert "none" in said.partition("nothing to do for")[2]
        assert "never fired" not in call("compile", small, "-o", tmp_path / "o.tflite", "--passes", SHORT).stdout

    def test_printing(self, call: Call, small: Path, tmp_path: Path) -> None:
        args = ("--passes", SHORT, "--print-ir-before", "propagate-layout", "--print-ir-after-all")
        result = call("compile", small, "-o", tmp_path / "o.tflite", *args)
        assert "// IR before pass 1, propagate-layout\n" in result.stderr
        assert "// IR after pass 1, propagate-layout\n" in result.stderr and "func @main" not in result.stdout

    def test_dumping(self, call: Call, small: Path, tmp_path: Path) -> None:
        args = ("--passes", SHORT, "--dump-ir", tmp_path / "ir", "--dump-graph", tmp_path / "graph")
        assert call("compile", small, "-o", tmp_path / "o.tflite", *args).exit_code == 0
        assert (tmp_path / "ir" / "01-propagate-layout.ir").exists()
        assert (tmp_path / "graph" / "00-import.svg").exists()

    def test_dumping_for_two_targets(self, call: Call, conv: Path, tmp_path: Path) -> None:
        """Neither pipeline writes over what the other one left, weights among it."""
        outputs = ("-o", tmp_path / "o.tflite", "-o", tmp_path / "o.onnx")
        result = call("compile", conv, *outputs, "--dump-ir", tmp_path / "ir", "--json")
        assert [json.loads(result.stdout)["report"]["target"], json.loads(result.stdout)["more"][0]["target"]] == [
            "tflite",
            "onnx",
        ]
        texts = sorted((tmp_path / "ir").glob("*.ir"))
        assert {"00-import.ir", "2-00-import.ir"} <= {path.name for path in texts}
        for path in texts:
            assert read_module(path).main.returns

    def test_times_and_checks(self, call: Call, small: Path, tmp_path: Path) -> None:
        args = ("--time-passes", "--verify-each", "--check-each")
        result = call("compile", small, "-o", tmp_path / "o.tflite", *args)
        assert result.exit_code == 0 and "all passes" in result.stdout and "legalize" in result.stdout
        assert "passes: 1 output as before, at most" in result.stdout


class TestNothingIsProven:
    BELOW = "%s = square(%a) : f32[1,3,4,2]\n  %n = neg(%s) : f32[1,3,4,2]\n  "
    DEAD = SMALL.replace("%y = relu(%a)", BELOW + "%y = relu(%n)")

    def test_the_file_is_there_and_the_exit_code_says_so(self, call: Call, tmp_path: Path) -> None:
        model, out = write(tmp_path / "dead.ir", self.DEAD), tmp_path / "out.tflite"
        result = call("compile", model, "-o", out)
        assert result.exit_code == 4 and out.exists() and "not proven" in result.stdout
        assert "warning[R025]: nothing is proven of" in result.stderr and "all elements are equal" in result.stderr
        assert "--data gives inputs" in result.stderr and "--accept-unproven" in result.stderr

    def test_accepted(self, call: Call, tmp_path: Path) -> None:
        model = write(tmp_path / "dead.ir", self.DEAD)
        result = call("compile", model, "-o", tmp_path / "out.tflite", "--accept-unproven")
        assert result.exit_code == 0 and result.stderr == ""

    def test_json(self, call: Call, tmp_path: Path) -> None:
        model = write(tmp_path / "dead.ir", self.DEAD)
        result = call("compile", model, "-o", tmp_path / "out.tflite", "--json")
        answer = as_json(result)
        assert result.exit_code == 4 and answer["ok"] is False and result.stderr == ""
        assert answer["report"]["verification"]["proven"] is False
        assert [d["code"] for d in answer["diagnostics"]] == ["R025"]


WRONG = """
from nhwcc.compiler.pipeline import Pass, register
from nhwcc.compiler.rewrite import rewrite
from nhwcc.compiler.rules import parse_rules

@register("test-break-relu")
class BreakRelu(Pass):
    '''A wrong rule.'''

    def run(self, module):
        rewrite(module, parse_rules("rule wrong: relu(%x) => abs(%x)"))
"""


class TestWrongNumbers:
    @pytest.fixture
    def args(self, tmp_path: Path) -> Any:
        from nhwcc.compiler.pipeline import PASSES

        path = write(tmp_path / "wrong.py", WRONG)
        yield ("--load", path, "--passes", f"test-break-relu,{SHORT}")
        PASSES.pop("test-break-relu", None)

    def test_nothing_is_written_and_the_first_tensor_is_named(
        self, args: Any, call: Call, conv: Path, tmp_path: Path
    ) -> None:
        result = call("compile", conv, "-o", tmp_path / "out.tflite", *args)
        said = failed(result, "R020", 3)
        assert "map departs from the reference interpreter: max error" in said
        assert 'first to depart is "r", computed by' in said
        assert "nothing was written; --check-each finds the pass" in said
        assert not (tmp_path / "out.tflite").exists()

    def test_check_each_names_the_pass(self, args: Any, call: Call, conv: Path, tmp_path: Path) -> None:
        result = call("compile", conv, "-o", tmp_path / "out.tflite", *args, "--check-each")
        said = failed(result, "R021", 3)
        assert "pass 1, test-break-relu" in said and "wrong (1)" in said

    def test_no_verify_writes_it_nevertheless(self, args: Any, call: Call, conv: Path, tmp_path: Path) -> None:
        assert call("compile", conv, "-o", tmp_path / "out.tflite", *args, "--no-verify").exit_code == 0

    def test_data_may_hide_it(self, args: Any, call: Call, tmp_path: Path) -> None:
        model = write(tmp_path / "small.ir", SMALL)
        np.save(tmp_path / "x.npy", np.random.default_rng(0).random((1, 3, 4, 2), np.float32))
        for data in (tmp_path / "x.npy", f"x={tmp_path / 'x.npy'}"):
            result = call("compile", model, "-o", tmp_path / "out.tflite", *args, "--data", data)
            assert result.exit_code == 0 and "the given data" in result.stdout


class TestData:
    def test_mistakes(self, call: Call, small: Path, tmp_path: Path) -> None:
        np.save(tmp_path / "x.npy", np.ones(3))
        compile_ = ("compile", small, "-o", tmp_path / "o.tflite", "--data")
        failed(call(*compile_, tmp_path / "x.npy"), "R002")
        failed(call(*compile_, tmp_path / "none.npy"), "R010")
        assert "there are x" in failed(call(*compile_, f"y={tmp_path / 'x.npy'}"), "L006")


class TestJson:
    def test_the_report(self, call: Call, conv: Path, tmp_path: Path) -> None:
        result = call("compile", conv, "-o", tmp_path / "out.tflite", "--json")
        assert result.exit_code == 0 and result.stderr == ""
        answer = as_json(result)
        assert answer["ok"] is True and answer["diagnostics"] == []
        report = answer["report"]
        assert report["schema"] == 3 and report["transposes_after"] == 0 and report["bytes"] > 0
        assert {"name": "image", "type": "f32[1,8,6,3]", "layout": "NHWC", "source_layout": "NCHW"} in report["inputs"]
        assert [o["name"] for o in report["verification"]["outputs"]] == ["map", "scores"]
        assert report["verification"]["outputs"][0]["difference"]["status"] == "ok"
        assert {"propagate-layout", "legalize"} <= {p["name"] for p in report["passes"]}
        assert report["warnings"] == [] and report["peak_memory"] > 10_000_000

    def test_the_schema(self, call: Call, conv: Path, tmp_path: Path) -> None:
        """Fields may be added; none may go or change its type without another schema number."""
        report = as_json(call("compile", conv, "-o", tmp_path / "out.tflite", "--json"))["report"]
        types = {
            "schema": int, "source": str, "output": str, "target": str, "bytes": int, "requires": str,
            "inputs": list, "outputs": list, "ops_before": dict, "ops_after": dict, "transposes_before": int,
            "transposes_after": int, "layout": list, "layout_proof": dict, "passes": list, "remarks": list,
            "verification": dict, "seconds": float, "peak_memory": int, "verification_seconds": float, "warnings": list,
            "custom_ops": list, "not_verified": str, "quantization": type(None), "arena": int, "placement": type(None),
            "sizes": list, "signature": type(None),
        }  # fmt: skip
        assert {key: type(value) for key, value in report.items()} == types
        assert set(report["verification"]) == {
            "reference", "candidate", "tolerance", "data", "sizes", "outputs", "inside", "departed",
            "scales", "ok", "proven",
        }  # fmt: skip

    def test_diagnostics(self, call: Call, small: Path, tmp_path: Path) -> None:
        result = call("compile", small, "-o", small, "--json")
        answer = as_json(result)
        assert result.exit_code == 1 and result.stderr == "" and answer["ok"] is False and answer["report"] is None
        (only,) = answer["diagnostics"]
        assert set(only) == {"severity", "code", "message", "location", "excerpt", "inputs", "notes", "help"}
        assert only["code"] == "R016"

    def test_numbers_that_json_lacks(self, call: Call, tmp_path: Path) -> None:
        text = SMALL.replace("%y = relu(%a)", "%n = neg(%a) : f32[1,3,4,2]\n  %y = log(%n)")
        result = call("compile", write(tmp_path / "nan.ir", text), "-o", tmp_path / "out.tflite", "--json")
        json.loads(result.stdout, parse_constant=lambda word: pytest.fail(word))
        assert result.exit_code == 0
