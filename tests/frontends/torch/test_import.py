"""Small modules through the frontend: numbers, names, sizes, in-place operators, and what is refused."""

# what a lambda takes is a tensor, whose methods are only partly typed
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from inspect import signature
from typing import Any

import numpy as np
import pytest
import torch
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.dims import is_static
from nhwcc.compiler.interpreter import run
from nhwcc.compiler.ir import Module
from nhwcc.compiler.ops.core import Const
from nhwcc.frontends.torch import import_torch, to_array
from torch import Tensor, nn
from torch._higher_order_ops.while_loop import while_loop
from torch.export import Dim
from torch.nn import functional as F  # noqa: N812 -- PyTorch's own convention
from torch_cases import Function, check, close, honest, outputs

import nhwcc


def kinds(module: Module) -> Counter[str]:
    return Counter(op.spec.name for op in module.walk())


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu_(self.norm(self.conv(x)))


def test_a_block() -> None:
    module = check(honest(Block()), torch.randn(2, 3, 9, 7))
    assert {"conv": 1, "batch_norm": 1, "relu": 1}.items() <= kinds(module).items()
    assert [p.name for p in module.main.inputs] == ["x"]
    assert [p.name for p in module.main.outputs] == ["output"]


@pytest.mark.parametrize(
    ("function", "operation"),
    [
        (F.gelu, "gelu"),
        (F.silu, "silu"),
        (F.hardswish, "hard_swish"),
        (lambda x: F.layer_norm(x, x.shape[-1:]), "layer_norm"),
        (lambda x: F.group_norm(x, 2), "group_norm"),
        (lambda x: F.softmax(x, 1), "softmax"),
        (lambda x: F.pixel_shuffle(x, 2), "depth_to_space"),
        (lambda x: F.interpolate(x, scale_factor=2), "resize"),
        (lambda x: F.prelu(x, torch.full((4,), 0.3)), "prelu"),
    ],
)
def test_composite_operators_stay_whole(function: Any, operation: str) -> None:
    found = kinds(check(Function(function), torch.randn(2, 4, 6, 5)))
    assert found[operation] == 1
    assert set(found) <= {"const", "return", "reshape", operation}


@pytest.mark.parametrize("size", [(13, 11), (16, 16), (5, 7), (8, 24)])
@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "bilinear", "bicubic"])
def test_resampling_to_any_size(mode: str, size: tuple[int, int]) -> None:
    check(Function(lambda x: F.interpolate(x, size=size, mode=mode)), torch.randn(1, 2, 8, 8))


@pytest.mark.parametrize("scale", [1.7, 2.0, 0.6])
def test_resampling_by_a_factor_maps_positions_by_it(scale: float) -> None:
    check(Function(lambda x: F.interpolate(x, scale_factor=scale, mode="bilinear")), torch.randn(1, 2, 9, 8))
    check(Function(lambda x: F.interpolate(x, scale_factor=scale)), torch.randn(1, 2, 9, 8))


def test_in_place_operators_are_assignments() -> None:
    def function(x: Tensor) -> Tensor:
        y = x * 2
        y += 1
        y.mul_(x)
        return F.relu_(y) + y

    check(Function(function), torch.randn(3, 4))


def test_writing_through_a_view_changes_what_it_is_a_view_of() -> None:
    def function(x: Tensor) -> tuple[Tensor, Tensor]:
        y = x * 2
        y[:, :2] += 1
        z = y.view(-1)
        z[0] = 7
        return y, z

    check(Function(function), torch.randn(3, 4))


def test_a_dropout_that_returns_its_operand_is_no_copy() -> None:
    def function(x: Tensor) -> Tensor:
        y = x + 1
        z = F.dropout(y, 0.5, training=False)
        y += 1
        return z

    module = Function(function)
    x = torch.randn(3)
    got = run(import_torch(module, (x,)).main, [to_array(x)])
    np.testing.assert_allclose(got[0], module(x).numpy(), rtol=1e-6)


def test_outputs_have_the_names_of_their_containers() -> None:
    module = Function(lambda x: {"scores": x + 1, "boxes": (x * 2, x * 3)})
    imported = check(module, torch.randn(2))
    assert [p.name for p in imported.main.outputs] == ["scores", "boxes_0", "boxes_1"]


@dataclass
class Detections:
    scores: Tensor
    boxes: Tensor


torch.export.register_dataclass(Detections)


def test_fields_of_a_dataclass_are_names() -> None:
    imported = check(Function(lambda x: Detections(x + 1, x * 2)), torch.randn(2))
    assert [p.name for p in imported.main.outputs] == ["scores", "boxes"]


def test_shared_weights_are_one() -> None:
    layer = nn.Linear(300, 300)
    imported = check(nn.Sequential(layer, nn.ReLU(), layer), torch.randn(2, 300), tolerance=1e-5)
    assert sum(isinstance(op, Const) and op.value.nbytes > 10_000 for op in imported.walk()) == 1


def test_weights_are_the_tensors_own_memory() -> None:
    layer = nn.Linear(300, 300)
    imported = import_torch(layer, (torch.randn(1, 300),))
    (weight,) = [op.value for op in imported.walk() if isinstance(op, Const) and op.value.nbytes > 10_000]
    assert np.shares_memory(weight.array(), layer.weight.detach().numpy())


def sizes(module: nn.Module, shapes: Any, make: Any) -> None:
    """Import with open sizes, and compare at three others."""
    imported = import_torch(module, (make(2, 12),), dynamic_shapes=shapes)
    assert not any(is_static(a.type.shape) for a in imported.main.args)
    for batch, size in ((1, 16), (3, 12), (5, 40)):
        x = make(batch, size)
        for want, got in zip(outputs(module, (x,)), run(imported.main, [to_array(x)]), strict=True):
            close(want, got, 1e-5)


OPEN_CASES: dict[str, tuple[nn.Module, Any, Any]] = {
    "batch of a CNN": (
        nn.Sequential(Block(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5)),
        {0: Dim("batch")},
        lambda b, n: torch.randn(b, 3, 8, 8),
    ),
    "sequence of a LayerNorm": (nn.LayerNorm(6), {1: Dim("length")}, lambda b, n: torch.randn(2, n, 6)),
    "sequence of a Linear": (nn.Linear(6, 4), {0: Dim("batch"), 1: Dim("length")}, lambda b, n: torch.randn(b, n, 6)),
    "sequence of a transformer's layer": (
        nn.TransformerEncoderLayer(8, 2, 16, batch_first=True),
        {1: Dim("length")},
        lambda b, n: torch.randn(2, n, 8),
    ),
    "length of a Conv1d": (
        nn.Sequential(nn.Conv1d(3, 4, 5, 2), nn.ReLU(), nn.ConvTranspose1d(4, 2, 4, 2)),
        {2: Dim("length")},
        lambda b, n: torch.randn(2, 3, n),
    ),
    "height and width": (
        nn.Sequential(Block(), nn.MaxPool2d(2), nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(8, 1, 1)),
        {2: Dim("height"), 3: Dim("width")},
        lambda b, n: torch.randn(1, 3, n, 2 * n + 3),
    ),
}


@pytest.mark.parametrize("name", OPEN_CASES)
def test_open_sizes_stay_open(name: str) -> None:
    module, shapes, make = OPEN_CASES[name]
    key = next(iter(signature(module.forward).parameters))
    sizes(honest(module), {key: shapes}, make)


def test_sizes_have_the_names_of_their_user() -> None:
    imported = import_torch(nn.Linear(6, 4), (torch.randn(2, 6),), dynamic_shapes={"input": {0: Dim("images")}})
    assert str(imported.main.args[0].type) == "f32[images,6]"


class Mean(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.sum(0) / x.shape[0]


def test_a_size_can_be_a_value() -> None:
    module = Mean()
    imported = import_torch(module, (torch.randn(4, 2),), dynamic_shapes={"x": {0: Dim("n")}})
    x = torch.randn(7, 2)
    np.testing.assert_allclose(run(imported.main, [x.numpy()])[0], module(x).numpy(), rtol=1e-5)


class Bad(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.linalg.eigvals(x).real + torch.linalg.qr(x)[0]


class Outer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.head = Bad()

    def forward(self, x: Tensor) -> Tensor:
        return self.head(x + 1)


def test_an_error_names_module_line_and_all_operators() -> None:
    with pytest.raises(CompileError) as caught:
        import_torch(Outer(), (torch.randn(3, 3),))
    found = caught.value.diagnostics
    assert {d.code for d in found} == {"F001"}
    text = str(caught.value)
    assert "linalg_eig" in text and "linalg_qr" in text
    assert "test_import.py:" in text and "head." in text and "torch.linalg.eigvals(x)" in text


@pytest.mark.parametrize(
    ("module", "code", "advice"),
    [
        (Block(), "F031", r"\.eval\(\)"),
        (nn.Dropout(0.5), "F031", r"\.eval\(\)"),
        (Function(lambda x: x * x.sum().item()), "F004", "depends? on"),
        (Function(lambda x: x + 1 if x.sum() > 0 else x), "F030", r"torch\.cond"),
        (Function(lambda x: x.reshape(7, 11)), "F030", "draft_export"),
    ],
)
def test_what_is_refused(module: nn.Module, code: str, advice: str) -> None:
    with pytest.raises(CompileError, match=advice) as caught:
        import_torch(module, (torch.randn(2, 3, 8, 8),))
    assert code in {d.code for d in caught.value.diagnostics}


def test_half_precision_weights() -> None:
    for dtype in (torch.float16, torch.bfloat16):
        layer = nn.Linear(4, 3).to(dtype)
        imported = import_torch(layer, (torch.randn(2, 4, dtype=dtype),))
        assert imported.main.args[0].type.dtype == ("f16" if dtype is torch.float16 else "bf16")
        (weight,) = [op.value for op in imported.walk() if isinstance(op, Const) and op.value.type.rank == 2]
        np.testing.assert_array_equal(weight.array().astype(np.float32), layer.weight.detach().float().numpy())


def test_statistics_of_the_data_itself() -> None:
    x, scale, shift = torch.randn(3, 4, 5), torch.rand(4), torch.rand(4)
    check(Function(lambda x: F.batch_norm(x, None, None, scale, shift, training=True)), x)
    check(Function(lambda x: F.batch_norm(x, None, None, training=True)), x)
    check(Function(lambda x: F.instance_norm(x, weight=scale, bias=shift)), x)


def test_numpy_indexing() -> None:
    rows, columns = torch.tensor([0, 2, -1]), torch.tensor([[1], [0]])
    x = torch.randn(3, 4, 5)
    check(Function(lambda x: x[rows]), x)
    check(Function(lambda x: x[:, rows]), x)
    check(Function(lambda x: x[:, rows, columns]), x)
    check(Function(lambda x: x[rows, :, columns]), x)
    check(Function(lambda x: x.index_put((rows, columns), torch.ones(()))), x)
    check(Function(lambda x: torch.where(x > 0, x, -1.0)), x)


class Branch(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.cond(x.sum() > 0, lambda x: x + 1, lambda x: x * 2, (x,))


class Loop(nn.Module):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        def condition(i: Tensor, y: Tensor) -> Tensor:
            return i < 5

        def body(i: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
            return i + 1, y * 1.5 + x

        return while_loop(condition, body, (torch.zeros((), dtype=torch.int64), x))


def test_branches_and_loops() -> None:
    for sign in (1, -1):
        assert kinds(check(Branch().eval(), sign * torch.ones(2, 3)))["if"] == 1
    assert kinds(check(Loop().eval(), torch.randn(3)))["while"] == 1


class WithoutGradient(nn.Module):
    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast("cpu", enabled=False):
            y = x.float() * 2
        return y + 1


def test_modes_change_nothing() -> None:
    check(WithoutGradient(), torch.randn(3))


@pytest.mark.parametrize("indexing", ["ij", "xy"])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_grids_of_any_number_of_vectors(indexing: str, count: int) -> None:
    check(Function(lambda *x: torch.meshgrid(*x, indexing=indexing)), *(torch.randn(n + 2) for n in range(count)))


@pytest.mark.parametrize(
    ("function", "shapes"),
    [
        (lambda x: F.pad(x, (-4, 5), mode="replicate"), [(1, 2, 4)]),
        (lambda x: F.pad(x, (-2, 2), mode="reflect"), [(1, 2, 4)]),
        (torch.linalg.vector_norm, [()]),
        (lambda x: F.interpolate(x, (3, 5), mode="bicubic", antialias=True), [(1, 2, 8, 9)]),
        (lambda x: F.interpolate(x, (3, 9), mode="bilinear", antialias=True), [(1, 2, 8, 5)]),
        (lambda x: F.adaptive_max_pool2d(x, (3, 4), return_indices=True), [(2, 3, 7, 9)]),
        (lambda x: F.max_pool2d(x, 3, 2, 1, return_indices=True), [(2, 3, 7, 9)]),
        (lambda x: F.max_unpool2d(*F.max_pool2d(x, 3, 1, return_indices=True), (3, 3), (1, 1)), [(1, 2, 6, 6)]),
        (lambda x: torch.cummax(x, 1), [(3, 7)]),
        (lambda x: torch.median(x, -1), [(3, 8)]),
        (lambda x: torch.logcumsumexp(x * 50, 0), [(9, 2)]),
        (lambda x, y: torch.hypot(x * 1e30, y * 1e30), [(5,), (5,)]),
        (lambda x: torch.as_strided(x, (2, 3), (2, 1), 1), [(8,)]),
        (lambda x: torch.masked_select(x, x < -0.5), [(4, 5)]),
        (lambda x: torch.nonzero(x < -0.5), [(4, 5)]),
        (lambda x: torch.nonzero_static(x < -0.5, size=7), [(3, 4)]),
        (lambda x: torch.unique(torch.round(x * 3), return_inverse=True, return_counts=True), [(4, 5)]),
        (lambda x: torch.special.erfcx(x) + torch.erfinv(x), [(9,)]),
        (lambda x: F.softplus(x, 2, 0.1), [(9,)]),
        (torch.nn.functional.pdist, [(4, 3)]),
    ],
)
def test_operators_in_their_corners(function: Any, shapes: list[tuple[int, ...]]) -> None:
    torch.manual_seed(0)
    check(Function(function), *(-torch.rand(shape) for shape in shapes))


def put(x: Tensor, mask: Tensor, values: Any, *, accumulate: bool = False) -> Tensor:
    return torch.index_put(x, (mask,), values, accumulate)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x[x > 0],
        lambda x: x[x[:, 0, 0] > 0],
        lambda x: x[:, x[0, :, 0] > 0] * 2,
        lambda x: x[x[..., 0] > 0].sum(0),
        lambda x: x[x > 9],
        lambda x: put(x, x > 0, torch.tensor(7.0)),
        lambda x: put(x, x[..., 0] > 0, torch.arange(2.0)),
        lambda x: put(x, x > 0, x[x > 0] * 3),
        lambda x: put(x, x[..., 0] > 0, x[x[..., 0] > 0] * 3, accumulate=True),
        lambda x: put(x, x > 9, x[x > 9] * 3),
        lambda x: put(x, torch.arange(4) < x.shape[2], x[:2] * 3),
    ],
)
def test_masks_whose_hits_only_data_knows(function: Any) -> None:
    """In the interpreter, and as TFLite: compiling compares with PyTorch."""
    x = torch.randn(4, 3, 2)
    check(Function(function), x)
    report = nhwcc.compile(Function(function), args=(x,)).report
    assert report.verification is not None
    assert report.verification.ok


def test_a_mask_beside_other_positions_is_refused() -> None:
    with pytest.raises(CompileError, match=r"F004.*mask and other positions[\s\S]*torch.nonzero"):
        import_torch(Function(lambda x, i: x[x[:, 0] > 0, i]), (torch.randn(4, 3), torch.tensor([1])))


def test_places_in_a_transposed_memory_are_refused() -> None:
    with pytest.raises(CompileError, match=r"F005.* by strides"):
        import_torch(Function(lambda x: torch.as_strided(x.t(), (2, 3), (2, 1))), (torch.rand(4, 2),))


def test_averages_of_integers_with_a_divisor_are_refused() -> None:
    with pytest.raises(CompileError, match=r"F005.* whose quotients are rounded"):
        import_torch(Function(lambda x: F.avg_pool2d(x, 2, divisor_override=-2)), (torch.ones(1, 1, 4, 4).long(),))


@pytest.mark.parametrize("ceil", [False, True])
@pytest.mark.parametrize(("kernel", "stride", "padding"), [(3, 2, 1), (2, 3, 0), (4, 3, 2)])
def test_sums_by_a_divisor(kernel: int, stride: int, padding: int, ceil: bool) -> None:
    check(Function(lambda x: F.avg_pool2d(x, kernel, stride, padding, ceil, True, 5)), torch.randn(1, 2, 8, 7))


@pytest.mark.parametrize(
    ("function", "shape"),
    [
        (lambda x: F.avg_pool1d(x, 6, 3, 2), (0, 3, 9)),
        (lambda x: F.avg_pool2d(x, 2), (0, 3, 4, 4)),
        (lambda x: F.max_pool2d(x, 2), (0, 3, 4, 4)),
        (lambda x: F.pixel_shuffle(x, 2), (1, 4, 3, 0)),
        (torch.inverse, (0, 2, 2)),
    ],
)
def test_nothing_comes_of_nothing(function: Any, shape: tuple[int, ...]) -> None:
    check(Function(function), torch.zeros(shape))


def test_group_norm_of_no_images() -> None:
    check(Function(lambda x: F.group_norm(x, 2)), torch.randn(0, 4, 3))
    check(Function(lambda x: torch.native_group_norm(x, None, None, 0, 4, 3, 2, 1e-5)), torch.randn(0, 4, 3))
