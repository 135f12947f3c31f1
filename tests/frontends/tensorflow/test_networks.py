"""Networks of Keras, saved, compiled to TFLite and to ONNX, and run there: the numbers are TensorFlow's."""

# TensorFlow has no types
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingImports=false, reportMissingTypeStubs=false, reportUnknownParameterType=false
# pyright: reportMissingParameterType=false, reportAttributeAccessIssue=false, reportUnknownLambdaType=false

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import nhwcc
from nhwcc.cli import cli
from nhwcc.runners.tflite import start
from nhwcc.runners.worker import Worker

from .building import check_same, graph_of, raw, run_written, session_of

tf: Any = pytest.importorskip("tensorflow", reason="TensorFlow writes the models")
keras: Any = pytest.importorskip("keras")
layers: Any = keras.layers

RNG = np.random.default_rng(3)


@pytest.fixture(scope="module")
def process() -> Iterator[Worker]:
    with start() as worker:
        yield worker


def with_random_weights(model: Any) -> Any:
    """Give every weight numbers of the size that training leaves."""
    rng = np.random.default_rng(0)
    for variable in model.variables:
        shape, name = tuple(variable.shape), str(variable.path)
        if "variance" in name:
            value = rng.uniform(0.5, 1.5, shape)
        elif len(shape) > 1:
            value = rng.normal(0, 1 / np.sqrt(np.prod(shape[:-1])), shape)
        elif "seed" in name:
            continue
        else:
            value = rng.normal(0, 0.2, shape) + ("gamma" in name)
        variable.assign(value.astype(np.float32))
    return model


class Crop(layers.Layer):
    """One box of each image, which a network has found."""

    def call(self, given):
        image, boxes = given
        return tf.image.crop_and_resize(image, boxes, tf.range(tf.shape(image)[0]), (16, 16))


def found_and_cropped(head: Callable[[Any], Any]) -> Any:
    """A network that finds a box, cuts it out, and looks at it."""
    image = keras.Input((32, 32, 3))
    y = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")(image)
    boxes = layers.Dense(4, activation="sigmoid")(layers.GlobalAveragePooling2D()(y))
    return keras.Model(image, head(Crop()([image, boxes])))


def rows(head: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Take the rows of a crop as a sequence."""
    return lambda x: head(layers.Reshape((16, 48))(x))


def sequence(*parts: Any, shape: tuple[int, ...] = (9, 5)) -> Any:
    x = start = keras.Input(shape)
    for part in parts:
        x = part(x)
    return keras.Model(start, x)


def attention(x: Any) -> Any:
    return layers.MultiHeadAttention(2, 4)(x, x)


def residual() -> Any:
    """Blocks as those of MobileNet, with a squeeze and an excitation."""
    x = start = keras.Input((24, 24, 3))
    x = layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(x)
    x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
    y = layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x)
    y = layers.Activation("hard_silu")(layers.BatchNormalization()(y))
    gate = layers.Dense(8, activation="hard_sigmoid")(layers.Dense(2, activation="relu")(squeezed(y)))
    y = layers.Multiply()([y, layers.Reshape((1, 1, 8))(gate)])
    x = layers.Add()([x, y])
    x = layers.MaxPooling2D(2)(layers.Conv2D(6, 3)(layers.ZeroPadding2D(1)(x)))
    return keras.Model(start, layers.Dense(5, activation="softmax")(layers.Flatten()(x)))


def squeezed(x: Any) -> Any:
    return layers.GlobalAveragePooling2D()(x)


NETWORKS: dict[str, Callable[[], Any]] = {
    "crop-conv-same": lambda: found_and_cropped(layers.Conv2D(5, 3, padding="same", strides=2)),
    "crop-grouped-bn": lambda: found_and_cropped(
        lambda x: layers.BatchNormalization()(layers.Conv2D(6, 3, groups=3)(x))
    ),
    "crop-transposed": lambda: found_and_cropped(layers.Conv2DTranspose(4, 3, strides=2, padding="same")),
    "crop-separable-pool": lambda: found_and_cropped(
        lambda x: layers.MaxPooling2D(2)(layers.SeparableConv2D(6, 3, padding="same")(x))
    ),
    "crop-lstm": lambda: found_and_cropped(rows(layers.LSTM(6))),
    "crop-attention": lambda: found_and_cropped(rows(attention)),
    "residual": residual,
    "recurrent": lambda: sequence(
        layers.Bidirectional(layers.LSTM(4, return_sequences=True)), layers.GRU(3, return_sequences=True)
    ),
    "plain-recurrent": lambda: sequence(layers.SimpleRNN(4), layers.LayerNormalization()),
    "transformer": lambda: sequence(layers.Dense(8, activation="gelu"), attention, layers.LayerNormalization()),
}


LONG = frozenset({"crop-attention", "crop-separable-pool", "crop-transposed", "plain-recurrent"})
"""What takes seconds, and shows little that others don't."""


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.long] * (name in LONG)) for name in NETWORKS])
def test_networks(name: str, process: Worker, tmp_path: Path) -> None:
    model = with_random_weights(NETWORKS[name]())
    model.export(tmp_path / "saved", verbose=False)
    x = RNG.uniform(-1, 1, (2, *model.inputs[0].shape[1:])).astype(np.float32)
    want = model(x).numpy()
    for suffix in (".tflite", ".onnx"):
        path = tmp_path / f"model{suffix}"
        artifact = nhwcc.compile(tmp_path / "saved", path, io_layout="keep", verify=False)
        port = artifact.report.inputs[0].name
        (got,) = run_written(path, {port: x}, process)
        check_same(got, want, 1e-5, f"{name}{suffix}")


class TestKeras:
    """Files of Keras and models in memory become SavedModels, by Keras itself."""

    @pytest.fixture
    def model(self) -> Any:
        return with_random_weights(sequence(layers.Dense(4, activation="relu"), layers.Flatten(), shape=(3, 2)))

    @pytest.mark.parametrize("name", ["m.keras", pytest.param("m.hdf5", marks=pytest.mark.long), ""])
    def test_files_and_models(self, name: str, model: Any, process: Worker, tmp_path: Path) -> None:
        given = model
        if name:
            model.save(tmp_path / name.replace("hdf5", "h5"))
            given = tmp_path / name
            if name.endswith(".hdf5"):
                given.write_bytes((tmp_path / "m.h5").read_bytes())
        module = nhwcc.load(given)
        path = tmp_path / "model.tflite"
        nhwcc.compile(module, path, io_layout="keep")
        x = RNG.standard_normal((1, 3, 2)).astype(np.float32)
        (got,) = run_written(path, {module.main.inputs[0].name: x}, process)
        check_same(got, model(x).numpy(), 1e-5, name)

    @pytest.mark.parametrize("suffix", [pytest.param(".keras", marks=pytest.mark.long), ".h5"])
    def test_code_in_files_is_not_run(self, suffix: str, tmp_path: Path) -> None:
        path = tmp_path / f"m{suffix}"
        sequence(layers.Lambda(lambda x: x * 2), shape=(3,)).save(path)
        with pytest.raises(nhwcc.CompileError, match=r"F038|R018.*Lambda"):
            nhwcc.load(path)

    @pytest.mark.parametrize("name", ["m.keras", "m.h5"])
    def test_damaged_files(self, name: str, model: Any, tmp_path: Path) -> None:
        path = tmp_path / name
        model.save(path)
        path.write_bytes(path.read_bytes()[:-40])
        with pytest.raises(nhwcc.CompileError, match="R010"):
            nhwcc.load(path)

    def test_weights_alone(self, model: Any, tmp_path: Path) -> None:
        path = tmp_path / "m.weights.h5"
        model.save_weights(path)
        with pytest.raises(nhwcc.CompileError, match="F035"):
            nhwcc.load(path)

    def test_without_tensorflow(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("nhwcc.sources.keras.is_available", lambda: False)
        with pytest.raises(nhwcc.CompileError, match=r"R017.*TensorFlow"):
            nhwcc.load(b"\x89HDF\r\n\x1a\n" + bytes(99) + b"model_config")


BOXES = np.asarray(
    [[0.1, 0.2, 0.7, 0.9], [-0.3, -0.2, 1.4, 1.2], [0.8, 0.9, 0.1, 0.2], [0.3, 0.3, 0.3, 0.3], [0, 0, 1, 1]],
    np.float32,
)
"""Inside, beyond the edges, flipped, empty, and the whole."""


@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
@pytest.mark.parametrize(
    ("size", "method"),
    [((4, 5), "bilinear"), ((9, 12), "bilinear"), ((1, 6), "bilinear"), ((9, 5), "nearest"), ((1, 1), "nearest")],
)
def test_crops(size: tuple[int, int], method: str, suffix: str, process: Worker, tmp_path: Path) -> None:
    """Crops as large as the image, too, of open numbers of images and of boxes, of which there may be none."""
    build = raw("CropAndResize", method=method, extrapolation_value=-1.5)
    operands = ("f32[batch,9,12,3]", "f32[n,4]", "i32[n]", np.asarray(size, np.int32))
    graph, names = graph_of(build, operands)
    source, path = tmp_path / "graph.pb", tmp_path / f"model{suffix}"
    source.write_bytes(graph.as_graph_def().SerializeToString())
    nhwcc.compile(source, path, io_layout="keep", verify=False)
    image = RNG.uniform(-1, 1, (2, 9, 12, 3)).astype(np.float32)
    for boxes in (BOXES, BOXES[:0]):
        feeds = {"x0": image, "x1": boxes, "x2": np.arange(len(boxes), dtype=np.int32) % 2}
        (want,) = session_of(graph, names, feeds)
        (got,) = run_written(path, feeds, process)
        check_same(got, want, 1e-5, f"{len(boxes)} boxes")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("command") / "saved"
    module = tf.Module()
    module.w = tf.Variable(RNG.standard_normal((3, 3, 3, 4)).astype(np.float32))
    signatures = {
        name: tf.function(lambda x, f=f: {"y": f(tf.nn.conv2d(x, module.w, 1, "SAME"))}).get_concrete_function(
            tf.TensorSpec((None, 8, 8, 3))
        )
        for name, f in (("serving_default", tf.nn.relu), ("linear", tf.identity))
    }
    tf.saved_model.save(module, str(path), signatures=signatures)
    return path


class TestCommandLine:
    def test_a_saved_model_is_compared_with_tensorflow(self, saved: Path, tmp_path: Path) -> None:
        command = ["compile", str(saved), "-o", str(tmp_path / "m.tflite"), "--signature", "linear"]
        result = CliRunner().invoke(cli, command, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        assert "against TensorFlow 2." in result.output and "transposes 0 -> 0" in result.output

    def test_without_tensorflow(self, saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("nhwcc.sources.tensorflow.is_available", lambda: False)
        report = nhwcc.compile(saved, tmp_path / "m.onnx").report
        assert report.verification is not None and report.verification.ok
        assert any("TensorFlow is not installed" in w for w in report.warnings)

    def test_a_cut_is_compared_with_the_interpreter(self, saved: Path, tmp_path: Path) -> None:
        inside = "StatefulPartitionedCall/StatefulPartitionedCall/Conv2D"
        report = nhwcc.compile(saved, tmp_path / "m.onnx", outputs=[inside], signature="linear").report
        assert report.verification is not None and report.verification.ok
        assert any("TensorFlow runs whole models" in w for w in report.warnings)

    def test_inspect(self, saved: Path) -> None:
        result = CliRunner().invoke(cli, ["inspect", str(saved)], catch_exceptions=False)
        assert result.exit_code == 0 and "f32[batch,8,8,3]" in result.output and "SavedModel" in result.output

    def test_verify(self, saved: Path, tmp_path: Path) -> None:
        """The source is run by TensorFlow, tensor by tensor as far as it gives them."""
        nhwcc.compile(saved, tmp_path / "m.tflite", verify=False)
        command = ["verify", str(saved), str(tmp_path / "m.tflite"), "--per-op"]
        result = CliRunner().invoke(cli, command, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        assert "TensorFlow" in result.output
