"""Convolutions in the TFLite runtime."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Check, single


def conv(x: str, w: str, *, bias: bool = True, constants: bool = True, **given: Any) -> Any:
    """A convolution with the attributes that are not given at their idle values."""
    rank = x.count(",") - 1
    attributes = {"strides": (1,) * rank, "dilations": (1,) * rank, "pads": ((0, 0),) * rank} | given
    b = f"f32[{w[4:].split(',', maxsplit=1)[0]}]" if bias else None
    return single("conv", x, w, b, constants={1: 1, 2: 2} if constants else {}, **attributes)


LAST: dict[str, Any] = {"channels_last": True}


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "pads", "builtins"),
    [
        (8, 3, 1, (0, 0), {"CONV_2D": 1}),
        (8, 3, 1, (1, 1), {"CONV_2D": 1}),
        (8, 2, 1, (0, 1), {"CONV_2D": 1}),
        (8, 2, 1, (1, 0), {"PAD": 1, "CONV_2D": 1}),
        (8, 3, 2, (0, 1), {"CONV_2D": 1}),
        (8, 3, 2, (1, 1), {"PAD": 1, "CONV_2D": 1}),
        (7, 3, 2, (1, 1), {"CONV_2D": 1}),
        (8, 1, 2, (0, 0), {"CONV_2D": 1}),
        (9, 3, 3, (0, 2), {"CONV_2D": 1}),
        (8, 5, 1, (3, 3), {"PAD": 1, "CONV_2D": 1}),
    ],
)
def test_paddings(check: Check, size: int, kernel: int, stride: int, pads: Any, builtins: dict[str, int]) -> None:
    x, w = f"f32[2,{size},{size},3]", f"f32[4,{kernel},{kernel},3]"
    assert check(conv(x, w, strides=(stride,) * 2, pads=(pads,) * 2, **LAST)).builtins == builtins


def test_unused_padding_is_not_added(check: Check) -> None:
    out = check(conv("f32[1,8,8,3]", "f32[4,3,3,3]", strides=(2, 2), pads=((1, 1), (1, 1)), **LAST))
    (pad,) = (op for op in out.module.main.ops if op.spec.name == "pad")
    assert pad.attributes["high"] == (0, 0, 0, 0)


@pytest.mark.parametrize("pads", [(1, 1), (2, 0)])
def test_symbolic_sizes(check: Check, pads: tuple[int, int]) -> None:
    sizes = [{"n": 1, "h": 5, "w": 4}, {"n": 2, "h": 9, "w": 6}, {"n": 3, "h": 3, "w": 3}]
    out = check(conv("f32[n,h,w,3]", "f32[4,3,3,3]", pads=(pads,) * 2, **LAST), sizes=sizes)
    assert out.builtins == ({"CONV_2D": 1} if pads == (1, 1) else {"PAD": 1, "CONV_2D": 1})


@pytest.mark.parametrize("lower", [False, True])
def test_symbolic_same_paddings(check: Check, lower: bool) -> None:
    total = "max((-((-h)//2)-1)*2+3-h,0)"
    halves = f"['{total}//2', '{total}-{total}//2']"
    pads = f"['{total}-{total}//2', '{total}//2']" if lower else halves
    text = f"""
    func @main(%x: f32[1,h,h,2]) -> (f32[1,'(h+1)//2','(h+1)//2',1]) {{
      %w = const() {{value = dense<[[[[1.0, 2.0]], [[0.5, -1.0]], [[0.1, 2.0]]]]> : f32[1,3,1,2]}} : f32[1,3,1,2]
      %y = conv(%x, %w, none) {{
        strides = [2, 1], dilations = [1, 1], pads = [{pads}, [0, 0]], channels_last = true
      }} : TYPE
      return(%y)
    }}"""
    text = text.replace("'(h+1)//2','(h+1)//2'", f"({total}+h-1)//2,h".replace("//2,", "//2,"))
    text = text.replace(f"f32[1,({total}+h-1)//2,h,1]", f"f32[1,({total}+h-3)//2+1,h,1]")
    text = text.replace("TYPE", f"f32[1,({total}+h-3)//2+1,h,1]")
    out = check(text, sizes=[{"h": 4}, {"h": 5}, {"h": 9}])
    assert ("PAD" in out.builtins) == lower


def test_missing_bias_is_zero(check: Check) -> None:
    check(conv("f32[1,8,8,3]", "f32[4,3,3,3]", bias=False, **LAST))


@pytest.mark.parametrize("activation", ["relu", "relu6", "relu_n1_to_1"])
def test_activations(check: Check, activation: str) -> None:
    assert check(conv("f32[1,8,8,3]", "f32[4,3,3,3]", activation=activation, **LAST)).builtins == {"CONV_2D": 1}


def test_computed_filter(check: Check) -> None:
    check(conv("f32[1,8,8,3]", "f32[4,3,3,3]", constants=False, **LAST))
    check(conv("f32[1,8,8,4]", "f32[4,3,3,1]", constants=False, groups=4, **LAST))


@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("stride", [1, 2])
def test_depthwise(check: Check, stride: int, dilation: int) -> None:
    module = conv("f32[2,9,9,6]", "f32[6,3,3,1]", groups=6, strides=(stride,) * 2, dilations=(dilation,) * 2, **LAST)
    out = check(module)
    assert out.builtins == {"DEPTHWISE_CONV_2D": 1}


def test_several_filters_per_channel(check: Check) -> None:
    out = check(conv("f32[2,9,9,6]", "f32[12,3,3,1]", groups=6, **LAST))
    assert out.builtins == {"DEPTHWISE_CONV_2D": 1}


@pytest.mark.parametrize(("w", "groups"), [("f32[8,3,3,3]", 2), ("f32[6,3,3,2]", 3)])
def test_groups_stay_one_operator(check: Check, w: str, groups: int) -> None:
    assert check(conv("f32[2,9,9,6]", w, groups=groups, pads=((1, 1), (1, 1)), **LAST)).builtins == {"CONV_2D": 1}


def test_dilations(check: Check) -> None:
    given: dict[str, Any] = {"dilations": (2, 3), "pads": ((2, 2), (3, 3))}
    assert check(conv("f32[1,9,9,3]", "f32[4,3,3,3]", **given, **LAST)).builtins == {"CONV_2D": 1}


def test_channels_first_gets_transposes(check: Check) -> None:
    out = check(conv("f32[2,3,8,8]", "f32[4,3,3,3]", pads=((1, 1), (1, 1))))
    assert out.builtins == {"TRANSPOSE": 2, "CONV_2D": 1}


@pytest.mark.parametrize("groups", [1, 3])
@pytest.mark.parametrize("channels_last", [False, True])
def test_signals(check: Check, groups: int, channels_last: bool) -> None:
    x, w = ("f32[2,9,6]", f"f32[6,3,{6 // groups}]") if channels_last else ("f32[2,6,9]", f"f32[6,{6 // groups},3]")
    module = conv(x, w, groups=groups, pads=((1, 1),), strides=(2,), channels_last=channels_last)
    assert check(module).builtins["CONV_2D"] == 1


def test_signals_of_unknown_sizes(check: Check) -> None:
    module = conv("f32[n,t,6]", "f32[6,3,6]", pads=((1, 1),), **LAST)
    out = check(module, sizes=[{"n": 1, "t": 5}, {"n": 2, "t": 7}, {"n": 1, "t": 20}])
    assert out.builtins == {"EXPAND_DIMS": 1, "CONV_2D": 1, "SQUEEZE": 1}


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("pads", [(0, 0), (1, 1), (2, 0)])
def test_volumes(check: Check, groups: int, pads: Any) -> None:
    module = conv("f32[2,5,6,7,4]", f"f32[4,3,3,3,{4 // groups}]", groups=groups, pads=(pads,) * 3, **LAST)
    assert check(module).builtins["DEPTHWISE_CONV_2D" if groups == 4 else "CONV_2D"] == 3


def test_one_volume_is_a_batch_of_images(check: Check) -> None:
    given: dict[str, Any] = {"pads": ((1, 1),) * 3, "activation": "relu"}
    out = check(conv("f32[1,5,6,7,4]", "f32[4,3,3,3,4]", **given, **LAST))
    assert out.builtins == {"RESHAPE": 2, "PAD": 1, "SLICE": 3, "CONV_2D": 3, "ADD": 2, "RELU": 1}


def test_volumes_with_deep_filters(check: Check) -> None:
    for given in ({}, {"pads": ((4, 4), (1, 1), (0, 0))}, {"pads": ((1, 4), (0, 0), (0, 0)), "dilations": (1, 1, 2)}):
        out = check(conv("f32[2,10,6,7,4]", "f32[4,9,3,3,4]", activation="relu", **given, **LAST))
        assert out.builtins["CONV_3D"] == 1


def test_volumes_of_unknown_sizes(check: Check) -> None:
    module = conv("f32[n,d,h,w,3]", "f32[4,2,3,3,3]", pads=((0, 1),) + ((1, 1),) * 2, **LAST)
    check(module, sizes=[{"n": 1, "d": 3, "h": 4, "w": 5}, {"n": 2, "d": 2, "h": 3, "w": 3}])


def test_volumes_with_strides_and_dilations(check: Check) -> None:
    for groups in (1, 2):
        given: dict[str, Any] = {"strides": (2, 1, 2), "dilations": (1, 2, 1), "activation": "relu", "groups": groups}
        check(conv("f32[1,7,7,7,4]", f"f32[6,3,3,3,{4 // groups}]", **given, **LAST))


def test_volumes_channels_first(check: Check) -> None:
    check(conv("f32[1,3,5,6,7]", "f32[4,3,3,3,3]", pads=((1, 1),) * 3))


def transposed(x: str, w: str, *, bias: bool = True, constants: bool = True, **given: Any) -> Any:
    rank = x.count(",") - 1
    idle = {"strides": (1,) * rank, "dilations": (1,) * rank, "pads": ((0, 0),) * rank, "output_pads": (0,) * rank}
    attributes = idle | given
    outputs = int(w[4:].split(",")[0 if given.get("channels_last") else 1]) * given.get("groups", 1)
    b = f"f32[{outputs}]" if bias else None
    return single("conv_transpose", x, w, b, constants={1: 1, 2: 2} if constants else {}, **attributes)


@pytest.mark.parametrize(
    ("kernel", "stride", "pads", "more", "builtins"),
    [
        (3, 1, (0, 0), 0, {"TRANSPOSE_CONV": 1}),
        (3, 2, (0, 0), 0, {"TRANSPOSE_CONV": 1}),
        (3, 2, (0, 0), 1, {"TRANSPOSE_CONV": 1}),
        (4, 2, (1, 1), 0, {"TRANSPOSE_CONV": 1}),
        (3, 2, (0, 1), 0, {"TRANSPOSE_CONV": 1}),
        (3, 2, (1, 1), 1, {"TRANSPOSE_CONV": 1, "SLICE": 1}),
        (3, 1, (1, 1), 0, {"TRANSPOSE_CONV": 1}),
        (5, 3, (2, 1), 0, {"TRANSPOSE_CONV": 1, "SLICE": 1}),
        (2, 2, (0, 0), 0, {"CONV_2D": 1, "DEPTH_TO_SPACE": 1}),
        (3, 3, (0, 0), 0, {"CONV_2D": 1, "DEPTH_TO_SPACE": 1}),
    ],
)
@pytest.mark.parametrize("activation", ["none", "relu"])
def test_transposed(
    check: Check, kernel: int, stride: int, pads: Any, more: int, builtins: dict[str, int], activation: str
) -> None:
    given: dict[str, Any] = {"strides": (stride,) * 2, "pads": (pads,) * 2, "output_pads": (more,) * 2}
    module = transposed("f32[2,5,4,3]", f"f32[6,{kernel},{kernel},3]", activation=activation, **given, **LAST)
    assert check(module).builtins == builtins


@pytest.mark.parametrize("case", [{}, {"pads": ((1, 1),) * 2}, {"output_pads": (1, 1)}])
def test_transposed_of_unknown_sizes(check: Check, case: dict[str, Any]) -> None:
    module = transposed("f32[n,h,w,3]", "f32[6,3,3,3]", strides=(2, 2), **case, **LAST)
    check(module, sizes=[{"n": 1, "h": 4, "w": 5}, {"n": 2, "h": 3, "w": 2}, {"n": 1, "h": 7, "w": 8}])


def test_transposed_blocks_of_unknown_sizes(check: Check) -> None:
    module = transposed("f32[n,h,w,3]", "f32[6,2,2,3]", strides=(2, 2), **LAST)
    out = check(module, sizes=[{"n": 1, "h": 4, "w": 5}, {"n": 2, "h": 3, "w": 2}])
    assert out.builtins == {"CONV_2D": 1, "DEPTH_TO_SPACE": 1}


@pytest.mark.parametrize("groups", [2, 4, 16])
@pytest.mark.parametrize("case", [{}, {"pads": ((1, 1),) * 2, "output_pads": (1, 0)}, {"pads": ((2, 2),) * 2}])
def test_transposed_groups(check: Check, groups: int, case: dict[str, Any]) -> None:
    module = transposed("f32[2,5,4,16]", "f32[3,3,3,16]", strides=(2, 2), groups=groups, **case, **LAST)
    out = check(module)
    assert ("TRANSPOSE_CONV" in out.builtins) == (groups < 16)


def test_transposed_dilation(check: Check) -> None:
    given: dict[str, Any] = {"strides": (2, 1), "dilations": (2, 3), "pads": ((1, 2), (0, 1))}
    check(transposed("f32[2,5,4,3]", "f32[6,3,2,3]", **given, **LAST))


@pytest.mark.parametrize(("kernel", "stride"), [(2, 2), (4, 2), (3, 1)])
def test_transposed_signals(check: Check, kernel: int, stride: int) -> None:
    out = check(transposed("f32[2,3,5]", f"f32[3,6,{kernel}]", strides=(stride,)))
    assert ("CONV_2D" in out.builtins) == (kernel == stride)


def test_transposed_channels_first_and_computed_filter(check: Check) -> None:
    check(transposed("f32[2,3,5,4]", "f32[3,6,3,3]", strides=(2, 2), pads=((1, 1),) * 2))
    check(transposed("f32[2,5,4,3]", "f32[6,3,3,3]", strides=(2, 2), constants=False, **LAST))
    check(transposed("f32[2,5,4,3]", "f32[6,2,2,3]", strides=(2, 2), constants=False, bias=False, **LAST))


@pytest.mark.parametrize("groups", [1, 2])
def test_transposed_volumes_with_a_computed_filter(check: Check, groups: int) -> None:
    given: dict[str, Any] = {"strides": (2, 1, 3), "pads": ((1, 0), (0, 2), (1, 1)), "output_pads": (1, 0, 2)}
    x, w = "f32[2,3,4,5,6]", f"f32[{4 // groups},3,2,4,6]"
    check(transposed(x, w, constants=False, groups=groups, **given, **LAST))
    wide: dict[str, Any] = given | {"dilations": (1, 2, 1), "activation": "relu"}
    check(transposed(x, w, constants=False, groups=groups, bias=False, **wide, **LAST))
    open_sizes = transposed("f32[n,d,4,5,6]", w, constants=False, groups=groups, **given, **LAST)
    check(open_sizes, sizes=[{"n": 2, "d": 3}, {"n": 1, "d": 5}])
