"""The layers that are needed, in an order in which each comes after what it reads."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ...compiler.diagnostics import CompileError, error
from ...formats.openvino.model import Layer, Network, Place

NO_OPERANDS = ("parameter", "const")
"""Types of layers that nothing leads to."""


def operands_of(network: Network, layer: Layer) -> list[Place | None]:
    """Return where the operands of a layer come from, in their order; None for one that is left out."""
    return [network.edges.get((layer.id, port.id)) for port in layer.inputs]


def schedule(network: Network, given: Collection[Place], wanted: Iterable[Place]) -> list[Layer]:
    """Return the layers that ``wanted`` results need, starting from ``given`` ones.

    Raises:
        CompileError: F013, layers read each other in a circle; F014, an edge comes from a layer that is not there.
    """
    order: list[Layer] = []
    state: dict[int, bool] = {}  # by layer: whether it is in the order yet
    stack = [(number, False) for number, port in reversed(list(wanted)) if (number, port) not in given]
    while stack:
        number, is_ready = stack.pop()
        if number not in network.layers:
            raise error("F014", f"an edge comes from layer {number}, which does not exist", help="The file is damaged.")
        layer = network.layers[number]
        if is_ready:
            state[number] = True
            order.append(layer)
            continue
        if number in state:
            if not state[number]:
                raise _circle(layer)
            continue
        state[number] = False
        stack.append((number, True))
        read = [place for place in reversed(operands_of(network, layer)) if place is not None and place not in given]
        stack += [(place[0], False) for place in read if not state.get(place[0], False)]
    return order


def _circle(layer: Layer) -> CompileError:
    return error("F013", f"the layer {layer.name!r} reads what is computed from itself", help="The model is damaged.")
