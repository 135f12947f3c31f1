"""Which parts keep more digits: the cheapest that suffice, and bounds that are met."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.types import Array
from onnx import NodeProto, TensorProto, helper, numpy_helper

import nhwcc
from nhwcc.quantization.mixed import Part, cheapest
from nhwcc.render import render_quantization

RNG = np.random.default_rng(3)


def parts(seed: int, count: int) -> list[Part]:
    rng = np.random.default_rng(seed)
    costs, noises = rng.integers(1, 50, count), rng.exponential(size=count)
    return [Part((str(i),), float(c), float(n)) for i, (c, n) in enumerate(zip(costs, noises, strict=True))]


@pytest.mark.parametrize("seed", range(20))
def test_no_cheaper_parts_suffice(seed: int) -> None:
    given = parts(seed, 9)
    wanted = sum(p.noise for p in given) * (0.1 + 0.04 * seed)
    found = cheapest(given, wanted)
    assert sum(p.noise for p in found) >= wanted - 1e-12
    sets = (s for k in range(10) for s in combinations(given, k) if sum(p.noise for p in s) >= wanted)
    assert sum(p.cost for p in found) == min(sum(p.cost for p in s) for s in sets)


def test_parts_without_noise_are_left() -> None:
    given = [Part(("a",), 1.0, 0.0), Part(("b",), 5.0, 1.0)]
    assert cheapest(given, 9.0) == [given[1]] and cheapest(given, 0.0) == []


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """A chain of convolutions, of which one in the middle has a channel that is much larger than the others."""
    nodes: list[NodeProto] = []
    weights: dict[str, Array] = {}
    last = "x"
    for i in range(8):
        w = (RNG.standard_normal((12, 12, 3, 3)) / 10).astype(np.float32)
        if i == 3:
            w[0] *= 60
        if i == 4:
            w[:, 0] /= 60
        weights[f"w{i}"] = w
        nodes += [helper.make_node("Conv", [last, f"w{i}"], [f"c{i}"], pads=[1] * 4)]
        nodes += [helper.make_node("Relu", [f"c{i}"], [f"r{i}"])]
        last = f"r{i}"
    graph = helper.make_graph(
        nodes,
        "chain",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 12, 12, 12])],
        [helper.make_tensor_value_info(last, TensorProto.FLOAT, None)],
        [numpy_helper.from_array(w, name) for name, w in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    (tmp_path / "chain.onnx").write_bytes(model.SerializeToString())
    return tmp_path / "chain.onnx"


def test_a_bound_is_met(network: Path) -> None:
    data = RNG.standard_normal((32, 12, 12, 12)).astype(np.float32)
    plain = nhwcc.compile(network, quantize="int8", data=data, min_sqnr=5.0).report.quantization
    assert plain is not None and not plain.chosen.dynamic
    (other,) = plain.instead
    assert (other.candidate.mode, other in plain.trials) == ("dynamic-int8", False) and other.time is not None
    assert f"dynamic-int8 instead: {other.least:.1f} dB" in "\n".join(render_quantization(plain))
    required = plain.outputs[0].sqnr + 2
    mixed = nhwcc.compile(network, quantize="int8", data=data, min_sqnr=required).report.quantization
    assert mixed is not None and mixed.outputs[0].sqnr >= required
    assert len(mixed.chosen.dynamic + mixed.chosen.stored) >= 1 and "parts keep more digits" in mixed.why


def test_the_best_is_chosen(network: Path) -> None:
    data = RNG.standard_normal((16, 12, 12, 12)).astype(np.float32)
    found = nhwcc.compile(network, quantize="auto", data=data).report.quantization
    assert found is not None and {t.candidate.mode for t in found.trials} == {
        "int8",
        "dynamic-int8",
        "weight-int8",
        "float16",
    }
    assert all(t.time is not None and t.time > 0 for t in found.trials)
    assert found.outputs[0].sqnr >= 18 and "others: " in found.why


def test_a_metric_s_bound_is_met(network: Path, tmp_path: Path) -> None:
    """Parts keep more digits until the user's own function agrees; a bound that nothing meets is refused."""
    own = tmp_path / "own.py"
    own.write_text(
        "import numpy as np\n"
        "def near(want, got):\n"
        "    pairs = [(a['r7'], b['r7']) for a, b in zip(want, got)]\n"
        "    return 1 - max(np.abs(a - b).max() / np.abs(a).max() for a, b in pairs)\n"
    )
    data = RNG.standard_normal((32, 12, 12, 12)).astype(np.float32)
    plain = nhwcc.compile(network, quantize="int8", data=data, metric=f"{own}:near").report.quantization
    assert plain is not None and plain.metric == "near" and plain.kept is not None and not plain.chosen.dynamic
    assert all(t.kept is not None for t in plain.trials)
    allowed = 0.6 * (1 - plain.kept)
    given: dict[str, Any] = {"quantize": "int8", "data": data, "metric": f"{own}:near"}
    mixed = nhwcc.compile(network, max_error=allowed, **given).report.quantization
    assert mixed is not None and mixed.kept is not None and 1 - mixed.kept <= allowed and mixed.required is None
    assert mixed.chosen.dynamic + mixed.chosen.stored and "near of" in mixed.why
    with pytest.raises(CompileError, match=r"Q004.*near is"):
        nhwcc.compile(network, max_error=1e-6, **given)
