"""Recurrent layers fed piece by piece, with their states as inputs and outputs: the same as the whole sequence."""

# PyTorch's modules are only partly typed
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
import torch
from nhwcc.compiler.types import Array
from onnx_models import model, node
from torch import Tensor, nn

import nhwcc
from nhwcc.artifact import Artifact
from nhwcc.cut import Cut
from nhwcc.runners.reference import ReferenceRunner
from nhwcc.sources import source_of
from nhwcc.streaming import Streaming
from nhwcc.verification import Settings, verify

BATCH, FEATURES, HIDDEN = 2, 3, 4
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


def network(op: str, steps: int | str, names: str = "x w r b", **attributes: Any) -> Any:
    """A recurrent operator of ONNX, maybe with constant initial states."""
    rng = np.random.default_rng(0)
    count = 2 if attributes.get("direction") == "bidirectional" else 1
    rows = GATES[op] * HIDDEN
    shapes = {"w": (count, rows, FEATURES), "r": (count, rows, HIDDEN), "b": (count, 2 * rows)}
    shapes |= {"h": (count, BATCH, HIDDEN), "c": (count, BATCH, HIDDEN)}
    constants = {n: (rng.standard_normal(shapes[n]) / 2).astype(np.float32) for n in names.split() if n in shapes}
    layer = node(op, names, "y", hidden_size=HIDDEN, **attributes)
    return model([layer], {"x": (steps, BATCH, FEATURES)}, ["y"], constants, version=14)


def zeros(artifact: Artifact) -> dict[str, Array]:
    """Return the states of a first call."""
    states = [p for p in artifact.report.inputs if p.name in {o.name for o in artifact.report.outputs}]
    return {p.name: np.zeros([int(d) for d in p.type[4:-1].split(",")], np.float32) for p in states}


def follow(artifact: Artifact, pieces: list[Array], states: dict[str, Array], output: str) -> list[Array]:
    """Feed pieces, and the states that come out."""
    found: list[Array] = []
    for piece in pieces:
        results = artifact(piece, **states)
        found.append(results.pop(output))
        states = results
    return found


@pytest.mark.parametrize("op", GATES)
@pytest.mark.parametrize("rnn", ["unroll", "while", "fused"])
def test_pieces_agree_with_onnxruntime_on_the_whole(op: str, rnn: Any) -> None:
    x = np.random.default_rng(1).standard_normal((6, BATCH, FEATURES)).astype(np.float32)
    session: Any = ort.InferenceSession(network(op, 6).SerializeToString(), providers=["CPUExecutionProvider"])
    (want,) = session.run(None, {"x": x})
    artifact = nhwcc.compile(network(op, 2), state="io", rnn=rnn, io_layout="keep")
    states = ["the_LSTM_h", "the_LSTM_c"] if op == "LSTM" else [f"the_{op}_h"]
    assert [p.name for p in artifact.report.inputs] == ["x", *states]
    assert [p.name for p in artifact.report.outputs] == ["y", *states]
    got = np.concatenate(follow(artifact, np.split(x, 3), zeros(artifact), "y"))
    np.testing.assert_allclose(got, want, atol=1e-6)


def test_pieces_of_any_length_and_a_constant_to_begin_with() -> None:
    given = network("LSTM", "time", "x w r b _ h c")
    x = np.random.default_rng(1).standard_normal((6, BATCH, FEATURES)).astype(np.float32)
    session: Any = ort.InferenceSession(given.SerializeToString(), providers=["CPUExecutionProvider"])
    artifact = nhwcc.compile(given, state="io", io_layout="keep")
    constants = {t.name: np.frombuffer(t.raw_data, np.float32) for t in given.graph.initializer}
    begin = {f"the_LSTM_{n}": constants[n].reshape(BATCH, HIDDEN) for n in "hc"}
    got = np.concatenate(follow(artifact, np.split(x, [1, 3]), begin, "y"))
    np.testing.assert_allclose(got, session.run(None, {"x": x})[0], atol=1e-6)


def test_a_piece_without_steps() -> None:
    """What an open number of steps may be at run time, too."""
    artifact = nhwcc.compile(network("LSTM", "time"), state="io", io_layout="keep")
    rng = np.random.default_rng(1)
    states = {f"the_LSTM_{n}": rng.standard_normal((BATCH, HIDDEN)).astype(np.float32) for n in "hc"}
    found = artifact(np.zeros((0, BATCH, FEATURES), np.float32), **states)
    assert found["y"].shape == (0, 1, BATCH, HIDDEN)
    for name, state in states.items():
        np.testing.assert_array_equal(found[name], state)


def test_of_two_directions_the_forward_one_goes_on() -> None:
    x = np.random.default_rng(1).standard_normal((4, BATCH, FEATURES)).astype(np.float32)
    whole = network("GRU", 4, direction="bidirectional").SerializeToString()
    session: Any = ort.InferenceSession(whole, providers=["CPUExecutionProvider"])
    (want,) = session.run(None, {"x": x})
    artifact = nhwcc.compile(network("GRU", 2, direction="bidirectional"), state="io", io_layout="keep")
    assert [p.name for p in artifact.report.inputs] == ["x", "the_GRU_h"]
    assert any("begins anew in every call: it reads backwards" in r.text for r in artifact.report.remarks)
    got = np.concatenate(follow(artifact, np.split(x, 2), zeros(artifact), "y"))
    np.testing.assert_allclose(got[:, 0], want[:, 0], atol=1e-6)
    np.testing.assert_allclose(got[2:, 1], want[2:, 1], atol=1e-6)


class Net(nn.Module):
    """Two layers, then a cell that is called step by step, its state given on as it is."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(FEATURES, HIDDEN, 2, batch_first=True, proj_size=2)
        self.cell = nn.GRUCell(2, HIDDEN)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.rnn(x)[0]
        steps: list[Tensor] = []
        for t in range(y.shape[1]):
            steps.append(self.cell(y[:, t], steps[-1] if steps else None))
        return torch.stack(steps, 1)


def test_layers_and_cells_of_pytorch() -> None:
    torch.manual_seed(0)
    net, x = Net().eval(), torch.randn(BATCH, 6, FEATURES)
    artifact = nhwcc.compile(net, args=(x[:, :2],), state="io", io_layout="keep")
    names = [p.name for p in artifact.report.inputs[1:]]
    assert names == ["rnn_h_l0", "rnn_c_l0", "rnn_h_l1", "rnn_c_l1", "cell_h"]
    got = np.concatenate(follow(artifact, np.split(x.numpy(), 3, 1), zeros(artifact), "output"), 1)
    np.testing.assert_allclose(got, net(x).detach().numpy(), atol=1e-6)


class Repeated(nn.Module):
    """A layer that is called twice, maybe with some of its state forgotten in between."""

    def __init__(self, keeps: float) -> None:
        super().__init__()
        self.lstm = nn.LSTM(FEATURES, HIDDEN)
        self.keeps = keeps

    def forward(self, x: Tensor) -> Tensor:
        first, (h, c) = self.lstm(x[:1])
        return torch.cat([first, self.lstm(x[1:], (h if self.keeps == 1 else h * self.keeps, c))[0]])


def test_a_layer_that_is_called_twice_is_one() -> None:
    torch.manual_seed(0)
    net, x = Repeated(1.0).eval(), torch.randn(6, BATCH, FEATURES)
    artifact = nhwcc.compile(net, args=(x[:3],), state="io", io_layout="keep")
    assert [p.name for p in artifact.report.inputs[1:]] == ["lstm_h", "lstm_c"]
    got = np.concatenate(follow(artifact, np.split(x.numpy(), 2), zeros(artifact), "output"))
    np.testing.assert_allclose(got, net(x).detach().numpy(), atol=1e-6)


def test_states_that_something_else_changes_are_no_layers() -> None:
    net = Repeated(0.5).eval()
    artifact = nhwcc.compile(net, args=(torch.randn(3, BATCH, FEATURES),), state="io")
    assert len(artifact.report.inputs) == 1
    texts = " ".join(r.text for r in artifact.report.remarks)
    assert "between its steps, something else is done with its state" in texts
    assert "nothing in the model keeps a state" in texts


def test_an_open_batch_and_an_inputs_new_name() -> None:
    torch.manual_seed(0)
    net, x = nn.GRU(FEATURES, HIDDEN, batch_first=True).eval(), torch.randn(3, 4, FEATURES)
    artifact = nhwcc.compile(net, shapes={"input": ("batch", 2, FEATURES)}, state="io", rename={"gru_h": "memory"})
    assert [p.name for p in artifact.report.inputs] == ["input", "memory"]
    results = [artifact(x[:, :2].numpy(), np.zeros((3, HIDDEN), np.float32))]
    results.append(artifact(x[:, 2:].numpy(), results[0]["memory"]))
    got = np.concatenate([r["output_0"] for r in results], 1)
    np.testing.assert_allclose(got, net(x)[0].detach().numpy(), atol=1e-6)


def test_a_file_that_forgets_is_found_out() -> None:
    """With the states of a first call alone, it would agree."""
    source = Streaming(source_of(network("RNN", 2)))
    module = source.load(Cut())
    names = [port.name for port in module.main.outputs]
    types = {p.name: a.type for p, a in zip(module.main.inputs, module.main.args, strict=True)}
    assert verify(source.runner(Cut(), types, names, ExitStack()), ReferenceRunner(module), Settings()).ok
    state = module.main.args[1]
    forgetful = source.load(Cut())
    use = forgetful.main.args[1].uses[0]
    assert state.uses
    use.op.set_operand(use.slot, None)
    found = verify(source.runner(Cut(), types, names, ExitStack()), ReferenceRunner(forgetful), Settings())
    assert [o.name for o in found.outputs if not o.difference.ok] == names
