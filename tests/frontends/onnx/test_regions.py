"""Operators that read at computed positions, draw, or normalise by the batch, against other implementations."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from agreement import agrees, contrib_model, contrib_node
from local import LocalWorker
from nhwcc.compiler.diagnostics import CompileError
from onnx import ModelProto
from onnx.reference import ReferenceEvaluator
from onnx_models import imported, model, node, results

RNG = np.random.default_rng(2)
IMAGE = RNG.standard_normal((2, 3, 7, 9)).astype(np.float32)
ROIS = np.asarray([[0, 0, 3, 3], [2.5, 1, 30, 12], [-9, 2, 4, 2.2]], np.float32)


@pytest.fixture(autouse=True)
def local_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nhwcc.runners.tflite.start", LocalWorker)


def roi_align(version: int, **fields: Any) -> ModelProto:
    constants = {"r": ROIS, "b": np.asarray([1, 0, 1])}
    return model([node("RoiAlign", "x r b", "y", **fields)], {"x": IMAGE.shape}, ["y"], constants, version=version)


@pytest.mark.parametrize("mode", ["avg", "max"])
@pytest.mark.parametrize("version", [10, 15, 16])
@pytest.mark.parametrize("transform", ["half_pixel", "output_half_pixel"])
def test_roi_align(version: int, mode: str, transform: str) -> None:
    fields: dict[str, Any] = {"output_height": 2, "output_width": 3, "sampling_ratio": 2, "spatial_scale": 0.5}
    if version >= 16:
        fields["coordinate_transformation_mode"] = transform
    proto = roi_align(version, mode=mode, **fields)
    session: Any = ort.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    (want,) = session.run(None, {"x": IMAGE})
    (got,) = results(imported(proto), x=IMAGE)
    np.testing.assert_allclose(got, want, atol=1e-5)


@pytest.mark.parametrize("mode", ["avg", "max"])
@pytest.mark.parametrize("version", [10, 16])
def test_as_many_samples_as_a_region_is_large(version: int, mode: str) -> None:
    """In a loop, since corners are data; regions may be empty, or larger than the image."""
    nodes = [node("RoiAlign", "x r b", "y", mode=mode, output_height=2, output_width=3, spatial_scale=0.5)]
    rois = np.asarray([*ROIS, [1, 1, 1, 1], [6, 5, 2, 1]], np.float32)
    fields = {"x": IMAGE.shape, "r": ("n", 4)}
    proto = model(nodes, fields, ["y"], {"b": np.asarray([1, 0, 1, 0, 0])}, version=version)
    agrees(proto, {"x": IMAGE, "r": rois})


def test_max_roi_pool() -> None:
    rois = np.asarray([[0, 0, 0, 3, 3], [1, 2.5, 1, 30, 12], [0, 9, 2, 4, 2.2], [1, 3, 3, 3, 3], [0, 40, 2, 50, 5]])
    nodes = [node("MaxRoiPool", "x r", "y", pooled_shape=[2, 3], spatial_scale=0.5)]
    proto = model(nodes, {"x": IMAGE.shape, "r": ("n", 5)}, ["y"])
    agrees(proto, {"x": IMAGE, "r": rois.astype(np.float32)}, {"x": IMAGE, "r": rois[2:3].astype(np.float32)})


@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
@pytest.mark.parametrize("size", [(4, 5), (1, 3)])
def test_crop_and_resize(mode: str, size: tuple[int, int]) -> None:
    rois = np.asarray([[0, 0, 1, 1], [0.1, 0.2, 0.7, 0.9], [0.9, 0.5, 0.2, 0.3], [-0.3, 0, 0.8, 1.4]], np.float32)
    nodes = [contrib_node("CropAndResize", "x r b s", "y", "com.microsoft", mode=mode, extrapolation_value=7.0)]
    inputs = {"x": (np.float32, IMAGE.shape), "r": (np.float32, rois.shape), "b": (np.int32, (4,))}
    proto = contrib_model(nodes, inputs, ["y"], {"s": np.asarray(size, np.int32)}, opsets={"": 17, "com.microsoft": 1})
    agrees(proto, {"x": IMAGE, "r": rois, "b": np.asarray([1, 0, 1, 0], np.int32)})


def test_regions_of_an_image_of_unknown_size_are_refused() -> None:
    nodes = [node("RoiAlign", "x r b", "y")]
    constants = {"r": ROIS, "b": np.asarray([1, 0, 1])}
    with pytest.raises(CompileError, match=r"F004.*unknown size"):
        imported(model(nodes, {"x": (2, 3, "h", 9)}, ["y"], constants))


@pytest.mark.parametrize(("group", "offset_group", "masked"), [(1, 1, False), (2, 2, True), (4, 1, True)])
def test_deform_conv(group: int, offset_group: int, masked: bool) -> None:
    x = RNG.standard_normal((2, 4, 6, 7)).astype(np.float32)
    places = 2 * 3 * offset_group
    shape = (3, 6)
    constants = {
        "w": RNG.standard_normal((8, 4 // group, 2, 3)).astype(np.float32),
        "o": RNG.standard_normal((2, 2 * places, *shape)).astype(np.float32) * 2,
        "b": RNG.standard_normal(8).astype(np.float32),
        "m": RNG.random((2, places, *shape)).astype(np.float32),
    }
    fields: dict[str, Any] = {"strides": [2, 1], "pads": [1, 0, 0, 1], "group": group, "offset_group": offset_group}
    nodes = [node("DeformConv", "x w o b m" if masked else "x w o b", "y", **fields)]
    proto = model(nodes, {"x": x.shape}, ["y"], constants, version=19)
    reference: Any = ReferenceEvaluator(proto)
    want = reference.run(None, {"x": x})
    (got,) = results(imported(proto), x=x)
    np.testing.assert_allclose(got, want[0], atol=1e-4)


@pytest.mark.parametrize("version", [8, 13, 15])
def test_normalisation_by_the_batch(version: int) -> None:
    constants = {n: RNG.random(3).astype(np.float32) for n in "sbmv"}
    outputs = "y rm rv" if version > 13 else "y rm rv bm bv"
    training = {"training_mode": 1} if version > 13 else {}
    nodes = [node("BatchNormalization", "x s b m v", outputs, epsilon=0.01, momentum=0.75, **training)]
    got = results(imported(model(nodes, {"x": IMAGE.shape}, outputs.split(), constants, version=version)), x=IMAGE)
    mean, variance = IMAGE.mean((0, 2, 3)), IMAGE.var((0, 2, 3))
    spread = [constants[n].reshape(3, 1, 1) for n in "sb"]
    normal = (IMAGE - mean.reshape(3, 1, 1)) / np.sqrt(variance.reshape(3, 1, 1) + 0.01)
    moved = [0.75 * constants[n] + 0.25 * new for n, new in (("m", mean), ("v", variance))]
    for g, w in zip(got, [normal * spread[0] + spread[1], *moved, mean, variance][: len(got)], strict=True):
        np.testing.assert_allclose(g, w, rtol=1e-4, atol=1e-5)


def drawn(name: str, inputs: str = "", **fields: Any) -> Any:
    x = np.zeros((200, 100), np.float32)
    (got,) = results(imported(model([node(name, inputs, "y", **fields)], {"x": x.shape}, ["y"], version=22)), x=x)
    return got


def test_random_numbers() -> None:
    uniform = drawn("RandomUniform", shape=[200, 100], low=2.0, high=6.0, seed=1.0)
    assert uniform.dtype == np.float32 and uniform.min() >= 2 and uniform.max() < 6 and abs(uniform.mean() - 4) < 0.05
    normal = drawn("RandomNormalLike", "x", mean=3.0, scale=2.0, dtype=11)
    assert normal.dtype == np.float64 and abs(normal.mean() - 3) < 0.1 and abs(normal.std() - 2) < 0.1
    chosen = drawn("Multinomial", "x", sample_size=50, dtype=7)
    assert chosen.dtype == np.int64 and chosen.shape == (200, 50) and abs(chosen.mean() - 49.5) < 2
    np.testing.assert_array_equal(uniform, drawn("RandomUniform", shape=[200, 100], low=2.0, high=6.0, seed=1.0))


def test_dropout_in_training() -> None:
    x = np.ones((100, 100), np.float32)
    constants = {"r": np.float32(0.25), "t": np.asarray(True)}
    proto = model([node("Dropout", "x r t", "y mask", seed=3)], {"x": x.shape}, ["y", "mask"], constants, version=13)
    y, mask = results(imported(proto), x=x)
    assert mask.dtype == np.bool_ and abs(mask.mean() - 0.75) < 0.02
    np.testing.assert_allclose(y, np.where(mask, 4 / 3, 0), rtol=1e-6)


def test_compress_by_a_computed_condition() -> None:
    constants = {"zero": np.float32(0)}
    nodes = [node("Greater", "c zero", "k"), node("Compress", "x k", "y", axis=1), node("Compress", "x k", "z")]
    module = imported(model(nodes, {"x": (2, 3), "c": (3,)}, ["y", "z"], constants, version=11))
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    for c in ([1, -1, 2], [-1, -1, -1]):
        y, z = results(module, x=x, c=np.asarray(c, np.float32))
        kept = np.asarray(c) > 0
        np.testing.assert_array_equal(y, x[:, kept])
        np.testing.assert_array_equal(z, x.reshape(-1)[:3][kept])


def test_ngrams_of_strings_are_refused() -> None:
    fields: dict[str, Any] = {"max_gram_length": 1, "max_skip_count": 0, "min_gram_length": 1, "mode": "TF"}
    nodes = [node("TfIdfVectorizer", "x", "y", ngram_counts=[0], ngram_indexes=[0], pool_strings=["a"], **fields)]
    with pytest.raises(CompileError, match="F003"):
        imported(model(nodes, {"x": (3,)}, ["y"], element=7))


@pytest.mark.parametrize(
    "wrong",
    [
        {"ngram_counts": [0, 3]},
        {"ngram_counts": [2, 0]},
        {"ngram_indexes": [0, 1]},
        {"weights": [0.5]},
    ],
)
def test_lists_of_ngrams_that_do_not_fit(wrong: dict[str, Any]) -> None:
    fields: dict[str, Any] = {"max_gram_length": 2, "max_skip_count": 0, "min_gram_length": 1, "mode": "TF"}
    right: dict[str, Any] = {"ngram_counts": [0, 2], "ngram_indexes": [0, 1, 2], "pool_int64s": [5, 6, 7, 8]}
    nodes = [node("TfIdfVectorizer", "x", "y", **(right | wrong), **fields)]
    with pytest.raises(CompileError, match="F002"):
        imported(model(nodes, {"x": (3,)}, ["y"], element=7))
    imported(model([node("TfIdfVectorizer", "x", "y", **right, **fields)], {"x": (3,)}, ["y"], element=7))
