"""Whole models: functions, variables of both versions, branches and loops, signatures, cuts, and what is refused."""

# TensorFlow has no types
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingImports=false, reportMissingTypeStubs=false, reportUnknownParameterType=false
# pyright: reportUnknownLambdaType=false, reportUntypedFunctionDecorator=false, reportMissingParameterType=false, reportAttributeAccessIssue=false

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.ops.core import Const
from nhwcc.compiler.types import Array
from nhwcc.frontends.tensorflow import import_tensorflow

from .building import check_same, graph_of, interpreted, raw

tf: Any = pytest.importorskip("tensorflow", reason="TensorFlow writes the models")

RNG = np.random.default_rng(5)


def floats(*shape: int) -> Array:
    return RNG.standard_normal(shape).astype(np.float32)


def saved(function: Any, path: Path, *specs: Any, module: Any = None) -> Path:
    """Save a function as the signature of a SavedModel."""
    module = module or tf.Module()
    concrete = tf.function(function).get_concrete_function(*specs)
    tf.saved_model.save(module, str(path), signatures=concrete)
    return path


def frozen(function: Any, *specs: Any) -> tuple[bytes, list[str], list[str]]:
    """Return the graph of a function, with the names of its inputs and outputs."""
    concrete = tf.function(function).get_concrete_function(*specs)
    graph = concrete.graph
    names = [[t.name.split(":")[0] for t in side] for side in (graph.inputs, graph.outputs)]
    return graph.as_graph_def().SerializeToString(), names[0], names[1]


def spec(*shape: int | None, dtype: str = "float32") -> Any:
    return tf.TensorSpec(shape, dtype)


def agree(function: Any, *inputs: Array, specs: Any = None) -> None:
    """Compare what TensorFlow gives with what is imported of its graph."""
    data, given, outputs = frozen(function, *(specs or [spec(*x.shape, dtype=x.dtype.name) for x in inputs]))
    module = import_tensorflow(data, inputs=given, outputs=outputs)
    want = tf.nest.flatten(function(*map(tf.constant, inputs)))
    for got, expected in zip(interpreted(module, dict(zip(given, inputs, strict=True))), want, strict=True):
        check_same(got, expected.numpy(), 1e-5, "result")


class Net(tf.Module):
    """Variables of the same name, one that is never read, and one in a function inside of a function."""

    def __init__(self) -> None:
        super().__init__()
        self.w = tf.Variable(floats(4, 3), name="w")
        self.other = tf.Variable(floats(3), name="w")
        self.unread = tf.Variable(0, name="unread")

    @tf.function
    def inner(self, x):
        return tf.matmul(x, self.w) + self.other

    def call(self, x):
        return {"y": tf.nn.relu(self.inner(x)), "z": self.inner(x * 2)}


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Net]:
    net = Net()
    return saved(net.call, tmp_path_factory.mktemp("net") / "model", spec(None, 4), module=net), net


class TestVariables:
    def test_version_2(self, net: tuple[Path, Net]) -> None:
        path, module = net
        found = import_tensorflow(path)
        x = floats(2, 4)
        want = module.call(tf.constant(x))
        for got, name in zip(interpreted(found, {"x": x}), ("y", "z"), strict=True):
            check_same(got, want[name].numpy(), 1e-6, name)
        assert [p.name for p in found.main.outputs] == ["y", "z"]

    def test_they_stay_in_their_file(self, tmp_path: Path) -> None:
        module = tf.Module()
        module.w = tf.Variable(floats(100, 400))
        path = saved(lambda x: tf.matmul(x, module.w), tmp_path / "m", spec(2, 100), module=module)
        weights = [op.value for op in import_tensorflow(path).walk() if isinstance(op, Const)]
        sources = {w.source.path.name for w in weights if w.source is not None}
        assert sources == {"variables.data-00000-of-00001"}

    def test_version_1(self, tmp_path: Path) -> None:
        v1, path = tf.compat.v1, tmp_path / "old"
        with tf.Graph().as_default(), v1.Session() as session:
            x = v1.placeholder("float32", (None, 4), name="in")
            plain = v1.get_variable("a", initializer=floats(4, 3), use_resource=False)
            resource = v1.get_variable("b", initializer=floats(3), use_resource=True)
            y = tf.nn.tanh(tf.matmul(x, plain) + resource, name="out")
            session.run(v1.global_variables_initializer())
            v1.saved_model.simple_save(session, str(path), {"x": x}, {"y": y})
            given = floats(2, 4)
            want = session.run(y, {x: given})
        module = import_tensorflow(path)
        assert str(module.main.args[0].type) == "f32[batch,4]"
        check_same(interpreted(module, {"x": given})[0], want, 1e-6, "y")

    def test_a_missing_file(self, net: tuple[Path, Net], tmp_path: Path) -> None:
        (tmp_path / "saved_model.pb").write_bytes((net[0] / "saved_model.pb").read_bytes())
        with pytest.raises(CompileError, match=r"R010.*variables.index"):
            import_tensorflow(tmp_path)
        (tmp_path / "variables").mkdir()
        index = net[0] / "variables" / "variables.index"
        (tmp_path / "variables" / index.name).write_bytes(index.read_bytes())
        with pytest.raises(CompileError, match="F017"):
            import_tensorflow(tmp_path)

    def test_a_graph_alone(self, net: tuple[Path, Net]) -> None:
        data, _, outputs = frozen(net[1].call, spec(None, 4))
        with pytest.raises(CompileError, match=r"F003.*resource"):
            import_tensorflow(data, outputs=outputs)

    def test_changes_are_refused(self, tmp_path: Path) -> None:
        module = tf.Module()
        module.count = tf.Variable(0.0)

        def call(x):
            module.count.assign_add(1.0)
            return x * module.count

        path = saved(call, tmp_path / "m", spec(2), module=module)
        with pytest.raises(CompileError, match="F031"):
            import_tensorflow(path)


class TestSignatures:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        module = tf.Module()
        signatures = {
            name: tf.function(lambda x, n=n: {"y": x * n}).get_concrete_function(spec(2))
            for n, name in enumerate(("first", "serving_default", "third"))
        }
        tf.saved_model.save(module, str(tmp_path / "m"), signatures=signatures)
        return tmp_path / "m"

    @pytest.mark.parametrize(("name", "factor"), [(None, 1), ("first", 0), ("third", 2)])
    def test_choice(self, path: Path, name: str | None, factor: int) -> None:
        x = floats(2)
        check_same(interpreted(import_tensorflow(path, signature=name), {"x": x})[0], x * factor, 0, "y")

    def test_unknown(self, path: Path) -> None:
        with pytest.raises(CompileError, match=r"F018.*no signature 'none'"):
            import_tensorflow(path, signature="none")


class TestCuts:
    def test_inside_of_functions(self, net: tuple[Path, Net]) -> None:
        path, module = net
        x = floats(2, 4)
        name = "/".join(["StatefulPartitionedCall"] * 3)
        found = import_tensorflow(path, outputs=[f"{name}/MatMul"])
        check_same(interpreted(found, {"x": x})[0], x @ module.w.numpy(), 1e-6, name)

    def test_inputs_inside(self) -> None:
        data, _, outputs = frozen(lambda x: tf.nn.relu(tf.abs(x, name="middle") - 1), spec(2, 3))
        x = floats(2, 3)
        module = import_tensorflow(data, inputs=["middle"], outputs=outputs, shapes={"middle": (2, 3)})
        check_same(interpreted(module, {"middle": x})[0], np.maximum(x - 1, 0), 1e-6, "y")
        with pytest.raises(CompileError, match=r"(?s)F020.*--shape middle"):
            import_tensorflow(data, inputs=["middle"], outputs=outputs)

    def test_wrong_names(self) -> None:
        data, *_ = frozen(lambda x: tf.abs(x, name="absolute"), spec(2, 3))
        with pytest.raises(CompileError, match=r"(?s)F018.*Did you mean 'absolute'"):
            import_tensorflow(data, outputs=["absolutes"])

    def test_inputs_that_are_missing(self) -> None:
        data, given, outputs = frozen(lambda x, y: x + tf.abs(y), spec(2), spec(2))
        with pytest.raises(CompileError, match=f"F018.*inputs {given[1]}"):
            import_tensorflow(data, inputs=given[:1], outputs=outputs)

    def test_outputs_that_nobody_named(self) -> None:
        data, *_ = frozen(lambda x: (tf.abs(x, name="a"), tf.exp(x, name="b")), spec(2))
        names = [p.name for p in import_tensorflow(data).main.outputs]
        assert names == ["Identity", "Identity_1"]

    def test_all_results_of_a_node_are_outputs(self) -> None:
        graph, _ = graph_of(raw("TopKV2"), ("f32[2,5]", np.asarray(3, np.int32)))
        nodes = tf.compat.v1.GraphDef()
        nodes.node.extend(node for node in graph.as_graph_def().node if not node.name.startswith("y"))
        module = import_tensorflow(nodes.SerializeToString())
        assert [p.name for p in module.main.outputs] == ["TopKV2", "TopKV2:1"]

    def test_effects_before_a_cut(self, tmp_path: Path) -> None:
        """What is cut off may write to variables."""
        module = tf.Module()
        module.count = tf.Variable(0.0)

        def call(x):
            return tf.abs(module.count.assign_add(1.0) * x, name="middle") + 1.0

        path = saved(call, tmp_path / "m", spec(2), module=module)
        inside = "/".join([*["StatefulPartitionedCall"] * 2, "middle"])
        found = import_tensorflow(path, inputs=[inside], shapes={inside: (2,)})
        x = floats(2)
        check_same(interpreted(found, {inside: x})[0], x + 1, 1e-6, "y")


class TestSizes:
    def test_open_batch(self) -> None:
        data, given, outputs = frozen(lambda x: tf.reshape(x, (tf.shape(x)[0], -1)), spec(None, 3, 4))
        module = import_tensorflow(data, outputs=outputs)
        assert [str(v.type) for v in module.main.returns] == ["f32[batch,12]"]
        fixed = import_tensorflow(data, outputs=outputs, shapes={"batch": 5})
        assert [str(v.type) for v in fixed.main.returns] == ["f32[5,12]"]
        named = import_tensorflow(data, outputs=outputs, shapes={given[0]: ("n", 3, 4)})
        assert [str(v.type) for v in named.main.returns] == ["f32[n,12]"]

    def test_boxes_are_not_the_batch(self) -> None:
        def call(image, boxes, numbers):
            return tf.image.crop_and_resize(image, boxes, tf.cast(numbers, "int32"), (3, 4))

        data, _, outputs = frozen(call, spec(None, 9, 9, 2), spec(None, 4), spec(None, dtype="int64"))
        module = import_tensorflow(data, outputs=outputs)
        assert [str(v.type) for v in (*module.main.args, *module.main.returns)] == [
            "f32[batch,9,9,2]",
            "f32[boxes,4]",
            "i64[boxes]",
            "f32[boxes,3,4,2]",
        ]

    def test_no_rank(self) -> None:
        data, given, outputs = frozen(tf.abs, tf.TensorSpec(None, "float32"))
        with pytest.raises(CompileError, match="F020"):
            import_tensorflow(data, outputs=outputs)
        assert import_tensorflow(data, outputs=outputs, shapes={given[0]: (2, 3)}).main


class TestControl:
    def test_branches(self) -> None:
        def call(x, flag):
            return tf.cond(flag, lambda: x * 2, lambda: tf.exp(x))

        for flag in (True, False):
            agree(call, floats(2, 3), np.asarray(flag))

    def test_a_branch_that_is_known(self) -> None:
        data, given, outputs = frozen(lambda x: tf.cond(tf.shape(x)[1] > 2, lambda: x * 2, lambda: x), spec(2, 3))
        module = import_tensorflow(data, outputs=outputs)
        assert [op.spec.name for op in module.walk() if not isinstance(op, Const)] == ["mul", "return"]
        assert given

    def test_a_loop(self) -> None:
        def call(x):
            return tf.while_loop(lambda i, v: i < 5, lambda i, v: (i + 1, v * 1.5 + x), (0, x))

        agree(call, floats(2, 3))

    def test_a_loop_that_data_ends(self) -> None:
        def call(x):
            return tf.while_loop(lambda v: tf.reduce_sum(v) < 100.0, lambda v: (v * 2.0,), (x,))[0]

        agree(call, np.abs(floats(4)) + np.float32(1))

    def test_a_loop_whose_value_grows(self) -> None:
        def call(x):
            def body(i, v):
                return i + 1, tf.concat([v, tf.tanh(tf.reduce_sum(v, 0, keepdims=True))], 0)

            sizes = (tf.TensorShape([]), tf.TensorShape([None, 3]))
            return tf.while_loop(lambda i, v: i < 5, body, (0, x), shape_invariants=sizes)[1]

        agree(call, floats(2, 3))
        agree(call, floats(0, 3))

    def test_a_loop_of_complex_numbers(self) -> None:
        def call(x):
            z = tf.complex(x, x)
            return tf.abs(tf.while_loop(lambda i, v: i < 3, lambda i, v: (i + 1, tf.signal.fft(v)), (0, z))[1])

        data, _, outputs = frozen(call, spec(2, 3))
        with pytest.raises(CompileError, match=r"F005.*complex numbers"):
            import_tensorflow(data, outputs=outputs)

    def test_lists(self) -> None:
        def call(x):
            array = tf.TensorArray("float32", 4).unstack(x)
            out = tf.TensorArray("float32", 4)
            total = tf.zeros_like(x[0])
            for i in tf.range(4):
                total = total + array.read(i)
                out = out.write(i, total * 2.0)
            return out.stack(), total

        agree(tf.function(call), floats(4, 2, 3))

    def test_items_in_some_places(self) -> None:
        def call(x):
            array = tf.TensorArray("float32", 4, clear_after_read=False).scatter([3, 1], x)
            halves = tf.TensorArray("float32", 2).split(x, [1, 1])
            return array.gather([1, 3]), array.stack(), halves.concat()

        agree(call, floats(2, 3))

    def test_a_list_that_grows_in_a_loop(self) -> None:
        def call(x):
            def body(i, array):
                return i + 1, array.write(i, x * tf.cast(i, "float32"))

            array = tf.TensorArray("float32", 0, dynamic_size=True, element_shape=(2, 3))
            return tf.while_loop(lambda i, _: i < 4, body, (0, array))[1].stack()

        agree(call, floats(2, 3))

    def test_a_list_that_a_loop_pushes_to(self) -> None:
        def call(x):
            def body(i, items):
                return i + 1, tf.raw_ops.TensorListPushBack(input_handle=items, tensor=x * tf.cast(i, "float32"))

            items = tf.raw_ops.EmptyTensorList(element_shape=[2, 3], max_num_elements=-1, element_dtype="float32")
            items = tf.while_loop(lambda i, _: i < 4, body, (0, items))[1]
            return tf.raw_ops.TensorListStack(input_handle=items, element_shape=[2, 3], element_dtype="float32")

        agree(call, floats(2, 3))

    def test_a_list_that_one_branch_writes_to(self) -> None:
        def call(x, flag):
            array = tf.TensorArray("float32", 3, element_shape=(3,))
            return tf.cond(flag, lambda: array.unstack(x), lambda: array).stack()

        for flag in (True, False):
            agree(call, floats(3, 3), np.asarray(flag))


def test_random_numbers_are_drawn_when_the_network_runs() -> None:
    def call(x):
        return x + tf.random.normal((2, 3)), tf.random.uniform((4,)), tf.random.categorical(x, 5)

    data, given, outputs = frozen(call, spec(2, 3))
    module = import_tensorflow(data, outputs=outputs)
    assert [str(v.type) for v in module.main.returns] == ["f32[2,3]", "f32[4]", "i64[2,5]"]
    first, second = (interpreted(module, {given[0]: floats(2, 3)})[1] for _ in range(2))
    assert (first != second).any() and first.min() >= 0 and first.max() < 1


class TestRefusals:
    def test_all_problems_at_once(self) -> None:
        def call(x):
            sparse = tf.sparse.from_dense(x)
            text = tf.strings.as_string(x)
            return tf.sparse.to_dense(sparse), tf.strings.length(text)

        data, _, outputs = frozen(call, spec(2, 3))
        with pytest.raises(CompileError) as caught:
            import_tensorflow(data, outputs=outputs)
        codes = {(d.code, d.message.split()[2]) for d in caught.value.diagnostics}
        assert {("F001", "AsString"), ("F001", "StringLength")} <= codes
        assert all(d.location is not None and d.help for d in caught.value.diagnostics)

    def test_ragged(self) -> None:
        def call(x):
            return tf.RaggedTensor.from_row_splits(x, [0, 1, 4]).to_tensor()

        data, _, outputs = frozen(call, spec(4))
        with pytest.raises(CompileError, match="ragged tensors"):
            import_tensorflow(data, outputs=outputs)

    def test_strings_as_inputs(self) -> None:
        data, _, outputs = frozen(tf.strings.length, tf.TensorSpec((2,), "string"))
        with pytest.raises(CompileError, match=r"F003.*strings"):
            import_tensorflow(data, outputs=outputs)

    @pytest.mark.parametrize("most", [2, 9])
    def test_at_most_as_many_boxes_as_there_are(self, most: int) -> None:
        """Graphs of detectors ask for the smaller number, of which data knows one."""

        def call(boxes, scores):
            good = tf.reshape(tf.where(scores > 0.0), [-1])
            boxes, scores = tf.gather(boxes, good), tf.gather(scores, good)
            return tf.image.non_max_suppression(boxes, scores, tf.minimum(most, tf.shape(boxes)[0]))

        sides = [[0, 0, 1, 1], [0, 0, 1, 0.9], [2, 2, 3, 3], [4, 4, 5, 5], [4, 4, 5, 4.9], [6, 6, 7, 7]]
        boxes = np.asarray(sides, np.float32)
        for scores in ([0.3, 0.6, -0.1, 0.2, 0.9, 0.4], [-1.0] * 6):
            agree(call, boxes, np.asarray(scores, np.float32))

    def test_softened_scores(self) -> None:
        def call(boxes, scores):
            return tf.image.non_max_suppression_with_scores(boxes, scores, 3, soft_nms_sigma=0.5)

        data, _, outputs = frozen(call, spec(5, 4), spec(5))
        with pytest.raises(CompileError, match=r"F005.*softens scores"):
            import_tensorflow(data, outputs=outputs[:1])
