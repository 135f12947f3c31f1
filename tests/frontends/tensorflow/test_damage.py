"""Damaged files are errors with a code, whatever is wrong with them."""

# TensorFlow has no types
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingImports=false, reportMissingTypeStubs=false, reportUnknownLambdaType=false

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nhwcc.compiler.budget import Budget, limited
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.ops.core import Const
from nhwcc.formats.message import Message
from nhwcc.formats.tensorflow.bundle import read_bundle, read_table
from nhwcc.formats.tensorflow.model import Function, Graph, Node, read_graph
from nhwcc.formats.tensorflow.tensors import ElementType, Store, StoredTensor
from nhwcc.formats.wire import WireError, bytes_field
from nhwcc.frontends.tensorflow import import_tensorflow
from nhwcc.frontends.tensorflow.flatten import Call, Flat, Result
from nhwcc.frontends.tensorflow.registry import results_of
from nhwcc.frontends.tensorflow.schedule import needed_calls

FILES = ("saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tf: Any = pytest.importorskip("tensorflow", reason="TensorFlow writes the models")
    module = tf.Module()
    module.w = tf.Variable(np.ones((3, 3, 2, 4), np.float32))
    module.b = tf.Variable(np.ones(4, np.float32))

    def call(x: Any) -> Any:
        y = tf.nn.conv2d(x, module.w, 1, "SAME") + module.b
        y = tf.cond(tf.reduce_sum(y) > 0, lambda: tf.nn.relu(y), lambda: y)
        return tf.reshape(y, (1, -1)) * tf.constant(np.arange(100, dtype=np.float32))

    concrete = tf.function(call).get_concrete_function(tf.TensorSpec((1, 5, 5, 2)))
    path = tmp_path_factory.mktemp("saved") / "model"
    tf.saved_model.save(module, str(path), signatures=concrete)
    return path


def codes(path: Path | bytes) -> set[str]:
    """The kinds of errors that a model has, none if it can be read and its weights can be, too."""
    try:
        module = import_tensorflow(path)
        for op in module.walk():
            if isinstance(op, Const):
                op.value.array()
    except CompileError as bad:
        return {d.code[0] for d in bad.diagnostics}
    return set()


@pytest.mark.parametrize("seed", range(150))
def test_changed_bytes(seed: int, model: Path, tmp_path: Path) -> None:
    """Either the model can still be read, or an error says what is wrong."""
    copy = shutil.copytree(model, tmp_path / "copy")
    rng = random.Random(seed)
    path = copy / FILES[0 if seed % 3 else 1]
    data = bytearray(path.read_bytes())
    for _ in range(rng.choice([1, 1, 2, 8])):
        data[rng.randrange(len(data))] = rng.choice([0, 1, 127, 128, 255, rng.randrange(256)])
    path.write_bytes(data)
    assert codes(copy) <= {*"RFTM"}


@pytest.mark.parametrize(
    ("name", "share"),
    [(name, share) for name in FILES[:2] for share in (0, 0.1, 0.5, 0.9, 0.999)] + [(FILES[2], 0), (FILES[2], 0.1)],
)
def test_truncated(name: str, share: float, model: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(model, tmp_path / "copy")
    data = (copy / name).read_bytes()
    (copy / name).write_bytes(data[: int(len(data) * share)])
    assert codes(copy) <= {*"RF"} and codes(copy)


def test_a_shard_outside_of_the_folder(model: Path, tmp_path: Path) -> None:
    """A link to a file elsewhere is not followed out of the model's folder."""
    copy = shutil.copytree(model, tmp_path / "copy")
    shard = copy / FILES[2]
    moved = shard.rename(tmp_path / "elsewhere")
    shard.symlink_to(moved)
    assert codes(copy) == {"F"}


def test_bytes_that_are_nothing() -> None:
    for data in (b"\xff" * 40, b"\x0a\xff\xff\xff\xff\x0f", b"\x0b\x01", bytes(50)):
        assert codes(data) == {"R"}


def test_an_empty_graph() -> None:
    with pytest.raises(CompileError, match="F011"):
        import_tensorflow(b"\x12\x00")


def test_messages_that_are_nested_too_deeply() -> None:
    content = b""
    for _ in range(300):
        content = bytes_field(10, bytes_field(2, bytes_field(1, b"f") + bytes_field(2, content)))
    node = bytes_field(1, b"n") + bytes_field(2, b"If") + bytes_field(5, bytes_field(1, b"f") + bytes_field(2, content))
    with pytest.raises(WireError, match="nested"):
        read_graph(Message(memoryview(bytes_field(1, node))), Store(b""))


class TestTensors:
    def test_the_last_element_is_repeated(self) -> None:
        tensor = StoredTensor(ElementType(1), (4,), Store(b""), None, (1.0, 2.0))
        assert tensor.weight("x").array().tolist() == [1, 2, 2, 2]
        assert StoredTensor(ElementType(3), (2, 2), Store(b"")).weight("x").array().tolist() == [[0, 0], [0, 0]]

    def test_one_element_of_many_takes_the_memory_of_one(self) -> None:
        tensor = StoredTensor(ElementType(1), (1000, 1000), Store(b""), None, (0.5,))
        weight = tensor.weight("x")
        assert weight.is_splat and sum(o.nbytes for o in weight.origins) == 4

    def test_halves_are_bits(self) -> None:
        tensor = StoredTensor(ElementType(19), (2,), Store(b""), None, (0x3C00, 0xC000))
        assert tensor.weight("x").array().tolist() == [1, -2]

    @pytest.mark.parametrize(
        ("tensor", "code"),
        [
            (StoredTensor(ElementType(1), (2,), Store(b"1234"), (0, 4)), "F016"),
            (StoredTensor(ElementType(1), (1,), Store(b"1234"), (2, 4)), "F016"),
            (StoredTensor(ElementType(1), (1,), Store(b""), None, (1.0, 2.0)), "F016"),
            (StoredTensor(ElementType(4), (1,), Store(b""), None, (1 << 70,)), "F016"),
            (StoredTensor(ElementType(1), (None,), Store(b"")), "F016"),
            (StoredTensor(ElementType(11), (1,), Store(b"")), "F003"),
            (StoredTensor(ElementType(1), (1 << 40, 1 << 20), Store(b""), None, (1.0,)), "M001"),
        ],
    )
    def test_damaged(self, tensor: StoredTensor, code: str) -> None:
        with pytest.raises(CompileError, match=code):
            tensor.weight("x")


def function(name: str, *nodes: Node, arguments: tuple[str, ...] = ("x",), result: str = "x") -> Function:
    return Function(name, arguments, (None,) * len(arguments), nodes, (result,))


def call(name: str, op: str, *inputs: str) -> Node:
    return Node(name, op, inputs, {})


def needed(graph: Graph) -> list[Call]:
    """Return the nodes that ``y`` needs."""
    flat = Flat(graph.functions, results_of)
    flat.add(graph.nodes)
    return needed_calls(flat, [Result("y")], ())


class TestGraphs:
    @pytest.mark.parametrize(
        ("nodes", "functions", "code"),
        [
            ([call("y", "f", "a")], [function("f", call("n", "f", "x"), result="n:out:0")], "F021"),
            ([call("y", "f", "a", "a")], [function("f")], "F006"),
            ([call("y", "PartitionedCall", "a")], [], "F006"),
            ([call("y", "Abs", "z")], [], "F014"),
            ([call("y", "Add", "y", "a")], [], "F013"),
            ([call("y", "Add", "z", "a"), call("z", "Abs", "y")], [], "F013"),
            ([call("y", "f", "y")], [function("f")], "F013"),
            ([call("y", "Abs", "a"), call("y", "Abs", "a")], [], "F015"),
            ([call("y", "f", "a")], [function("f", call("n", "Abs", "none"), result="n:y:0")], "F014"),
        ],
    )
    def test_what_can_not_be(self, nodes: list[Node], functions: list[Function], code: str) -> None:
        graph = Graph((call("a", "Placeholder"), *nodes), {f.name: f for f in functions})
        with pytest.raises(CompileError, match=code):
            needed(graph)

    def test_functions_that_multiply(self) -> None:
        """Each function calls the one before ten times: nobody waits for the result."""
        functions = [function("f0", call("n", "Abs", "x"), result="n:y:0")]
        for i in range(1, 12):
            names = [f"n{k}" for k in range(10)]
            calls = [call(name, f"f{i - 1}", "x") for name in names]
            total = Node("sum", "AddN", tuple(f"{name}:out:0" for name in names), {})
            functions.append(function(f"f{i}", *calls, total, result="sum:sum:0"))
        graph = Graph((call("a", "Placeholder"), call("y", "f11", "a")), {f.name: f for f in functions})
        with limited(Budget(memory=64 << 20)), pytest.raises(CompileError, match="M004"):
            needed(graph)


class TestTables:
    def test_compressed_blocks(self, model: Path) -> None:
        """Behind the last block, before the end of the file, stands how it is compressed."""
        data = bytearray((model / FILES[1]).read_bytes())
        data[-48 - 5] = 1
        with pytest.raises(WireError, match="compressed"):
            list(read_table(memoryview(data)))

    def test_no_table(self) -> None:
        with pytest.raises(WireError, match="not a table"):
            list(read_table(memoryview(bytes(100))))

    def test_what_is_not_there(self, model: Path) -> None:
        bundle = read_bundle(model / "variables" / "variables")
        with pytest.raises(CompileError, match="F017"):
            bundle.weight("none")
