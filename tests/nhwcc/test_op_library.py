"""Operators that users bring in files: the example of the docs, and what is said about mistakes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nhwcc.backends.registry import find_target
from nhwcc.backends.tflite import lowering, table
from nhwcc.compiler import opdef, plugins
from nhwcc.compiler.types import Array
from nhwcc.formats.tflite.flexbuffer import decode
from nhwcc.formats.tflite.reader import inspect
from nhwcc.frontends.onnx import registry
from onnx import ModelProto, helper
from onnx_models import model, node

import nhwcc
from nhwcc import CompileError
from nhwcc.pipelines import register_passes

EXAMPLES = Path(__file__).parents[2] / "examples"
NORM, TORCH, KERNEL = (EXAMPLES / f"channel_norm{end}.py" for end in ("", "_torch", "_kernel"))


@pytest.fixture(autouse=True)
def registries() -> Iterator[None]:
    """Forget afterwards what files have declared: other tests look at all operations that there are."""
    register_passes()
    find_target("tflite").patterns()
    loaded: Any = plugins._LOADED  # pyright: ignore[reportPrivateUsage]
    found: list[Any] = [
        opdef.OPS,
        registry.HANDLERS,
        table.TABLE.rows,
        lowering.LOWERINGS.patterns,
        lowering.LOWERINGS.documented,
        loaded,
    ]
    before = [registered.copy() for registered in found]
    yield
    for registered, kept in zip(found, before, strict=True):
        registered.clear()
        (registered.extend if isinstance(registered, list) else registered.update)(kept)  # pyright: ignore[reportUnknownMemberType]


def normed(domain: str = "com.acme", version: int = 1, **attributes: Any) -> ModelProto:
    """A convolution on either side of the operator."""
    rng = np.random.default_rng(0)
    constants = {
        "w": rng.standard_normal((4, 3, 3, 3)).astype(np.float32),
        "s": np.asarray([0.5, 1, 2, 4], np.float32),
        "v": rng.standard_normal((2, 4, 1, 1)).astype(np.float32),
    }
    middle = helper.make_node("ChannelNorm", ["a", "s"], ["b"], "norm1", domain=domain, **attributes)
    last = helper.make_node("Conv", ["b", "v"], ["y"], "last")
    made = model([node("Conv", "x w", "a"), middle, last], {"x": (1, 3, 8, 8)}, ["y"], constants)
    made.opset_import.append(helper.make_opsetid(domain, version))
    return made


def as_function(made: ModelProto) -> ModelProto:
    """Define the operator in the model, too: onnxruntime runs it then."""
    nodes = [
        helper.make_node("Constant", [], ["e"], value_float=0.1),
        helper.make_node("Constant", [], ["one"], value_ints=[1]),
        helper.make_node("Constant", [], ["shape"], value_ints=[1, -1, 1, 1]),
        helper.make_node("Mul", ["x", "x"], ["q"]),
        helper.make_node("ReduceMean", ["q", "one"], ["m"]),
        helper.make_node("Add", ["m", "e"], ["n"]),
        helper.make_node("Sqrt", ["n"], ["r"]),
        helper.make_node("Div", ["x", "r"], ["d"]),
        helper.make_node("Reshape", ["scale", "shape"], ["f"]),
        helper.make_node("Mul", ["d", "f"], ["y"]),
    ]
    opsets = [helper.make_opsetid("", 18)]
    made.functions.append(
        helper.make_function("com.acme", "ChannelNorm", ["x", "scale"], ["y"], nodes, opsets, ["epsilon"])
    )
    return made


def refused(code: str, source: Any, **options: Any) -> str:
    with pytest.raises(CompileError) as caught:
        nhwcc.compile(source, **options)
    assert [d.code for d in caught.value.diagnostics] == [code], caught.value
    return str(caught.value)


class TestTheExample:
    def test_from_onnx(self) -> None:
        """It is compiled without a transpose, and its own semantics are what the numbers are compared with.

        Its scale goes into the weights of the convolution behind it.
        """
        report = nhwcc.compile(normed(epsilon=0.1), load=[NORM]).report
        assert "acme.channel_norm" in report.ops_before and report.transposes_after == 0
        assert report.ops_after == {"CONV_2D": 2, "SQUARE": 1, "MEAN": 1, "ADD": 1, "RSQRT": 1, "MUL": 1}
        assert report.verification is not None and report.verification.ok
        assert report.verification.reference == "the reference interpreter"
        assert any("onnxruntime has no kernel" in w for w in report.warnings)

    def test_against_a_function_of_the_model(self) -> None:
        """The user's handler goes before the function, which onnxruntime runs: two sources, one meaning."""
        report = nhwcc.compile(as_function(normed(epsilon=0.1)), load=[NORM]).report
        assert "acme.channel_norm" in report.ops_before
        assert report.verification is not None and report.verification.ok
        assert report.verification.reference.startswith("onnxruntime")

    def test_wrong_semantics_are_found(self, tmp_path: Path) -> None:
        wrong = NORM.read_text().replace("build(Rsqrt, build(Add, mean, op.epsilon))", "build(Rsqrt, mean)")
        path = tmp_path / "wrong.py"
        path.write_text(wrong)
        with pytest.raises(nhwcc.VerificationError):
            nhwcc.compile(normed(epsilon=0.1), load=[path])

    def test_a_kernel_instead(self, tmp_path: Path) -> None:
        artifact = nhwcc.compile(normed(epsilon=0.1), tmp_path / "m.tflite", load=[NORM, KERNEL])
        report = artifact.report
        assert report.ops_after == {"CONV_2D": 2, "com.acme.ChannelNorm": 1} and report.transposes_after == 0
        (op,) = (o for o in inspect(artifact.path).subgraphs[0].operators if o.custom_options)
        told = decode(op.custom_options or b"")
        assert told["axis"] == 3 and told["epsilon"] == pytest.approx(0.1)
        assert "com.acme.ChannelNorm" in report.not_verified

    def test_from_pytorch(self) -> None:
        import torch
        from nhwcc.frontends.torch.registry import HANDLERS
        from torch import Tensor, nn

        def channel_norm(x: Tensor, scale: Tensor, epsilon: float = 1e-5) -> Tensor:
            return x / (x.square().mean(1, keepdim=True) + epsilon).sqrt() * scale.reshape(-1, 1, 1)

        library: Any = torch.library.Library("acme", "FRAGMENT")
        library.define("channel_norm(Tensor x, Tensor scale, float epsilon=1e-05) -> Tensor")
        library.impl("channel_norm", channel_norm, "CompositeExplicitAutograd")

        class Net(nn.Module):
            def forward(self, x: Tensor, scale: Tensor) -> Tensor:
                found: Any = torch.ops.acme
                return found.channel_norm(torch.relu(x), scale)

        args = (torch.randn(1, 3, 4, 4), torch.randn(3))
        try:
            report = nhwcc.compile(Net(), args=args, load=[NORM, TORCH]).report
        finally:
            HANDLERS.pop("acme::channel_norm.default", None)
        assert report.ops_before == {"relu": 1, "acme.channel_norm": 1}
        assert report.verification is not None and report.verification.ok
        assert report.verification.reference.startswith("PyTorch")

    def test_the_text_form(self) -> None:
        plugins.load_file(NORM)
        text = b"""func @main(%x: f32[2,3], %s: f32[3]) -> (f32[2,3]) {
          %y = acme.channel_norm(%x, %s) {axis = 1} : f32[2,3]
          return(%y)
        }"""
        x: Array = np.asarray([[3, 4, 0], [1, 1, 1]], np.float32)
        (got,) = nhwcc.compile(text)(x, np.ones(3, np.float32)).values()
        np.testing.assert_allclose(got, x / np.sqrt((x * x).mean(1, keepdims=True)), rtol=1e-4)


def library(folder: Path, old: str, new: str) -> Path:
    """The example with a mistake."""
    text = NORM.read_text()
    assert old in text
    path = folder / "mine.py"
    path.write_text(text.replace(old, new))
    return path


class TestMistakes:
    @pytest.mark.parametrize(
        ("old", "new", "line", "says"),
        [
            (
                "    def infer(self)",
                "    def infers(self)",
                "@op(",
                "needs a method infer that gives the result's type",
            ),
            ("x: Value, scale: Value, *, epsilon", "x, scale: Value, *, epsilon", "@onnx_op(", "'x' of the handler"),
            ("*, epsilon: float", "*, epsilon: bytes", "@onnx_op(", "no type that attributes have: int, float"),
            ("np.mean(x * x, axis", "np.mean(x * y, axis", "np.mean(x * y", "fails in evaluate: NameError"),
            ("return self.x.type\n", "return self.x.typo\n", "self.x.typo", "fails in infer: AttributeError"),
            ("letters(self.x.type.rank)", "letters(self.x)", "letters(self.x)", "fails in axes: TypeError"),
            ("(op.axis,))\n", "(op.axis,), 1, 2)\n", "(op.axis,), 1, 2)", "fails in channel_norm_of_parts: TypeError"),
            ("emit(ChannelNorm(x, scale, axis=1", "emit(ChannelNorm(x, axis=1", "ChannelNorm(x, axis=1", "is missing"),
            ("import annotations", "import annotations\nimport numpyy", "import numpyy", "ModuleNotFoundError"),
            ("class ChannelNorm(Op):", "class ChannelNorm(Op)", "class ChannelNorm(Op)", "SyntaxError"),
            ("    axis: Axis\n", "    axis: int\n", "@op(", "write axis: Axis (of nhwcc.compiler.axes)"),
            ("    axis: Axis\n", "    axis: Axis\n    after: int = 0\n", "@op(", "every operation has 'after' already"),
            ("*, axis: int, epsilon: float", "*, epsilon: float", "@op(", "evaluate(x, scale, axis=axis, epsilon="),
            ("x: Array, scale: Array, *", "x: Array, *", "@op(", "evaluate(x, scale, axis=axis, epsilon="),
        ],
    )
    def test_the_line_is_named(self, tmp_path: Path, old: str, new: str, line: str, says: str) -> None:
        path = library(tmp_path, old, new)
        text = refused("L010", normed(), load=[path])
        number = next(i for i, found in enumerate(path.read_text().splitlines(), 1) if line in found)
        assert f"{path}:{number}: " in text and says in text and line in text and "docs/custom-ops.md" in text

    def test_a_type_that_is_none(self, tmp_path: Path) -> None:
        path = library(tmp_path, "        return self.x.type\n", "        self.x.type\n")
        assert "infer of acme.channel_norm gives None" in refused("L010", normed(), load=[path])

    @pytest.mark.parametrize("trait", ["", ", Pure"])
    @pytest.mark.parametrize("how", ["return {}", "build.replace({})"])
    def test_what_is_lowered_goes(self, tmp_path: Path, trait: str, how: str) -> None:
        """A lowering may return the new result; the operation goes, whether it was said to be pure or not."""
        value = "build(Mul, build(Mul, op.x, factor), build.reshape(op.scale, shape))"
        path = library(tmp_path, f"build.replace({value})", how.format(value))
        path.write_text(path.read_text().replace('@op("acme.channel_norm", Pure)', f'@op("acme.channel_norm"{trait})'))
        report = nhwcc.compile(normed(), load=[path]).report
        assert report.verification is not None and report.verification.ok

    def test_shapes_that_do_not_fit(self) -> None:
        made = normed()
        made.graph.initializer[1].CopyFrom(made.graph.initializer[2])
        made.graph.initializer[1].name = "s"
        text = refused("T001", made, load=[NORM])
        assert "are not the factors of axis 1" in text and 'node "norm1"' in text

    @pytest.mark.parametrize("wrong", ["ChannelNorm(x, scale, axis=1, epsilon=epsilon)", "None"])
    def test_a_handler_without_a_value(self, tmp_path: Path, wrong: str) -> None:
        path = library(tmp_path, "return emit(ChannelNorm(x, scale, axis=1, epsilon=epsilon))", f"return {wrong}")
        assert "has a handler that gives" in refused("L010", normed(), load=[path])

    def test_another_domain_or_version(self, tmp_path: Path) -> None:
        assert "Is it com.acme.ChannelNorm?" in refused("F001", normed("com.acne"), load=[NORM])
        newer = library(tmp_path, "since=1", "since=3")
        newer.write_text(newer.read_text().replace("acme.", "other.").replace("com.acme", "com.other"))
        assert "another version: 3 and later are known" in refused("F001", normed("com.other", 2), load=[newer])

    def test_an_attribute_that_the_handler_lacks(self) -> None:
        assert "has no attribute 'epsilom'" in refused("F002", normed(epsilom=0.1), load=[NORM])

    def test_without_a_lowering(self, tmp_path: Path) -> None:
        path = library(tmp_path, "@lower(ChannelNorm)\n", "")
        assert "TFLite can't run acme.channel_norm" in refused("B001", normed(), load=[path])

    def test_without_semantics(self, tmp_path: Path) -> None:
        path = library(tmp_path, "def evaluate(", "def evaluates(")
        text = refused("R001", normed(), load=[path])
        assert "acme.channel_norm has no reference semantics" in text and "give its declaration an evaluate" in text
        assert nhwcc.compile(as_function(normed(epsilon=0.1)), load=[]).report.verification is not None

    def test_a_mistake_can_be_corrected(self, tmp_path: Path) -> None:
        path = library(tmp_path, "import annotations", "import annotations\nimport numpyy")
        refused("L010", normed(), load=[path])
        path.write_text(NORM.read_text())
        assert nhwcc.compile(normed(), load=[path]).report.verification is not None

    def test_what_is_no_mistake_of_theirs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*_: Any) -> None:
            raise KeyError("ours")

        monkeypatch.setattr("nhwcc.driver.count_ops", broken)
        with pytest.raises(KeyError, match="ours"):
            nhwcc.compile(normed(), load=[NORM])
