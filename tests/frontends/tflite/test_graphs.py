"""Subgraphs, variables, signatures, parts of a graph, names."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from nhwcc.backends.tflite import FOR_ANY_DEVICE
from nhwcc.compiler.diagnostics import CompileError, collect_remarks
from nhwcc.compiler.ops.core import Const
from nhwcc.compiler.ops.custom import Custom
from nhwcc.compiler.types import Array
from nhwcc.compiler.verify import verify
from nhwcc.formats.tflite.model import CUSTOM, Model, custom, options
from nhwcc.formats.tflite.reader import inspect
from nhwcc.frontends.tflite import import_tflite, read_tflite

from nhwcc.pipelines import register_passes

from .building import Graph, new_graph, random_for, save, written
from .cases import RECURRENT, Case
from .comparing import check_same, interpreted
from .conftest import Runtime
from .files import write


def both(path: Path, runtime: Runtime, **inputs: Array) -> dict[str, Array]:
    """Run a file by its meaning and on the runtime; return what both give."""
    module = import_tflite(path)
    verify(module)
    found, wanted = interpreted(module.main, inputs), runtime(path, inputs)
    for name, want in wanted.items():
        check_same(found[name], want, 1e-5, 0, name)
    return wanted


def branch(model: Model, name: str, builtin: str) -> Graph:
    graph = new_graph(model, name)
    x = graph.input("f32[2,3]", f"{name}_x")
    graph.graph.inputs, graph.graph.outputs = [x], graph.call(builtin, [x], ["f32[2,3]"])
    return graph


@pytest.mark.parametrize("condition", [True, False])
def test_branches(condition: bool, tmp_path: Path, runtime: Runtime) -> None:
    main = new_graph()
    c, x = main.input("bool[]", "c"), main.input("f32[2,3]", "x")
    branch(main.model, "then", "NEG")
    branch(main.model, "otherwise", "ABS")
    (y,) = main.call("IF", [c, x], ["f32[2,3]"], options("IfOptions", thenSubgraphIndex=1, elseSubgraphIndex=2))
    path = save(main, [y], tmp_path / "m.tflite")
    both(path, runtime, c=np.asarray(condition), x=random_for(main.graph.tensors[x].type, np.random.default_rng(0)))
    again = written(import_tflite(path), tmp_path / "again.tflite", "legalize")
    both(again, runtime, c=np.asarray(condition), x=np.full((2, 3), -2, np.float32))


def loop(tmp_path: Path) -> Path:
    """A loop that writes rows of a tensor one by one, as TensorFlow writes an item of a list."""
    main = new_graph()
    rows = main.input("f32[4,3]", "rows")
    first = main.constant(np.asarray(0, np.int32))
    fields = options("WhileOptions", condSubgraphIndex=1, bodySubgraphIndex=2)
    found = main.call("WHILE", [first, rows], ["i32[]", "f32[4,3]"], fields)
    condition = new_graph(main.model, "condition")
    i, x = condition.input("i32[]"), condition.input("f32[4,3]")
    limit = condition.constant(np.asarray(4, np.int32))
    condition.graph.inputs, condition.graph.outputs = [i, x], condition.call("LESS", [i, limit], ["bool[]"])
    body = new_graph(main.model, "body")
    i, x = body.input("i32[]"), body.input("f32[4,3]")
    one, zeros = body.constant(np.asarray(1, np.int32)), body.constant(np.zeros(2, np.int32))
    (after,) = body.call("ADD", [i, one], ["i32[]"])
    (row,) = body.call("GATHER", [x, i], ["f32[3]"], options("GatherOptions", axis=0))
    (negative,) = body.call("NEG", [row], ["f32[3]"])
    (item,) = body.call("EXPAND_DIMS", [negative, body.constant(np.asarray(0, np.int32))], ["f32[1,3]"])
    place = [body.call("RESHAPE", [n, body.constant(np.asarray([1], np.int32))], ["i32[1]"])[0] for n in (i, after)]
    joined = options("ConcatenationOptions", axis=0)
    (size,) = body.call("CONCATENATION", [place[0], body.constant(np.asarray([3], np.int32))], ["i32[2]"], joined)
    (begin,) = body.call("CONCATENATION", [place[1], body.constant(np.asarray([0], np.int32))], ["i32[2]"], joined)
    (front,) = body.call("SLICE", [x, zeros, size], ["f32[before,3]"])
    (behind,) = body.call("SLICE", [x, begin, body.constant(np.asarray([-1, 3], np.int32))], ["f32[behind,3]"])
    (whole,) = body.call("CONCATENATION", [front, item, behind], ["f32[4,3]"], joined)
    body.graph.inputs, body.graph.outputs = [i, x], [after, whole]
    return save(main, found[1:], tmp_path / "m.tflite")


def test_loops_write_items(tmp_path: Path, runtime: Runtime) -> None:
    path = loop(tmp_path)
    rows = np.arange(12, dtype=np.float32).reshape(4, 3)
    (found,) = both(path, runtime, rows=rows).values()
    np.testing.assert_array_equal(found, -rows)
    names = Counter(op.spec.name for op in import_tflite(path).walk())
    assert names["dynamic_update_slice"] == 1 and not names["slice"]


def with_variable(tmp_path: Path) -> Path:
    """A sum that goes on in every call from what the last one left, at first from ones."""
    main = new_graph()
    x = main.input("f32[3]", "x")
    main.call("CALL_ONCE", [], [], options("CallOnceOptions", initSubgraphIndex=1))
    handle = options("VarHandleOptions", sharedName="total")
    # the handle of a resource has no element type here: any will do for the reader
    (variable,) = main.call("VAR_HANDLE", [], ["i32[]"], handle)
    (old,) = main.call("READ_VARIABLE", [variable], ["f32[3]"])
    (new,) = main.call("ADD", [old, x], ["f32[3]"])
    main.call("ASSIGN_VARIABLE", [variable, new], [])
    first = new_graph(main.model, "first")
    (variable,) = first.call("VAR_HANDLE", [], ["i32[]"], handle)
    first.call("ASSIGN_VARIABLE", [variable, first.constant(np.ones(3, np.float32))], [])
    return save(main, [new], tmp_path / "m.tflite")


def test_variables_become_states(tmp_path: Path) -> None:
    path = with_variable(tmp_path)
    read = read_tflite(path, keeps_state=True)
    verify(read.module)
    func = read.module.main
    assert [p.name for p in func.inputs] == ["x", "total"]
    assert list(read.states["total"].array()) == [1, 1, 1]
    found = interpreted(func, {"x": np.full(3, 2, np.float32), "total": np.full(3, 5, np.float32)})
    assert list(found["total"]) == [7, 7, 7]


def test_variables_that_change_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CompileError) as caught:
        import_tflite(with_variable(tmp_path))
    assert [d.code for d in caught.value.diagnostics] == ["F031"]


def test_variables_that_are_only_written(tmp_path: Path) -> None:
    main = new_graph()
    x = main.input("f32[3]", "x")
    (variable,) = main.call("VAR_HANDLE", [], ["i32[]"], options("VarHandleOptions", sharedName="last"))
    main.call("ASSIGN_VARIABLE", [variable, x], [])
    path = save(main, main.call("NEG", [x], ["f32[3]"]), tmp_path / "m.tflite")
    with pytest.raises(CompileError, match="F031"):
        import_tflite(path)
    read = read_tflite(path, keeps_state=True)
    verify(read.module)
    given = {"x": np.full(3, 2, np.float32), "last": read.states["last"].array()}
    assert list(interpreted(read.module.main, given)["last"]) == [2, 2, 2]


def test_states_in_branches_are_refused(tmp_path: Path) -> None:
    main = new_graph()
    c, x = main.input("bool[]", "c"), main.input("f32[2,3]", "x")
    other = branch(main.model, "then", "NEG")
    weights = [other.constant(np.ones(s, np.float32)) for s in ((3, 3), (3, 3), (3,))]
    state = other.tensor("f32[2,3]", "h", is_variable=True)
    other.graph.outputs = other.call(
        "RNN", [other.graph.inputs[0], *weights, state], ["f32[2,3]"], options("RNNOptions")
    )
    branch(main.model, "otherwise", "ABS")
    fields = options("IfOptions", thenSubgraphIndex=1, elseSubgraphIndex=2)
    path = save(main, main.call("IF", [c, x], ["f32[2,3]"], fields), tmp_path / "m.tflite")
    with pytest.raises(CompileError, match="F005"):
        read_tflite(path, keeps_state=True)


def test_recurrent_layers_begin_anew_with_a_warning(tmp_path: Path) -> None:
    graph = new_graph()
    x = graph.input("f32[2,5,3]", "x")
    weights = [graph.constant(np.ones(s, np.float32)) for s in ((4, 3), (4, 4), (4,))]
    state = graph.tensor("f32[2,4]", "h", is_variable=True)
    fields = options("SequenceRNNOptions", fusedActivationFunction="TANH")
    found = graph.call("UNIDIRECTIONAL_SEQUENCE_RNN", [x, *weights, state], ["f32[2,5,4]"], fields)
    path = save(graph, found, tmp_path / "m.tflite")
    with collect_remarks() as remarks:
        func = import_tflite(path).main
    assert [r.text.partition(" with")[0] for r in remarks] == ["1 recurrent layer begins"]
    assert len(func.inputs) == 1
    kept = read_tflite(path, keeps_state=True).module.main
    assert [p.name for p in kept.inputs] == ["x", "h"] and [p.name for p in kept.outputs][1:] == ["h"]


@pytest.mark.parametrize("case", [c for c in RECURRENT if "SEQUENCE" in c.builtin], ids=lambda c: c.title[:40])
def test_what_one_kernel_ran_is_no_loop(case: Case, tmp_path: Path) -> None:
    """It is one kernel again; beside it, first states are set."""
    register_passes()
    module = import_tflite(write(case, tmp_path / "m.tflite"))
    again = written(module, tmp_path / "again.tflite", FOR_ANY_DEVICE)
    names = [op.name for graph in inspect(again).subgraphs for op in graph.operators]
    assert [name for name in names if name != "SPLIT"] == [case.builtin]


def chain(tmp_path: Path) -> Path:
    graph = new_graph()
    x, y = graph.input("f32[batch,4]", "x"), graph.input("f32[batch,4]", "y")
    (a,) = graph.call("NEG", [x], [graph.tensor("f32[batch,4]", "a")])
    (b,) = graph.call("ADD", [a, y], [graph.tensor("f32[batch,4]", "b")])
    (c,) = graph.call("EXP", [b], [graph.tensor("f32[batch,4]", "c")])
    return save(graph, [c], tmp_path / "m.tflite")


def test_open_batches_have_one_name(tmp_path: Path) -> None:
    func = import_tflite(chain(tmp_path)).main
    assert [str(a.type) for a in func.args] == ["f32[batch,4]"] * 2
    fixed = import_tflite(tmp_path / "m.tflite", shapes={"batch": 5}).main
    assert [str(a.type) for a in fixed.args] == ["f32[5,4]"] * 2
    given = import_tflite(tmp_path / "m.tflite", shapes={"x": (7, 4)}).main
    assert [str(a.type) for a in given.args] == ["f32[7,4]"] * 2


def test_parts(tmp_path: Path) -> None:
    path = chain(tmp_path)
    func = import_tflite(path, inputs=["a", "y"], outputs=["b"]).main
    assert [op.spec.name for op in func.ops] == ["add", "return"]
    assert [p.name for p in func.inputs] == ["a", "y"] and [p.name for p in func.outputs] == ["b"]
    with pytest.raises(CompileError, match=r"F018"):
        import_tflite(path, inputs=["a"], outputs=["b"])
    with pytest.raises(CompileError, match="F018"):
        import_tflite(path, outputs=["bb"])


def test_values_and_places_have_the_names_of_tensors(tmp_path: Path) -> None:
    func = import_tflite(chain(tmp_path)).main
    ops = [op for op in func.ops if op.results]
    assert [r.name for op in ops for r in op.results] == ["a", "b", "c"]
    assert [op.location.node for op in ops if op.location] == ["a", "b", "c"]


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    graph = new_graph()
    x = graph.input("f32[3]", "x")
    (a,) = graph.call("SKIP_GRAM", [x], ["f32[3]"])
    (b,) = graph.call(CUSTOM, [a], ["f32[3]"], custom("mine", k=1))
    (c,) = graph.call(CUSTOM, [b], ["f32[3]"], custom("mine", k=2))
    path = save(graph, [c], tmp_path / "m.tflite")
    with pytest.raises(CompileError) as caught:
        import_tflite(path)
    found = caught.value.diagnostics
    assert [d.code for d in found] == ["F001", "F001"]
    assert "SKIP_GRAM" in found[0].message and "at 2 nodes" in found[1].notes[0]


def test_custom_operators_are_carried(tmp_path: Path) -> None:
    graph = new_graph()
    x = graph.input("f32[3]", "x")
    (y,) = graph.call(CUSTOM, [x, -1], ["i64[2,2]"], custom("mine", k=1, name="a", parts=[1, 2]))
    path = save(graph, [y], tmp_path / "m.tflite")
    (op,) = (o for o in import_tflite(path, allow_custom_ops=True).walk() if isinstance(o, Custom))
    assert op.code == "mine" and dict(op.options) == {"k": 1, "name": "a", "parts": [1, 2]}
    assert [str(r.type) for r in op.results] == ["i64[2,2]"] and len(op.inputs) == 2
    again = written(import_tflite(path, allow_custom_ops=True), tmp_path / "again.tflite", "legalize")
    (op,) = (o for o in import_tflite(again, allow_custom_ops=True).walk() if isinstance(o, Custom))
    assert dict(op.options) == {"k": 1, "name": "a", "parts": [1, 2]}


def test_bytes_are_read_as_files_are(tmp_path: Path) -> None:
    path = chain(tmp_path)
    texts = [str([op.spec.name for op in import_tflite(s).walk()]) for s in (path, path.read_bytes())]
    assert texts[0] == texts[1]


def test_weights_stay_in_the_file(tmp_path: Path) -> None:
    graph = new_graph()
    x = graph.input("f32[64,1024]", "x")
    w = graph.constant(np.random.default_rng(0).standard_normal((64, 1024)).astype(np.float32))
    path = save(graph, graph.call("ADD", [x, w], ["f32[64,1024]"]), tmp_path / "m.tflite")
    (const,) = (op for op in import_tflite(path).walk() if isinstance(op, Const))
    assert const.value.source is not None and const.value.source.path == path


EXAMPLES = Path(__file__).parents[3] / "examples"

READ = """
import sys
from pathlib import Path
from nhwcc.compiler.plugins import load_file
from nhwcc.frontends.tflite import import_tflite

for name in ("channel_norm", "channel_norm_tflite"):
    load_file(Path(sys.argv[1]) / f"{name}.py")
print([op.spec.name for op in import_tflite(Path(sys.argv[2])).walk()])
"""


def test_handlers_of_users(tmp_path: Path) -> None:
    """In a process of its own: names can be taken only once."""
    graph = new_graph()
    x = graph.input("f32[1,2,2,3]", "x")
    scale = graph.constant(np.ones(3, np.float32))
    found = graph.call(CUSTOM, [x, scale], ["f32[1,2,2,3]"], custom("com.acme.ChannelNorm", axis=3, epsilon=0.1))
    path = save(graph, found, tmp_path / "m.tflite")
    done = subprocess.run([sys.executable, "-c", READ, EXAMPLES, path], check=True, capture_output=True, text=True)
    assert done.stdout.split("\n")[0] == "['const', 'acme.channel_norm', 'return']"


def test_weights_behind_the_flatbuffer(tmp_path: Path, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """As files beyond 2 GB have them: by 64-bit offsets from the start of the file."""
    monkeypatch.setattr("nhwcc.formats.tflite.writer.MAX_FLATBUFFER", 0)
    graph = new_graph()
    x = graph.input("f32[2,3]", "x")
    factors = graph.constant(np.arange(3, dtype=np.float32))
    path = save(graph, graph.call("MUL", [x, factors], ["f32[2,3]"]), tmp_path / "m.tflite")
    both(path, runtime, x=np.ones((2, 3), np.float32))
