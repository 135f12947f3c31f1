"""The other commands: opt, inspect, verify, passes, explain, doctor."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from models import CONV, SMALL, onnx_model, write, write_onnx
from nhwcc.compiler.codes import CODES
from nhwcc.compiler.parser import parse_module, read_module
from nhwcc.compiler.printer import print_module
from onnx import TensorProto, helper

from .conftest import Call, as_json, process


class TestOpt:
    def test_standard_output_is_ir(self, call: Call, conv: Path) -> None:
        result = call("opt", conv, "--passes", "propagate-layout{io-layout=nhwc}")
        assert result.exit_code == 0 and result.stderr == ""
        assert "channels_last = true" in result.stdout and parse_module(result.stdout).main.inputs[0].perm

    def test_without_passes_it_prints(self, call: Call, small: Path) -> None:
        assert call("opt", small).stdout == print_module(read_module(small), locations=True)

    def test_a_file_with_its_weights(self, call: Call, tmp_path: Path) -> None:
        big = "%w = const() {value = dense<[1.0, 2.0]> : f32[2]} : f32[2]\n  %t = tile(%w) {repeats = [20]} : f32[40]"
        text = f"func @main() -> (f32[40]) {{\n  {big}\n  return(%t)\n}}\n"
        folding = """
from nhwcc.compiler.fold import fold
from nhwcc.compiler.ops.core import Const
from nhwcc.compiler.pipeline import Pass, register
@register("test-fold-all")
class FoldAll(Pass):
    '''Fold.'''
    def run(self, module):
        body = module.main.body
        for op in body.ops:
            for result, weight in zip(op.results, fold(op) or ()):
                result.replace_all_uses_with(body.insert(Const(weight), before=op).results[0])
"""
        source, out = write(tmp_path / "big.ir", text), tmp_path / "out.ir"
        args = ("--load", write(tmp_path / "fold.py", folding), "--passes", "test-fold-all")
        result = call("opt", source, "-o", out, *args)
        assert result.exit_code == 0 and result.output == ""
        assert (tmp_path / "out.ir.safetensors").exists() and 'weights "out.ir.safetensors"' in out.read_text()
        read_module(out)
        shown = call("opt", source, *args)
        assert "@@elided" in shown.stdout

    def test_a_small_file_has_no_side_file(self, call: Call, small: Path, tmp_path: Path) -> None:
        assert call("opt", small, "-o", tmp_path / "out.ir").exit_code == 0
        assert "weights" not in (tmp_path / "out.ir").read_text() and not (tmp_path / "out.ir.safetensors").exists()

    def test_the_model_itself_is_refused(self, call: Call, small: Path) -> None:
        result = call("opt", small, "-o", small)
        assert result.exit_code == 1 and "error[R016]" in result.stderr and small.read_text() == SMALL

    def test_flags(self, call: Call, small: Path, tmp_path: Path) -> None:
        args = ("--passes", "propagate-layout", "--print-ir-after-all", "--time-passes", "--explain", "--verify-each")
        result = call("opt", small, *args, "--check-each", "--dump-ir", tmp_path / "d")
        assert result.exit_code == 0 and result.stdout.startswith("func @main")
        assert "// IR after pass 1" in result.stderr and "all passes" in result.stderr and "no rule" in result.stderr

    def test_passes_of_targets(self, conv: Path) -> None:
        """In a process that has registered nothing yet."""
        done = process("opt", conv, "--passes", "legalize")
        assert done.returncode == 0 and done.stdout.count(" = transpose(") == 2, done.stderr

    def test_json(self, call: Call, small: Path) -> None:
        answer = as_json(call("opt", small, "--passes", "propagate-layout", "--json"))
        assert answer["report"]["ir"].startswith("func @main")
        assert answer["report"]["passes"][0]["name"] == "propagate-layout"


class TestInspect:
    def test_ir(self, call: Call, conv: Path) -> None:
        result = call("inspect", conv)
        assert result.exit_code == 0
        out = " ".join(result.stdout.split())
        assert "input image f32[1,3,8,6]" in out and "output map f32[1,4,4,3]" in out
        assert "weights 12 parameters, 48 B" in out and f"work {4 * 4 * 3 * 3} multiply-accumulates" in out
        assert "operations 3, 0 of them transposes" in out and "1 conv" in out and "conv(" not in out

    def test_operations_one_by_one(self, call: Call, conv: Path) -> None:
        assert "conv(%image" in call("inspect", conv, "--ops").stdout

    def test_tflite(self, call: Call, conv: Path, tmp_path: Path) -> None:
        call("compile", conv, "-o", tmp_path / "o.tflite")
        out = " ".join(call("inspect", tmp_path / "o.tflite", "--ops").stdout.split())
        assert "a TFLite file" in out and "input image float32[1,8,6,3] NHWC (source: NCHW)" in out
        assert "1 CONV_2D" in out and f"work {4 * 4 * 3 * 3} multiply-accumulates" in out

    def test_json(self, call: Call, conv: Path, tmp_path: Path) -> None:
        call("compile", conv, "-o", tmp_path / "o.tflite")
        for path in (conv, tmp_path / "o.tflite"):
            report = as_json(call("inspect", path, "--json"))["report"]
            assert report["macs"] == 4 * 4 * 3 * 3 and report["parameters"] >= 12 and "ops" not in report
            assert "ops" in as_json(call("inspect", path, "--json", "--ops"))["report"]

    def test_drawing(self, call: Call, conv: Path, tmp_path: Path) -> None:
        call("compile", conv, "-o", tmp_path / "o.tflite")
        for path in (conv, tmp_path / "o.tflite"):
            assert call("inspect", path, "--draw", tmp_path / "d.svg").exit_code == 0
            assert "<svg" in (tmp_path / "d.svg").read_text()

    def test_named_sizes(self, call: Call, tmp_path: Path) -> None:
        text = CONV.replace("f32[1,", "f32[n,")
        assert "144*n multiply" in call("inspect", write(tmp_path / "n.ir", text)).stdout

    def test_errors(self, call: Call, tmp_path: Path) -> None:
        (tmp_path / "m.tflite").write_bytes(b"\x1c\0\0\0TFL3 and rubbish")
        for name in ("m.tflite", "none.onnx"):
            result = call("inspect", tmp_path / name)
            assert result.exit_code == 1 and "error[R010]" in result.stderr

    def test_operators_that_nobody_knows(self, call: Call, tmp_path: Path) -> None:
        """They are counted; the model is shown as it stands."""
        model = onnx_model()
        model.graph.node[1].op_type, model.graph.node[1].domain = "Sharpen", "com.acme"
        model.opset_import.add(domain="com.acme", version=1)
        path = write_onnx(tmp_path / "m.onnx", model)
        result = call("inspect", path, "--ops", "--draw", tmp_path / "m.svg")
        out = " ".join(result.stdout.split())
        assert result.exit_code == 0, result.output
        assert "unsupported com.acme.Sharpen (1 x)" in out and "1 com.acme.Sharpen" in out and "1 Conv" in out
        assert "input image f32[1,3,8,6]" in out and "map = com.acme.Sharpen(c)" in out
        assert "com.acme.Sharpen" in (tmp_path / "m.svg").read_text()
        report = as_json(call("inspect", path, "--json"))["report"]
        assert report["unsupported"] == {"com.acme.Sharpen": 1} and report["counts"]["Conv"] == 1

    def test_operators_in_branches_and_functions(self, call: Call, tmp_path: Path) -> None:
        strange = helper.make_node("Strange", ["x"], ["y"], domain="com.acme")
        x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, [2]) for n in "xy")
        branch = helper.make_graph([strange], "branch", [], [y])
        both = helper.make_node("If", ["c"], ["z"], then_branch=branch, else_branch=branch)
        c = helper.make_tensor_value_info("c", TensorProto.BOOL, [])
        z = helper.make_tensor_value_info("z", TensorProto.FLOAT, [2])
        sets = [helper.make_opsetid("", 20), helper.make_opsetid("com.acme", 1)]
        model = helper.make_model(helper.make_graph([both], "g", [c, x], [z]), opset_imports=sets, ir_version=9)
        report = as_json(call("inspect", write_onnx(tmp_path / "m.onnx", model), "--json"))["report"]
        assert report["unsupported"] == {"com.acme.Strange": 2} and report["counts"] == {"com.acme.Strange": 2, "If": 1}


class TestVerify:
    def test_a_model_and_what_became_of_it(self, call: Call, conv: Path, tmp_path: Path) -> None:
        call("compile", conv, "-o", tmp_path / "o.tflite")
        result = call("verify", conv, tmp_path / "o.tflite")
        assert result.exit_code == 0 and result.stdout.count(" ok") == 2

    def test_onnx(self, call: Call, conv: Path, tmp_path: Path) -> None:
        call("compile", conv, "-o", tmp_path / "o.tflite")
        model = write_onnx(tmp_path / "m.onnx")
        for other in (conv, tmp_path / "o.tflite", model):
            result = call("verify", model, other, "--per-op")
            assert result.exit_code == 0, result.output
            assert "against onnxruntime" in result.stdout

    def test_difference(self, call: Call, conv: Path, tmp_path: Path) -> None:
        other = write(tmp_path / "other.ir", CONV.replace("0.3", "0.4"))
        result = call("verify", conv, other, "--per-op")
        assert result.exit_code == 3 and "error[R020]" in result.stderr and "differs" in result.stdout
        assert call("verify", conv, other, "--tolerance", "10").exit_code == 0

    def test_data(self, call: Call, conv: Path, tmp_path: Path) -> None:
        np.save(tmp_path / "x.npy", np.zeros((1, 3, 8, 6), np.float32))
        result = call("verify", conv, conv, "--data", tmp_path / "x.npy")
        assert result.exit_code == 4 and "not proven" in result.stdout
        assert "warning[R025]: nothing is proven of map: all elements are equal" in result.stderr
        answer = as_json(call("verify", conv, conv, "--data", tmp_path / "x.npy", "--json"))
        assert not answer["ok"] and not answer["report"]["proven"] and answer["diagnostics"][0]["code"] == "R025"
        assert call("verify", conv, conv, "--data", tmp_path / "x.npy", "--accept-unproven").exit_code == 0

    def test_other_interfaces(self, call: Call, conv: Path, small: Path) -> None:
        result = call("verify", conv, small)
        assert result.exit_code == 1 and "error[R022]" in result.stderr

    def test_json(self, call: Call, conv: Path, tmp_path: Path) -> None:
        answer = as_json(call("verify", conv, conv, "--json"))
        assert answer["ok"] and [o["name"] for o in answer["report"]["outputs"]] == ["map", "scores"]
        other = write(tmp_path / "other.ir", CONV.replace("0.3", "0.4"))
        result = call("verify", conv, other, "--json")
        answer = as_json(result)
        assert result.exit_code == 3 and not answer["ok"] and answer["diagnostics"][0]["code"] == "R020"

    def test_what_can_not_be_run(self, call: Call, conv: Path, tmp_path: Path) -> None:
        (tmp_path / "m.h5").write_bytes(b"\x89HDF")
        assert "error[R010]" in call("verify", conv, tmp_path / "m.h5").stderr
        broken = onnx_model()
        broken.graph.node[0].op_type = "NoSuchOperator"
        result = call("verify", write_onnx(tmp_path / "broken.onnx", broken), conv)
        assert result.exit_code == 1 and "error[R018]" in result.stderr


class TestPasses:
    def test_the_list(self, call: Call) -> None:
        result = call("passes")
        lines = dict(line.split(None, 1) for line in result.stdout.splitlines())
        assert lines["propagate-layout"].startswith("Choose a storage order for every value")
        assert "legalize" in lines and "apply-rules" in lines

    def test_one(self, call: Call) -> None:
        out = call("passes", "propagate-layout").stdout
        assert "channels: first | last = last" in out and "io-layout: str = free" in out
        assert "file: str (required)" in call("passes", "apply-rules").stdout

    def test_unknown(self, call: Call) -> None:
        result = call("passes", "propagate-layuot")
        assert result.exit_code == 1 and "did you mean 'propagate-layout'?" in result.stderr

    def test_json(self, call: Call) -> None:
        (only,) = as_json(call("passes", "apply-rules", "--json"))["report"]["passes"]
        assert only["options"] == [{"name": "file", "type": "str", "default": ""}]


class TestExplain:
    @pytest.mark.parametrize("text", ["T001", "t001", "error[T001]", "error[T001]:"])
    def test_a_code(self, text: str, call: Call) -> None:
        out = call("explain", text).stdout
        assert CODES["T001"].cause in out and CODES["T001"].remedy in out and "Types" in out

    def test_unknown(self, call: Call) -> None:
        result = call("explain", "T0011")
        assert result.exit_code == 2 and "did you mean" in result.stderr

    def test_json(self, call: Call) -> None:
        assert as_json(call("explain", "T001", "--json"))["report"]["title"] == CODES["T001"].title


class TestDoctor:
    def test_all_is_well(self, call: Call) -> None:
        result = call("doctor")
        assert result.exit_code == 0
        for name in ("python", "numpy", "onnx", "ai-edge-litert", "onnxruntime"):
            assert name in result.stdout

    def test_extras_may_be_missing(self, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(__import__("sys").modules, "torch", None)
        result = call("doctor")
        assert result.exit_code == 0 and "pip install 'nhwcc[torch]'" in result.stdout

    def test_the_core_may_not(self, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(__import__("sys").modules, "flatbuffers", None)
        result = call("doctor")
        assert result.exit_code == 1 and "not installed" in result.stdout
        answer = as_json(call("doctor", "--json"))
        broken = [f["name"] for f in answer["report"]["findings"] if f["problem"] and not f["extra"]]
        assert not answer["ok"] and broken == ["flatbuffers"]

    def test_every_requirement_is_looked_at(self) -> None:
        import re
        import tomllib

        from nhwcc.doctor import LIBRARIES

        project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
        needed = {re.split(r"[<>=\[]", text)[0] for text in project["dependencies"]}
        assert {x.distribution for x in LIBRARIES if not x.extra} == needed
        extras = project["optional-dependencies"]
        for library in LIBRARIES:
            if library.extra:
                assert any(text.startswith(library.distribution) for text in extras[library.extra])
