"""What variables hold: the graph itself says which entry of the bundle is stored into which of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...compiler.diagnostics import error
from ...compiler.types import DType
from ...compiler.weights import Weight
from ...formats.tensorflow.model import Attribute
from ...formats.tensorflow.saved_model import Contents
from ...formats.tensorflow.tensors import StoredTensor
from .flatten import Call, Flat, Result
from .schedule import reached

STORES = frozenset({"Assign", "AssignVariableOp"})
"""Operators that store what was read from the bundle."""

PASSES_ON = frozenset({"Identity", "Cast"})
"""Operators between reading and storing."""

VARIABLES = frozenset({"VarHandleOp", "Variable", "VariableV2"})
"""Operators that give a variable."""


def variable_name(call: Call) -> str:
    """Return the name of a variable: its ``shared_name`` or else its node's, after its container's."""
    shared = call.attributes.get("shared_name")
    container = call.attributes.get("container")
    name = shared if isinstance(shared, str) and shared else call.name
    return f"{container}/{name}" if isinstance(container, str) and container else name


@dataclass
class Variables:
    """The variables of a model by name, as they are stored."""

    contents: Contents
    flat: Flat
    _keys: dict[str, str] | None = field(default=None)

    def weight(self, name: str) -> Weight:
        """Return what a variable holds.

        Raises:
            CompileError: F017, nothing is stored for it, or the file is missing; F003, F005, F016, M001 or R010.
        """
        if self._keys is None:
            self._keys = self._restored()
        bundle = self.contents.variables
        key = self._keys.get(name, name)
        if key not in bundle.entries:
            help = "It was not saved; save the model again."
            raise error("F017", f"nothing is stored for the variable {name!r}", help=help)
        return bundle.weight(key)

    def _restored(self) -> dict[str, str]:
        """Return the bundle's name of every variable that the model's node for restoring stores into."""
        found: dict[str, str] = {}
        restore = self.contents.restore.partition(":")[0].removeprefix("^")
        for call in reached(self.flat, [restore]) if restore in self.flat.calls else ():
            if call.op not in STORES or len(call.inputs) < 2:
                continue
            variable = self._origin(call.inputs[0])
            source = self._origin(call.inputs[1])
            owner = self.flat.calls[variable.node]
            if owner.op in VARIABLES:
                key = self._key(source)
                if key is not None:
                    found[variable_name(owner)] = key
        return found

    def _origin(self, result: Result) -> Result:
        """Follow a tensor to the node that made it."""
        result = self.flat.resolve(result)
        call = self.flat.calls[result.node]
        while call.op in PASSES_ON and call.inputs:
            result = self.flat.resolve(call.inputs[0])
            call = self.flat.calls[result.node]
        return result

    def _key(self, source: Result) -> str | None:
        """Return the name in the bundle of a tensor that was read from it."""
        call = self.flat.calls[source.node]
        if call.op != "RestoreV2" or len(call.inputs) < 2:
            return None
        names = self.flat.calls[self.flat.resolve(call.inputs[1]).node]
        value: Attribute = names.attributes.get("value", ())
        if not isinstance(value, StoredTensor) or value.element.dtype is not DType.STRING:
            return None
        texts = value.weight(f"the constant {names.name!r}").array().reshape(-1)
        return str(texts[source.number]) if source.number < texts.size else None
