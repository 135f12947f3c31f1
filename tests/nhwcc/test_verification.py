"""Verification: what agrees, what departs, and where first."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import numpy as np
import pytest
from models import CONV, onnx_model
from nhwcc.backends.tflite.runtime import TfliteModel
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.ir import Module
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.refinement import refined
from nhwcc.compiler.types import Array
from nhwcc.formats.tflite.reader import inspect
from nhwcc.passes.propagate_layout import PropagateLayout

from nhwcc.drawing import SCALE
from nhwcc.driver import compile_model
from nhwcc.options import TOLERANCE, CompileOptions
from nhwcc.runners import Traced
from nhwcc.runners.bounded import Bounded
from nhwcc.runners.onnx import OnnxRunner
from nhwcc.runners.reference import ReferenceRunner
from nhwcc.sources import load
from nhwcc.verification import Settings, VerificationError, verify


def module(statements: str, output: str = "y", name: str = "x") -> Module:
    return parse_module(
        f'func @main(%{name}: f32[2,3]) -> (f32[2,3] {{name = "{output}"}}) {{\n{statements}\nreturn(%y)\n}}'
    )


GOOD = "%a = exp(%x) : f32[2,3]\n%b = neg(%a) : f32[2,3]\n%y = abs(%b) : f32[2,3]"
WRONG = "%a = exp(%x) : f32[2,3]\n%b = sqrt(%a) : f32[2,3]\n%y = abs(%b) : f32[2,3]"


def runners(first: str, second: str) -> tuple[ReferenceRunner, ReferenceRunner]:
    return ReferenceRunner(module(first)), ReferenceRunner(module(second))


def test_agreement() -> None:
    found = verify(*runners(GOOD, GOOD), Settings(seed=5))
    assert found.ok and [(o.name, o.difference.status) for o in found.outputs] == [("y", "ok")]
    assert found.inside == [] and found.departed is None and found.data == "random inputs, seed 5"


OPEN = "func @main(%x: f32[n,h]) -> (f32[n,h]) {{\n%y = {}(%x) : f32[n,h]\nreturn(%y)\n}}"


def test_open_sizes_are_checked_at_three() -> None:
    good = parse_module(OPEN.format("neg"))
    found = verify(ReferenceRunner(good), ReferenceRunner(good), Settings())
    assert found.ok and found.sizes == {"n": [1, 2, 3], "h": [64, 45, 109]} and found.scales == [1, 1, SCALE]


def test_sizes_are_those_that_the_network_demands() -> None:
    """A batch is tried with 1 and 2, which are no multiples of 4: the source does not say that it has to be one."""
    source = parse_module(
        "func @main(%x: f32[n,3]) -> (f32[(n//4),12]) {\n"
        "%y = reshape(%x) {shape = ['n//4', 12]} : f32[(n//4),12]\nreturn(%y)\n}"
    )
    module, assumptions = refined(source)
    runner = Bounded(ReferenceRunner(source), module.main)
    assert [str(a.value) for a in assumptions] == ["4*n_4"] and str(runner.inputs["x"]) == "f32[4*n_4,3]"
    assert verify(runner, ReferenceRunner(module), Settings()).ok


def test_an_error_at_one_size_is_found_and_named() -> None:
    class Short(ReferenceRunner):
        """Wrong for what is odd."""

        def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
            return {name: array * (1 + array.shape[1] % 2) for name, array in super().run(inputs).items()}

    good = parse_module(OPEN.format("neg"))
    found = verify(ReferenceRunner(good), Short(good), Settings())
    assert not found.ok and found.sizes == {"n": [1, 2], "h": [64, 45]}
    assert "with n = 2, h = 45" in found.problems().diagnostics[0].message


def test_the_first_tensor_that_departs_is_named() -> None:
    found = verify(*runners(GOOD, WRONG), Settings())
    assert not found.ok and found.departed is not None
    assert (found.departed.name, found.departed.kind) == ("b", "sqrt")
    assert [(c.name, c.difference.ok) for c in found.inside] == [("a", True), ("b", False)], "what follows departs, too"
    bad = found.problems()
    assert isinstance(bad, VerificationError)
    (only,) = bad.diagnostics
    assert only.code == "R020" and "y departs from the reference interpreter" in only.message
    assert 'first to depart is "b", computed by sqrt' in only.notes[0]


def test_nothing_inside_has_the_same_name() -> None:
    other = "%p = exp(%x) : f32[2,3]\n%q = sqrt(%p) : f32[2,3]\n%y = abs(%q) : f32[2,3]"
    found = verify(*runners(GOOD, other), Settings())
    assert [c.name for c in found.inside] == ["y"] and found.departed is not None


def test_few_tensors_inside_are_held_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Collection[str] | None] = []

    class Asked(ReferenceRunner):
        def trace(self, inputs: Mapping[str, Array], only: Collection[str] | None = None) -> Iterator[Traced]:
            asked.append(only)
            return super().trace(inputs, only)

    monkeypatch.setattr("nhwcc.verification.TRACED_BYTES", 40)
    found = verify(Asked(module(GOOD)), ReferenceRunner(module(GOOD)), Settings(inside=True))
    assert [c.name for c in found.inside] == ["a", "b", "y"] and asked == [{"a", "b"}, {"y"}]
    asked.clear()
    assert verify(Asked(module(GOOD)), ReferenceRunner(module(WRONG)), Settings()).departed is not None
    assert asked == [{"a", "b"}], "nothing behind the first departure is computed again"


def test_looking_inside_on_request() -> None:
    found = verify(*runners(GOOD, GOOD), Settings(inside=True))
    assert [c.name for c in found.inside] == ["a", "b", "y"] and found.ok and found.departed is None


class Shaky(ReferenceRunner):
    """Gets other last digits when it computes in another order."""

    def __init__(self, text: str, noise: float) -> None:
        super().__init__(module(text))
        self.noise = noise

    def run_otherwise(self, inputs: Mapping[str, Array]) -> dict[str, Array]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return {name: array + np.float32(self.noise) for name, array in self.run(inputs).items()}


@pytest.mark.parametrize(("noise", "ok"), [(1e-3, True), (1e-5, False), (0.0, False)])
def test_no_closer_than_the_source_is_to_itself(noise: float, ok: bool) -> None:
    off = GOOD.replace("%y = abs(%b)", "%c = abs(%b)") + (
        "\n%k = const() {value = dense<1.002> : f32[]} : f32[]\n%y = mul(%c, %k) : f32[2,3]"
    )
    data = np.asarray([[-1.0, -0.5, 0.0], [0.25, 0.5, 0.75]], np.float32)
    found = verify(Shaky(GOOD, noise), ReferenceRunner(module(off)), Settings(data=data))
    assert found.ok is ok
    if ok:
        assert "the two are 0.001 from themselves" in found.outputs[0].difference.note


def test_a_network_that_amplifies_the_last_bit_of_its_input_is_not_held_to_more() -> None:
    """1,000 times what is left of numbers near one: they are only as exact as the last bit of the input."""
    steep = """%c = const() {value = dense<-1.0> : f32[]} : f32[]
%d = add(%x, %c) : f32[2,3]
%k = const() {value = dense<1000.0> : f32[]} : f32[]
%y = mul(%d, %k) : f32[2,3]"""
    data = np.asarray([[1.0001, 1.0002, 1.0003], [1.0004, 1.0005, 1.0006]], np.float32)

    class Rounded(ReferenceRunner):
        def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
            return {name: array * np.float32(self.factor) for name, array in super().run(inputs).items()}

        factor = 1.0

    near, far = Rounded(module(steep)), Rounded(module(steep))
    near.factor, far.factor = 1.0005, 1.01
    reference = ReferenceRunner(module(steep))
    assert verify(reference, near, Settings(data=data)).ok
    assert not verify(reference, far, Settings(data=data)).ok


def test_another_shape_is_a_difference() -> None:
    turned = "%y = transpose(%x) {perm = [1, 0]} : f32[3,2]"
    other = parse_module(f'func @main(%x: f32[2,3]) -> (f32[3,2] {{name = "y"}}) {{\n{turned}\nreturn(%y)\n}}')
    found = verify(ReferenceRunner(module(GOOD)), ReferenceRunner(other), Settings())
    assert not found.ok and found.outputs[0].difference.note == "shape [3, 2], not [2, 3]"


def test_tolerance() -> None:
    scaled = GOOD.replace("%a = exp(%x)", "%a = elu(%x) {alpha = 1.001}").replace("f32[2,3]", "f32[2,3]")
    base = scaled.replace("1.001", "1.0")
    assert not verify(*runners(base, scaled), Settings(tolerance=1e-6)).ok
    assert verify(*runners(base, scaled), Settings(tolerance=1e-2)).ok


def test_the_users_data() -> None:
    data = np.full((2, 3), 0.5, np.float32)
    found = verify(*runners("%y = relu(%x) : f32[2,3]", "%y = abs(%x) : f32[2,3]"), Settings(data=data))
    assert found.ok and found.data == "the given data", "positive data can't tell relu from abs"
    assert found.outputs[0].difference.status == "not proven", "and says so: all elements are equal"
    assert not verify(*runners("%y = relu(%x) : f32[2,3]", "%y = abs(%x) : f32[2,3]"), Settings()).ok


def test_layouts_of_both_are_taken_into_account() -> None:
    stored = load(CONV.encode())
    PropagateLayout(io_layout="nhwc").run(stored)
    found = verify(ReferenceRunner(load(CONV.encode())), ReferenceRunner(stored), Settings(inside=True))
    assert found.ok and {c.name for c in found.inside} >= {"c", "r", "m"}
    assert all(c.difference.ok for c in found.inside), "inside, elements are compared whatever their order"


def test_another_runtime() -> None:
    """The same network as ONNX and as IR."""
    found = verify(OnnxRunner(onnx_model()), ReferenceRunner(load(CONV.encode())), Settings(inside=True))
    assert found.ok and [o.name for o in found.outputs] == ["map", "scores"]
    assert [c.name for c in found.inside] == ["c"], "other tensors have other names"
    other = CONV.replace("0.3", "0.31")
    assert not verify(OnnxRunner(onnx_model()), ReferenceRunner(load(other.encode())), Settings()).ok


class TestNames:
    def test_other_names_are_matched_by_place(self) -> None:
        first = ReferenceRunner(module("%y = neg(%x) : f32[2,3]"))
        second = ReferenceRunner(module("%y = neg(%in) : f32[2,3]", "result", "in"))
        assert verify(first, second, Settings()).ok

    def test_other_numbers_of_outputs(self) -> None:
        two = parse_module("func @main(%x: f32[2,3]) -> (f32[2,3], f32[2,3]) {\nreturn(%x, %x)\n}")
        with pytest.raises(CompileError) as caught:
            verify(ReferenceRunner(module(GOOD)), ReferenceRunner(two), Settings())
        assert caught.value.diagnostics[0].code == "R022"

    def test_names_that_overlap_are_not_matched_by_place(self) -> None:
        text = 'func @main(%x: f32[2,3]) -> (f32[2,3] {{name = "{}"}}, f32[2,3] {{name = "{}"}}) {{\nreturn(%x, %x)\n}}'
        a, b = (ReferenceRunner(parse_module(text.format(*names))) for names in (("p", "q"), ("q", "r")))
        with pytest.raises(CompileError):
            verify(a, b, Settings())


def test_sizes_that_one_side_fixes_are_those_of_both() -> None:
    fixed = "func @main(%x: f32[2,5]) -> (f32[2,5]) {\n%y = neg(%x) : f32[2,5]\nreturn(%y)\n}"
    first, second = ReferenceRunner(parse_module(OPEN.format("neg"))), ReferenceRunner(parse_module(fixed))
    assert verify(first, second, Settings()).sizes == {"n": [2, 2], "h": [5, 5]}


@pytest.mark.parametrize(("shape", "said"), [("3,2", "in that of the reference"), ("2,4", "--shape")])
def test_sizes_that_nothing_suits_are_told(shape: str, said: str) -> None:
    other = f"func @main(%x: f32[{shape}]) -> (f32[{shape}]) {{\n%y = neg(%x) : f32[{shape}]\nreturn(%y)\n}}"
    with pytest.raises(CompileError) as caught:
        verify(ReferenceRunner(module(GOOD)), ReferenceRunner(parse_module(other)), Settings())
    (problem,) = caught.value.diagnostics
    assert problem.code == "R022" and "x is [2, 3] in one" in problem.message and said in (problem.help or "")


def test_open_sizes_need_not_work_at_one_each() -> None:
    """Where every size is one, nothing is left behind two convolutions, and XNNPACK refuses to get ready.

    So the file states a larger one, for applications that prepare it before they know their sizes.
    """
    conv = "{strides = [1, 1], dilations = [1, 1], pads = [[0, 0], [0, 0]], channels_last = true}"
    weight = "const() {value = dense<[[[[1.0]], [[2.0]], [[3.0]]]]> : f32[1,3,1,1]} : f32[1,3,1,1]"
    text = f"""
func @main(%x: f32[1,h,w,1]) -> (f32[1,h-4,w,1]) {{
  %w = {weight}
  %y = conv(%x, %w, none) {conv} : f32[1,h-2,w,1]
  %z = conv(%y, %w, none) {conv} : f32[1,h-4,w,1]
  return(%z)
}}"""
    artifact = compile_model(text.encode(), CompileOptions())
    assert artifact.report.verification is not None and artifact.report.verification.ok
    graph, model = inspect(artifact.path).subgraphs[0], TfliteModel(artifact.path)
    model.resize({})
    assert [model.sizes()[number] for number in (*graph.inputs, *graph.outputs)] == [4 * 8, 4 * 4]


@pytest.mark.parametrize(("back", "tolerance"), [(True, 4 / 256), (False, TOLERANCE)])
def test_computing_with_eight_bits_takes_steps(back: bool, tolerance: float) -> None:
    """The last bit before decides which way a number between two steps is rounded; one that only comes out is exact."""
    last = '%z = cast(%c) {to = "f32"} : f32[2,3]' if back else '%z = cast(%x) {to = "f32"} : f32[2,3]'
    text = f"""
func @main(%x: f32[2,3]) -> (f32[2,3], u8[2,3]) {{
  %r = round(%x) : f32[2,3]
  %p = clip(%r) {{min = 0.0, max = 255.0}} : f32[2,3]
  %c = cast(%p) {{to = "u8"}} : u8[2,3]
  {last}
  return(%z, %c)
}}"""
    found = compile_model(text.encode(), CompileOptions()).report.verification
    assert found is not None and found.tolerance == tolerance
