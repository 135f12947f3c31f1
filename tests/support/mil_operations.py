"""Operations of MIL on arrays of numpy, each as coremltools' documentation describes it."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportMissingParameterType=false, reportUnknownLambdaType=false

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from mil_windows import avg_pool, conv, conv_transpose, max_pool, resize_bilinear, upsample_bilinear, upsample_nearest
from scipy import special

Array = Any


def _sigmoid(x: Array) -> Array:
    return special.expit(x)


def _clamp_range(x: Array, alpha: float, beta: float) -> Array:
    return np.minimum(np.maximum(x, alpha), beta)


def _prelu(x: Array, alpha: Array) -> Array:
    slopes = np.asarray(alpha).reshape([-1] + [1] * (x.ndim - 2))
    return np.where(x > 0, x, slopes * x)


def _gelu(x: Array, mode: str) -> Array:
    if mode == "TANH_APPROXIMATION":
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    assert mode == "EXACT"
    return 0.5 * x * (1 + special.erf(x / math.sqrt(2)))


def _softmax(x: Array, axis: int) -> Array:
    raised = np.exp(x - x.max(axis=axis, keepdims=True))
    return raised / raised.sum(axis=axis, keepdims=True)


def _cast(x: Array, dtype: str) -> Array:
    names = {"int32": np.int32, "fp16": np.float16, "fp32": np.float32, "bool": np.bool_}
    return np.asarray(x).astype(names[dtype])


def _gather(x: Array, indices: Array, axis: int, batch_dims: int) -> Array:
    assert batch_dims == 0
    return np.take(np.asarray(x), indices, axis=axis)


def _gather_nd(x: Array, indices: Array, batch_dims: int) -> Array:
    batch = x.shape[:batch_dims]
    out = np.empty((*indices.shape[:-1], *x.shape[batch_dims + indices.shape[-1] :]), x.dtype)
    for place in np.ndindex(*indices.shape[:-1]):
        out[place] = x[(*place[: len(batch)], *indices[place])]
    return out


COMBINE: dict[str, Callable[[Any, Any], Any]] = {
    "update": lambda old, new: new,
    "add": lambda old, new: old + new,
    "mul": lambda old, new: old * new,
    "max": np.maximum,
    "min": np.minimum,
}


def _scatter_nd(data: Array, indices: Array, updates: Array, mode: str) -> Array:
    out = data.copy()
    for place in np.ndindex(*indices.shape[:-1]):
        at = tuple(indices[place])
        assert all(i >= 0 for i in at)
        out[at] = COMBINE[mode](out[at], updates[place])
    return out


def _scatter(data: Array, indices: Array, updates: Array, axis: int, mode: str) -> Array:
    out, new = np.moveaxis(data.copy(), axis, 0), np.moveaxis(updates, axis, 0)
    for place, index in enumerate(indices):
        assert index >= 0
        out[index] = COMBINE[mode](out[index], new[place])
    return np.moveaxis(out, 0, axis)


def _scatter_along_axis(data: Array, indices: Array, updates: Array, axis: int, mode: str) -> Array:
    out = data.copy()
    for place in np.ndindex(*indices.shape):
        at = (*place[:axis], indices[place], *place[axis + 1 :])
        assert indices[place] >= 0
        out[at] = COMBINE[mode](out[at], updates[place])
    return out


def _topk(x: Array, k: int, axis: int, ascending: bool, sort: bool, return_indices: bool) -> tuple[Array, Array]:
    assert sort and return_indices
    order = np.argsort(x if ascending else -x, axis=axis, kind="stable")
    places = np.take(order, np.arange(k), axis=axis)
    return np.take_along_axis(x, places, axis), places


def _arg(find: Callable[..., Any]) -> Callable[..., Any]:
    def call(x: Array, axis: int, keep_dims: bool) -> Array:
        found = find(x, axis=axis)
        return np.expand_dims(found, axis) if keep_dims else found

    return call


def _cumsum(x: Array, axis: int, exclusive: bool, reverse: bool) -> Array:
    x = np.flip(x, axis) if reverse else x
    out = np.cumsum(x, axis=axis, dtype=x.dtype)
    out = out - x if exclusive else out
    return np.flip(out, axis) if reverse else out


def _reverse_sequence(x: Array, lengths: Array, seq_axis: int, batch_axis: int) -> Array:
    out = x.copy()
    for i, length in enumerate(lengths):
        row: list[Any] = [slice(None)] * x.ndim
        row[batch_axis] = i
        row[seq_axis] = slice(0, length)
        out[tuple(row)] = np.flip(x[tuple(row)], seq_axis - (batch_axis < seq_axis))
    return out


def _band_part(x: Array, lower: int, upper: int) -> Array:
    m, n = np.indices(x.shape[-2:])
    return np.where((lower < 0 or (m - n <= lower)) & (upper < 0 or (n - m <= upper)), x, np.zeros((), x.dtype))


def _matmul(x: Array, y: Array, transpose_x: bool, transpose_y: bool) -> Array:
    a = np.swapaxes(x, -1, -2) if transpose_x else x
    b = np.swapaxes(y, -1, -2) if transpose_y else y
    return np.matmul(a, b)


def _per_channel(x: Array, parameter: Array) -> Array:
    return np.asarray(parameter).reshape([-1] + [1] * (x.ndim - 2))


def _batch_norm(x: Array, mean: Array, variance: Array, gamma: Array, beta: Array, epsilon: float) -> Array:
    centred = (x - _per_channel(x, mean)) / np.sqrt(_per_channel(x, variance) + epsilon)
    return centred * _per_channel(x, gamma) + _per_channel(x, beta)


def _normal(x: Array, axes: tuple[int, ...], epsilon: float) -> Array:
    mean = x.mean(axes, keepdims=True)
    return (x - mean) / np.sqrt(((x - mean) ** 2).mean(axes, keepdims=True) + epsilon)


def _layer_norm(x: Array, axes: Array, epsilon: float, gamma: Any = None, beta: Any = None) -> Array:
    out = _normal(x, tuple(axes), epsilon)
    shape = [d if a in axes else 1 for a, d in enumerate(x.shape)]
    for parameter in (gamma, beta):
        assert parameter is None or np.shape(parameter) == tuple(x.shape[a] for a in sorted(axes))
    out = out if gamma is None else out * np.reshape(gamma, shape)
    return out if beta is None else out + np.reshape(beta, shape)


def _instance_norm(x: Array, gamma: Array, beta: Array, epsilon: float) -> Array:
    return _normal(x, tuple(range(2, x.ndim)), epsilon) * _per_channel(x, gamma) + _per_channel(x, beta)


def _local_response_norm(x: Array, size: int, alpha: float, beta: float, k: float) -> Array:
    squares = np.zeros_like(x)
    for shift in range(-(size // 2), size // 2 + 1):
        for c in range(x.shape[1]):
            if 0 <= c + shift < x.shape[1]:
                squares[:, c] += x[:, c + shift] ** 2
    return x / (k + alpha / size * squares) ** beta


def _reduced(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, axes, keep_dims: function(x, axis=tuple(int(a) for a in axes), keepdims=bool(keep_dims))


def _reshape(x: Array, shape: Array) -> Array:
    sizes = [x.shape[i] if d == 0 else int(d) for i, d in enumerate(shape)]
    return np.reshape(x, sizes)


def _tile(x: Array, reps: Array) -> Array:
    assert len(reps) == np.ndim(x)
    return np.tile(x, tuple(int(r) for r in reps))


def _split(x: Array, axis: int, split_sizes: Array, num_splits: Any = None) -> tuple[Array, ...]:
    return tuple(np.split(x, np.cumsum(split_sizes)[:-1], axis=axis))


def _slice_by_index(x, begin, end, stride=None, begin_mask=None, end_mask=None, squeeze_mask=None) -> Array:
    assert squeeze_mask is None or not np.any(squeeze_mask)
    rank = len(begin)
    cuts = []
    for a in range(rank):
        first = None if begin_mask is not None and begin_mask[a] else int(begin[a])
        last = None if end_mask is not None and end_mask[a] else int(end[a])
        cuts.append(slice(first, last, 1 if stride is None else int(stride[a])))
    return np.asarray(x)[tuple(cuts)]


def _slice_by_size(x: Array, begin: Array, size: Array) -> Array:
    return x[tuple(slice(int(b), None if s == -1 else int(b) + int(s)) for b, s in zip(begin, size, strict=True))]


def _reverse(x: Array, axes: Array) -> Array:
    return np.flip(x, tuple(int(a) for a in axes))


def _pad(x: Array, pad: Array, mode: str, constant_val: Any = 0) -> Array:
    widths = np.zeros((x.ndim, 2), int)
    own = np.asarray(pad).reshape(-1, 2)
    widths[x.ndim - len(own) :] = own
    if mode == "constant":
        return np.pad(x, widths, constant_values=constant_val)
    assert not widths[:-2].any()
    return np.pad(x, widths, mode={"reflect": "reflect", "replicate": "edge"}[mode])  # pyright: ignore[reportCallIssue, reportArgumentType]


def _depth_to_space(x: Array, block_size: int) -> Array:
    """As TensorFlow's: the block's place comes first among channels."""
    n, c, h, w = x.shape
    b = int(block_size)
    moved = x.reshape(n, b, b, c // b**2, h, w).transpose(0, 3, 4, 1, 5, 2)
    return moved.reshape(n, c // b**2, h * b, w * b)


def _space_to_depth(x: Array, block_size: int) -> Array:
    n, c, h, w = x.shape
    b = int(block_size)
    moved = x.reshape(n, c, h // b, b, w // b, b).transpose(0, 3, 5, 1, 2, 4)
    return moved.reshape(n, c * b**2, h // b, w // b)


def _pixel_shuffle(x: Array, upscale_factor: int) -> Array:
    """As PyTorch's: the block's place comes last among channels."""
    n, c, h, w = x.shape
    b = int(upscale_factor)
    moved = x.reshape(n, c // b**2, b, b, h, w).transpose(0, 1, 4, 2, 5, 3)
    return moved.reshape(n, c // b**2, h * b, w * b)


def _gates(row: Array, h: Array, weights: tuple[Array, Array, Any], count: int) -> list[Array]:
    w, r, bias = weights
    size = r.shape[1]
    whole = row @ w.T + h @ r.T + (0 if bias is None else bias)
    return [whole[:, i * size : (i + 1) * size] for i in range(count)]


def _lstm(x, initial_h, initial_c, weight_ih, weight_hh, bias=None, **settings: Any) -> tuple[Array, ...]:
    assert settings["direction"] == "forward" and settings["output_sequence"]
    assert settings["recurrent_activation"] == "sigmoid" and settings["activation"] == "tanh"
    h, c, out = initial_h, initial_c, []
    for row in x:
        i, f, o, z = _gates(row, h, (weight_ih, weight_hh, bias), 4)
        c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(z)
        h = _sigmoid(o) * np.tanh(c)
        out.append(h)
    return np.stack(out), h, c


def _gru(x, initial_h, weight_ih, weight_hh, bias=None, **settings: Any) -> tuple[Array, ...]:
    assert settings["direction"] == "forward" and settings["output_sequence"]
    size, h, out = weight_hh.shape[1], initial_h, []
    own = np.zeros(3 * size, x.dtype) if bias is None else bias
    for row in x:
        inner, state = row @ weight_ih.T + own, h @ weight_hh.T
        r = _sigmoid(inner[:, :size] + state[:, :size])
        z = _sigmoid(inner[:, 2 * size :] + state[:, 2 * size :])
        new = np.tanh(inner[:, size : 2 * size] + r * state[:, size : 2 * size])
        h = (1 - z) * new + z * h
        out.append(h)
    return np.stack(out), h


def _concat(values: list[Array], axis: int, interleave: bool) -> Array:
    assert not interleave
    return np.concatenate([np.asarray(v) for v in values], axis=axis)


def _random(draw: Callable[..., Any]) -> Callable[..., Any]:
    def call(shape: Array, seed: int, **numbers: float) -> Array:
        return draw(np.random.default_rng(None if seed < 0 else int(seed)), tuple(shape), **numbers)

    return call


UNARY: dict[str, Callable[[Any], Any]] = {
    "identity": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.minimum(np.maximum(x, 0), 6),
    "sigmoid": _sigmoid,
    "silu": lambda x: x * _sigmoid(x),
    "softplus": lambda x: np.logaddexp(x, 0),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "logical_not": np.logical_not,
    "erf": special.erf,
    "acos": np.arccos,
    "asin": np.arcsin,
    "atan": np.arctan,
    "atanh": np.arctanh,
    "round": np.rint,
    "shape": lambda x: np.asarray(np.shape(x), np.int32),
    "non_zero": lambda x: np.stack(np.nonzero(x), -1),
    **{n: getattr(np, n) for n in ("tanh", "abs", "sign", "square", "sqrt", "exp", "floor", "ceil", "sin", "cos")},
    **{n: getattr(np, n) for n in ("tan", "sinh", "cosh")},
}

BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "sub": np.subtract,
    "mul": np.multiply,
    "real_div": np.true_divide,
    "floor_div": np.floor_divide,
    "pow": np.power,
    **{n: getattr(np, n) for n in ("add", "maximum", "minimum", "mod", "equal", "not_equal", "less", "less_equal")},
    **{n: getattr(np, n) for n in ("greater", "greater_equal", "logical_and", "logical_or", "logical_xor")},
}

OPERATIONS: dict[str, Callable[..., Any]] = {
    **{name: (lambda x, f=f: f(np.asarray(x))) for name, f in UNARY.items()},
    **{name: (lambda x, y, f=f: f(np.asarray(x), np.asarray(y))) for name, f in BINARY.items()},
    "log": lambda x, epsilon: np.log(x + epsilon),
    "clip": _clamp_range,
    "leaky_relu": lambda x, alpha: np.where(x >= 0, x, alpha * x),
    "elu": lambda x, alpha: np.where(x > 0, x, alpha * np.expm1(x)),
    "prelu": _prelu,
    "sigmoid_hard": lambda x, alpha, beta: np.minimum(np.maximum(alpha * x + beta, 0), 1),
    "gelu": _gelu,
    "softmax": _softmax,
    "cast": _cast,
    "gather": _gather,
    "gather_along_axis": lambda x, indices, axis: np.take_along_axis(x, indices, axis),
    "gather_nd": _gather_nd,
    "scatter_nd": _scatter_nd,
    "scatter": _scatter,
    "scatter_along_axis": _scatter_along_axis,
    "reduce_argmax": _arg(np.argmax),
    "reduce_argmin": _arg(np.argmin),
    "topk": _topk,
    "cumsum": _cumsum,
    "reverse_sequence": _reverse_sequence,
    "band_part": _band_part,
    "linear": lambda x, weight, bias=None: x @ weight.T + (0 if bias is None else bias),
    "matmul": _matmul,
    "select": lambda cond, a, b: np.where(cond, a, b),
    "batch_norm": _batch_norm,
    "layer_norm": _layer_norm,
    "instance_norm": _instance_norm,
    "local_response_norm": _local_response_norm,
    "reduce_sum": _reduced(np.sum),
    "reduce_mean": _reduced(np.mean),
    "reduce_max": _reduced(np.max),
    "reduce_min": _reduced(np.min),
    "reduce_prod": _reduced(np.prod),
    "reduce_l1_norm": _reduced(lambda x, **how: np.sum(np.abs(x), **how)),
    "reduce_l2_norm": _reduced(lambda x, **how: np.sqrt(np.sum(x * x, **how))),
    "reduce_log_sum_exp": _reduced(special.logsumexp),
    "squeeze": lambda x, axes: np.squeeze(x, tuple(int(a) for a in axes)),
    "expand_dims": lambda x, axes: np.expand_dims(x, tuple(int(a) for a in axes)),
    "reshape": _reshape,
    "transpose": lambda x, perm: np.transpose(x, perm),
    "tile": _tile,
    "concat": _concat,
    "split": _split,
    "slice_by_index": _slice_by_index,
    "slice_by_size": _slice_by_size,
    "reverse": _reverse,
    "pad": _pad,
    "range_1d": lambda start, end, step: np.arange(start, end, step, dtype=np.int32),
    "upsample_nearest_neighbor": upsample_nearest,
    "upsample_bilinear": upsample_bilinear,
    "resize_bilinear": resize_bilinear,
    "depth_to_space": _depth_to_space,
    "space_to_depth": _space_to_depth,
    "pixel_shuffle": _pixel_shuffle,
    "conv": conv,
    "conv_transpose": conv_transpose,
    "max_pool": max_pool,
    "avg_pool": avg_pool,
    "lstm": _lstm,
    "gru": _gru,
    "random_uniform": _random(lambda rng, shape, low, high: rng.uniform(low, high, shape)),
    "random_normal": _random(lambda rng, shape, mean, stddev: rng.normal(mean, stddev, shape)),
    "random_categorical": lambda x, mode, size, seed: np.zeros((*x.shape[:-1], int(size)), x.dtype),
}
"""By name; operands are arrays by MIL's own names."""

__all__ = ["OPERATIONS"]
