"""PyTorch as a runner: the module as it is, or the exported program where no module was given."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from nhwcc.compiler.diagnostics import error
from nhwcc.compiler.types import Array, TensorType
from nhwcc.frontends.torch import REFUSALS, Exported, to_array
from nhwcc.runners import Traced


class TorchRunner:
    """Runs what was exported, on inputs and to outputs with the names that the import gave them."""

    def __init__(self, exported: Exported, types: Mapping[str, TensorType], outputs: Sequence[str]) -> None:
        self._exported = exported
        self._types = dict(types)
        self._outputs = tuple(outputs)

    @property
    def title(self) -> str:
        """PyTorch with its version."""
        import torch

        return f"PyTorch {torch.__version__}"

    @property
    def inputs(self) -> dict[str, TensorType]:
        """The types of the inputs."""
        return self._types

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the outputs."""
        return self._outputs

    def first(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """What the module's tensors are now, which running it overwrites."""
        begin = self._exported.begin
        names = list(self._types)[len(self._types) - len(begin) :]
        return {name: _array(tensor) for name, tensor in zip(names, begin, strict=True)}

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Call the module; with sizes for which the program made of it does not hold, refuse.

        Raises:
            CompileError: R018.
        """
        import torch

        tensors = [_tensor(inputs[name]) for name in self._types]
        wrong = self._exported.out_of_range(tensors)
        if wrong is not None:
            raise error("R018", f"PyTorch's program does not hold for the inputs: {wrong}")
        try:
            with torch.no_grad():
                found = self._exported.call(tensors)
        except REFUSALS as bad:
            raise error("R018", f"PyTorch refuses the inputs: {' '.join(str(bad).split())}") from bad
        return {name: _array(leaf) for name, leaf in zip(self._outputs, found, strict=True)}

    def run_otherwise(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Call the module with PyTorch's own kernels, without oneDNN's."""
        import torch

        with torch.backends.mkldnn.flags(enabled=False):
            return self.run(inputs)

    def trace(self, inputs: Mapping[str, Array], only: Collection[str] | None = None) -> Iterator[Traced]:
        """Run the exported graph node by node; what is overwritten later is seen as it was."""
        seen: list[Traced] = []
        tensors = [_tensor(inputs[name]) for name in self._types]
        for name, kind, value in self._exported.trace(tensors, only):
            seen.append(Traced(name, kind, _array(value).copy()))
        yield from seen


def _tensor(array: Array) -> Any:
    """Copy an array: models may overwrite their inputs."""
    import torch

    if array.dtype.name == "bfloat16":
        return torch.tensor(array.view(np.uint16)).view(torch.bfloat16)
    return torch.tensor(np.ascontiguousarray(array).reshape(array.shape))


def _array(leaf: Any) -> Array:
    import torch

    return to_array(leaf).copy() if isinstance(leaf, torch.Tensor) else np.asarray(leaf)
