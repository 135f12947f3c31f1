"""Which part of a model is meant, and with which sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nhwcc.compiler.clone import clone_module
from nhwcc.compiler.diagnostics import error
from nhwcc.compiler.ir import Module
from nhwcc.compiler.subgraph import chosen_sizes, cut
from nhwcc.shapes import Given


@dataclass(frozen=True)
class Cut:
    """A part of a model between tensors, shapes of its inputs, and whether unknown operators become custom ones."""

    shapes: Mapping[str, Given] = field(default_factory=lambda: dict[str, Given]())
    inputs: Sequence[str] | None = None
    outputs: Sequence[str] | None = None
    allow_custom_ops: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether the model is taken as it is."""
        return not (self.shapes or self.inputs or self.outputs)

    def of(self, module: Module, shapes: Mapping[str, Given]) -> Module:
        """Cut a part out of a module, which may be changed, and give named sizes the numbers that ``shapes`` say.

        Raises:
            CompileError: F018 or F019, there is no such tensor or size, or a shape is not that of an input.
        """
        if self.inputs or self.outputs:
            cut(module.main, self.inputs, self.outputs)
        sizes = chosen_sizes(module.main, sizes_of(shapes))
        return self.checked(clone_module(module, sizes) if sizes else module)

    def checked(self, module: Module) -> Module:
        """Check that inputs have the element types that were given with their shapes.

        Raises:
            CompileError: F019, one has another.
        """
        for port, value in zip(module.main.inputs, module.main.args, strict=True):
            wanted = self.shapes[port.name].dtype if port.name in self.shapes else None
            if wanted not in (None, value.type.dtype):
                text = f"the input {port.name!r} is {value.type.dtype} in the model, which can't become {wanted}"
                raise error("F019", text, help="Give its sizes alone.")
        return module


def sizes_of(shapes: Mapping[str, Given]) -> dict[str, tuple[int | str, ...] | int]:
    """Return the sizes that were given for each input, without element types."""
    return {name: given.sizes for name, given in shapes.items()}
