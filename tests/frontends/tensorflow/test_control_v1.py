"""Control flow of version 1: branches and loops that are nodes, and arrays of tensors."""

# TensorFlow has no types
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingImports=false, reportMissingTypeStubs=false, reportUnknownParameterType=false
# pyright: reportUnknownLambdaType=false, reportMissingParameterType=false, reportAttributeAccessIssue=false

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.ir import Module
from nhwcc.compiler.types import Array
from nhwcc.formats.tensorflow.model import Graph, Node
from nhwcc.frontends.tensorflow import import_tensorflow
from nhwcc.frontends.tensorflow.functionalize import functionalize

import nhwcc
from nhwcc.runners.tflite import start
from nhwcc.runners.worker import Worker

from .building import check_same, graph_of, interpreted, run_written, session_of

tf: Any = pytest.importorskip("tensorflow", reason="TensorFlow writes the models")

RNG = np.random.default_rng(8)


def floats(*shape: int) -> Array:
    return RNG.standard_normal(shape).astype(np.float32)


@pytest.fixture(scope="module")
def process() -> Iterator[Worker]:
    with start() as worker:
        yield worker


@pytest.fixture(autouse=True)
def version_1() -> Iterator[None]:
    tf.compat.v1.disable_control_flow_v2()
    yield
    tf.compat.v1.enable_control_flow_v2()


def sent(data: Any, number: Any, count: int) -> list[Any]:
    """Return the results of a node ``_SwitchN``, which TensorFlow's API does not give."""
    graph = tf.compat.v1.get_default_graph()
    node = tf.compat.v1.NodeDef(name=graph.unique_name("many"), op="_SwitchN", input=["data:0", "number:0"])
    node.attr["num_outs"].i = count
    node.attr["T"].type = data.dtype.as_datatype_enum
    whole = tf.compat.v1.GraphDef(node=[node])
    for name, given in (("data", data), ("number", number)):
        held = whole.node.add(name=name, op="Placeholder")
        held.attr["dtype"].type = given.dtype.as_datatype_enum
    ends = [f"{node.name}:{i}" for i in range(count)]
    return tf.graph_util.import_graph_def(whole, {"data": data, "number": number}, ends)


def imported(build: Callable[..., Any], *types: str) -> tuple[Any, Module, list[str]]:
    """Return the graph of what ``build`` makes, and what is imported of it."""
    graph, outputs = graph_of(build, types)
    return graph, import_tensorflow(graph.as_graph_def().SerializeToString(), outputs=outputs), outputs


def agree(build: Callable[..., Any], types: list[str], *runs: tuple[Array, ...]) -> Module:
    """Compare with TensorFlow on the elements of each run."""
    graph, module, outputs = imported(build, *types)
    for arrays in runs:
        feeds = {f"x{i}": array for i, array in enumerate(arrays)}
        given = {port.name: feeds[port.name] for port in module.main.inputs}
        pairs = zip(interpreted(module, given), session_of(graph, outputs, feeds), strict=True)
        for number, (got, want) in enumerate(pairs):
            check_same(got, want, 1e-5, f"output {number}")
    return module


def flags(x: Array) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    return (x, np.asarray(True)), (x, np.asarray(False))


def names_of(module: Module) -> list[str]:
    return [op.spec.name for op in module.walk()]


def dynamic_lstm(x, lengths):
    """A layer as ``tf.nn.dynamic_rnn`` writes it: sequences end at their lengths, before the last step."""
    shared = np.random.default_rng(1)
    kernel = shared.normal(0, 0.3, (5 + 4, 16)).astype(np.float32)
    bias = shared.normal(0, 0.3, 16).astype(np.float32)
    steps, batch = tf.unstack(tf.shape(x))[:2]
    given = tf.TensorArray("float32", steps).unstack(x)
    zeros = tf.zeros((batch, 4))
    longest, shortest = tf.reduce_max(lengths), tf.reduce_min(lengths)

    def round(step, out, c, h):
        row = given.read(step)
        row.set_shape((None, 5))

        def cell():
            gates = tf.nn.bias_add(tf.matmul(tf.concat([row, h], 1), kernel), bias)
            i, j, f, o = tf.split(gates, 4, 1)
            new = c * tf.sigmoid(f + 1.0) + tf.sigmoid(i) * tf.tanh(j)
            shown = tf.tanh(new) * tf.sigmoid(o)
            return shown, new, shown

        def some():
            is_over = tf.tile(tf.expand_dims(step >= lengths, 1), (1, 4))
            return [tf.where(is_over, a, b) for a, b in zip((zeros, c, h), cell(), strict=True)]

        shown, c, h = tf.cond(
            step >= longest, lambda: [zeros, c, h], lambda: tf.cond(step < shortest, lambda: [*cell()], some)
        )
        return step + 1, out.write(step, shown), c, h

    out = tf.TensorArray("float32", steps)
    _, out, _, h = tf.while_loop(lambda step, *_: step < steps, round, (0, out, zeros, zeros))
    return out.stack(), h


@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
@pytest.mark.parametrize("shape", ["7,2,5", "t,2,5"])
def test_a_frozen_dynamic_lstm(shape: str, suffix: str, process: Worker, tmp_path: Path) -> None:
    """Written files give what TensorFlow gives."""
    graph, outputs = graph_of(dynamic_lstm, [f"f32[{shape}]", "i32[2]"])
    source, path = tmp_path / "graph.pb", tmp_path / f"model{suffix}"
    source.write_bytes(graph.as_graph_def().SerializeToString())
    nhwcc.compile(source, path, outputs=outputs, io_layout="keep", verify=False)
    x = floats(7, 2, 5)
    for lengths in ((7, 7), (3, 5), (0, 2)):
        feeds = {"x0": x, "x1": np.asarray(lengths, np.int32)}
        found = run_written(path, feeds, process)
        for name, got, want in zip(outputs, found, session_of(graph, outputs, feeds), strict=True):
            check_same(got, want, 1e-5, name)


class TestBranches:
    def test_two_results_are_one_choice(self) -> None:
        def call(x, flag):
            return tf.cond(flag, lambda: (x * 2.0, tf.exp(x)), lambda: (tf.sin(x), x + 1.0))

        module = agree(call, ["f32[2,3]", "bool[]"], *flags(floats(2, 3)))
        assert names_of(module).count("if") == 1

    def test_one_condition_for_choices_that_need_each_other(self) -> None:
        def call(x, flag):
            for _ in range(3):
                x = tf.cond(flag, lambda x=x: tf.tanh(x) * 2.0, lambda x=x: x + 1.0)
            return x

        module = agree(call, ["f32[2,3]", "bool[]"], *flags(floats(2, 3)))
        assert names_of(module).count("if") == 3

    def test_choices_in_choices(self) -> None:
        def call(x, first, second):
            def inner():
                return tf.cond(second, lambda: x * 3.0, lambda: tf.constant(7.0) + tf.zeros((2, 3)))

            return tf.cond(first, inner, lambda: tf.cond(second, lambda: -x, lambda: x)) + x

        x = floats(2, 3)
        runs = [(x, np.asarray(a), np.asarray(b)) for a in (True, False) for b in (True, False)]
        agree(call, ["f32[2,3]", "bool[]", "bool[]"], *runs)

    def test_a_default_decides(self) -> None:
        def call(x):
            learning = tf.compat.v1.placeholder_with_default(False, ())
            return tf.cond(learning, lambda: tf.nn.dropout(x, 0.5), lambda: tf.identity(x)) * 2.0

        module = agree(call, ["f32[2,3]"], (floats(2, 3),))
        assert "if" not in names_of(module)

    def test_crossed_choices(self) -> None:
        def call(x, first, second):
            a1 = tf.cond(first, lambda: x * 2.0, lambda: x)
            b2 = tf.cond(second, lambda: x * 3.0, lambda: x)
            b1 = tf.cond(second, lambda: a1 + 1.0, lambda: a1)
            a2 = tf.cond(first, lambda: b2 + 2.0, lambda: b2)
            return a2 * b1

        x = floats(2, 3)
        runs = [(x, np.asarray(a), np.asarray(b)) for a in (True, False) for b in (True, False)]
        agree(call, ["f32[2,3]", "bool[]", "bool[]"], *runs)

    def test_what_nobody_reads_is_no_output(self) -> None:
        graph, _ = graph_of(lambda x, f: tf.cond(f, lambda: x * 2.0, lambda: x), ["f32[2]", "bool[]"])
        module = import_tensorflow(graph.as_graph_def().SerializeToString())
        assert [port.name for port in module.main.outputs] == ["y0"]

    def test_a_variable_that_a_branch_changes(self, tmp_path: Path) -> None:
        """One that is not taken may change one."""
        for learns in (True, False):
            with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
                x = tf.compat.v1.placeholder("float32", (2,))
                scale = tf.compat.v1.get_variable("scale", (), initializer=tf.ones_initializer())
                flag = tf.compat.v1.placeholder_with_default(learns, ())

                def learn(x=x, scale=scale):
                    with tf.control_dependencies([scale.assign_add(1.0)]):
                        return tf.identity(x)

                y = tf.cond(flag, learn, lambda x=x, scale=scale: x * scale)
                session.run(tf.compat.v1.global_variables_initializer())
                path = tmp_path / str(learns)
                tf.compat.v1.saved_model.simple_save(session, str(path), {"x": x}, {"y": y})
        with pytest.raises(CompileError, match="F031"):
            import_tensorflow(tmp_path / "True")
        assert import_tensorflow(tmp_path / "False")

    def test_too_many_in_each_other(self) -> None:
        nodes = [Node("x0", "Placeholder", (), {})]
        for i in range(2000):
            nodes += [Node(f"p{i}", "Placeholder", (), {}), Node(f"x{i + 1}", "Switch", (f"x{i}", f"p{i}"), {})]
        nodes += [Node(f"m{i}", "Merge", (f"x{i}", f"m{i + 1}" if i < 1999 else "x2000:1"), {}) for i in range(2000)]
        with pytest.raises(CompileError, match="M005"):
            functionalize(Graph(tuple(nodes)))

    @pytest.mark.parametrize("count", [1, 2, 4])
    def test_one_of_many_by_number(self, count: int) -> None:
        def call(x, number):
            places = sent(x, number, count)
            pivots = sent(number, number, count)
            given = []
            for i, place in enumerate(places):
                with tf.control_dependencies([tf.identity(pivots[i])]):
                    rows = tf.constant(
                        np.asarray([i, 1], np.float32)
                    )  # runs on one side only, though it reads nothing of it
                given.append(place * (i + 2.0) - rows)
            return tf.raw_ops.Merge(inputs=given[::-1])[0] + 1.0

        x = floats(3, 2)
        runs = [(x, np.asarray(number, np.int32)) for number in (-1, 0, 1, 2, 3, 7)]
        agree(call, ["f32[3,2]", "i32[]"], *runs)

    def test_one_of_many_within_a_choice(self) -> None:
        def call(x, number, flag):
            def many():
                first, second, third = sent(x, number, 3)
                inner = tf.cond(tf.reduce_sum(third) > 0.5, lambda: third - 1.0, lambda: third * x)
                return tf.raw_ops.Merge(inputs=[first * 3.0, second, inner])[0]

            return tf.cond(flag, many, lambda: many() - 5.0)

        runs = [
            (floats(2), np.asarray(number, np.int32), np.asarray(flag, np.bool_))
            for number in (0, 1, 2)
            for flag in (False, True)
        ]
        agree(call, ["f32[2]", "i32[]", "bool[]"], *runs)

    def test_too_many_places(self) -> None:
        attributes = {"num_outs": 10**9}
        nodes = [Node("x", "Placeholder", (), {}), Node("s", "_SwitchN", ("x", "x"), attributes)]
        nodes.append(Node("m", "Merge", ("s", "s:1"), {}))
        with pytest.raises(CompileError, match="M005"):
            functionalize(Graph(tuple(nodes)))

    def test_a_dead_result_is_refused(self) -> None:
        def call(x, flag):
            return tf.raw_ops.Switch(data=x, pred=flag)[1]

        with pytest.raises(CompileError, match="F001"):
            imported(call, "f32[2]", "bool[]")


class TestLoops:
    def test_rounds(self) -> None:
        def call(x):
            return tf.while_loop(lambda i, v: i < 5, lambda i, v: (i + 1, v * 1.5 + x), (0, x))

        module = agree(call, ["f32[2,3]"], (floats(2, 3),))
        assert names_of(module).count("while") == 1

    def test_loops_in_loops_with_choices(self) -> None:
        def call(x):
            def inner(j, w):
                return j + 1, tf.cond(tf.equal(j % 2, 0), lambda: w * 1.5 + x, lambda: w - 1.0)

            def outer(i, v):
                return i + 1, tf.while_loop(lambda j, _: j < i, inner, (0, v))[1] + 1.0

            return tf.while_loop(lambda i, _: i < 4, outer, (0, x))[1]

        agree(call, ["f32[2,3]"], (floats(2, 3),))

    def test_a_loop_in_a_choice(self) -> None:
        def call(x, flag):
            def loop():
                return tf.while_loop(lambda i, _: i < 3, lambda i, v: (i + 1, v + x), (0, x))[1]

            return tf.cond(flag, loop, lambda: x)

        agree(call, ["f32[2,3]", "bool[]"], *flags(floats(2, 3)))

    def test_a_loop_that_data_ends(self) -> None:
        def call(x):
            return tf.while_loop(lambda v: tf.reduce_sum(v) < 100.0, lambda v: (v * 2.0,), (x,))

        agree(call, ["f32[4]"], (np.abs(floats(4)) + np.float32(1),))

    def test_another_form_is_refused(self) -> None:
        def call(x):
            frame = tf.raw_ops.Enter(data=x, frame_name="odd")
            return tf.raw_ops.Exit(data=frame)

        with pytest.raises(CompileError, match=r"(?s)F001.*control flow of version 1"):
            imported(call, "f32[2]")

    def test_what_a_loop_leaves_unread_is_no_output(self) -> None:
        def call(x):
            tf.identity(tf.constant(1.0), name="constant")
            return tf.while_loop(lambda i, _: i < 5, lambda i, v: (i + 1, v * 1.5), (0, x))[1]

        graph, outputs = graph_of(call, ["f32[2]"])
        module = import_tensorflow(graph.as_graph_def().SerializeToString())
        assert [port.name for port in module.main.outputs] == outputs

    def test_a_loop_that_nobody_needs(self) -> None:
        def call(x):
            tf.while_loop(lambda i, _: i < 5, lambda i, v: (i + 1, tf.strings.as_string(v)), (0, tf.constant("")))
            return x + 1.0

        agree(call, ["f32[2]"], (floats(2),))

    def test_what_version_2_lowers(self) -> None:
        """Keras freezes its loops so, with lists of version 2 inside."""
        keras = pytest.importorskip("keras")
        from tensorflow.python.framework import convert_to_constants

        net = keras.Sequential([keras.Input((None, 5)), keras.layers.LSTM(4)])
        call = tf.function(lambda x: net(x)).get_concrete_function(tf.TensorSpec((2, None, 5)))
        lowered = convert_to_constants.convert_variables_to_constants_v2(call, lower_control_flow=True)
        graph = lowered.graph.as_graph_def()
        assert "NextIteration" in {node.op for node in graph.node}
        module = import_tensorflow(graph.SerializeToString())
        x = floats(2, 7, 5)
        (got,) = interpreted(module, {"x": x})
        check_same(got, net(x).numpy(), 1e-5, "the last step")

    def test_a_variable_that_a_loop_changes(self, tmp_path: Path) -> None:
        with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
            x = tf.compat.v1.placeholder("float32", (2,))
            count = tf.compat.v1.get_variable("count", (), initializer=tf.zeros_initializer())

            def body(i, v):
                with tf.control_dependencies([count.assign_add(1.0)]):
                    return i + 1, tf.identity(v * 2.0)

            y = tf.while_loop(lambda i, _: i < 3, body, (0, x))[1]
            session.run(tf.compat.v1.global_variables_initializer())
            tf.compat.v1.saved_model.simple_save(session, str(tmp_path / "saved"), {"x": x}, {"y": y})
        with pytest.raises(CompileError, match="F031"):
            import_tensorflow(tmp_path / "saved")


class TestArrays:
    def test_map(self) -> None:
        agree(lambda x: tf.map_fn(lambda v: tf.nn.softmax(v) + 1.0, x), ["f32[4,2,3]"], (floats(4, 2, 3),))

    def test_map_over_an_open_batch(self) -> None:
        def call(x):
            return tf.map_fn(lambda v: (v * 2.0, tf.reduce_sum(v)), x, (tf.float32, tf.float32))

        agree(call, ["f32[n,3]"], (floats(4, 3),), (floats(1, 3),))

    def test_scan(self) -> None:
        agree(lambda x: tf.scan(lambda a, v: a * 0.5 + v, x), ["f32[5,3]"], (floats(5, 3),))

    def test_an_array_that_grows(self) -> None:
        def call(x):
            def body(i, array):
                return i + 1, array.write(i, x * tf.cast(i, tf.float32))

            array = tf.TensorArray("float32", 0, dynamic_size=True, element_shape=(2, 3))
            return tf.while_loop(lambda i, _: i < 4, body, (0, array))[1].stack()

        agree(call, ["f32[2,3]"], (floats(2, 3),))

    def test_an_array_through_a_choice(self) -> None:
        def call(x, flag):
            array = tf.TensorArray("float32", 3, element_shape=(2,))
            flow = tf.cond(flag, lambda: array.write(1, x).flow, lambda: array.flow)
            return tf.raw_ops.TensorArrayGatherV3(
                handle=array.handle, indices=[2, 1], flow_in=flow, dtype="float32", element_shape=(2,)
            )

        agree(call, ["f32[2]", "bool[]"], *flags(floats(2)))

    def test_parts(self) -> None:
        def call(x):
            array = tf.TensorArray("float32", 3, infer_shape=False, clear_after_read=False).split(x, [2, 2, 2])
            return array.read(1), array.concat(), array.size()

        agree(call, ["f32[6,3]"], (floats(6, 3),))

    def test_items_in_some_places(self) -> None:
        def call(x):
            array = tf.TensorArray("float32", 4).scatter([2, 0], x)
            return array.gather([0, 2])

        agree(call, ["f32[2,3]"], (floats(2, 3),))
