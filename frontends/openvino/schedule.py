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
        CompileError: F013, layers read each other in a circle; F014, an edge comes from nowhere.
    """
    order: list[Layer] = []
    state: dict[int, bool] = {}  # by layer: whether it is in the order yet
    starts = [place for place in wanted if place not in given]
    _check(network, starts)
    stack = [(number, False) for number, _ in reversed(starts)]
    while stack:
        number, is_ready = stack.pop()
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
        _check(network, read)
        stack += [(place[0], False) for place in read if not state.get(place[0], False)]
    return order


def _check(network: Network, places: Iterable[Place]) -> None:
    """Refuse edges that come from nowhere.

    Raises:
        CompileError: F014.
    """
    for number, port in places:
        layer = network.layers.get(number)
        if layer is None or all(own.id != port for own in layer.outputs):
            text = f"an edge comes from port {port} of layer {number}, which does not exist"
            raise error("F014", text, help="The file is damaged.")


def _circle(layer: Layer) -> CompileError:
    return error("F013", f"the layer {layer.name!r} reads what is computed from itself", help="The model is damaged.")
