"""What a user wants inputs and outputs to be: their names, and whether inputs that nothing reads stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nhwcc.compiler.diagnostics import counted, did_you_mean, error
from nhwcc.compiler.ir import Module, Port
from nhwcc.compiler.types import TensorType
from nhwcc.runners import Runner
from nhwcc.runners.renamed import Renamed


@dataclass(frozen=True)
class Interface:
    """New names, for all inputs or outputs in their order or for some of either by their old names."""

    input_names: Sequence[str] | None = None
    output_names: Sequence[str] | None = None
    rename: Mapping[str, str] | None = None
    drop_unused_inputs: bool = False

    def apply(self, module: Module) -> Renaming:
        """Change the interface of a module that was just imported; return what was done.

        Raises:
            CompileError: L006, there is no input or output of an old name; L009, the new names don't fit.
        """
        func = module.main
        before = {port.name: port.source_type(arg.type) for port, arg in zip(func.inputs, func.args, strict=True)}
        outputs = tuple(port.name for port in func.outputs)
        if self.drop_unused_inputs:
            func.inputs = [port for port, arg in zip(func.inputs, func.args, strict=True) if arg.uses]
            func.body.args = [arg for arg in func.args if arg.uses]
        inputs = [port.name for port in func.inputs]
        self._check_old_names(func.inputs, func.outputs)
        _set_names("inputs", func.inputs, self.input_names, self.rename)
        _set_names("outputs", func.outputs, self.output_names, self.rename)
        for port, arg, old in zip(func.inputs, func.args, inputs, strict=True):
            arg.name = arg.name if port.name == old else port.name
        new = {old: port.name for old, port in zip(inputs, func.inputs, strict=True)}
        return Renaming(before, outputs, new, {o: p.name for o, p in zip(outputs, func.outputs, strict=True)})

    def _check_old_names(self, inputs: Sequence[Port], outputs: Sequence[Port]) -> None:
        """Refuse to rename what is not there, or gets its name by its place already."""
        sides = ((inputs, self.input_names), (outputs, self.output_names))
        known = [port.name for ports, names in sides if names is None for port in ports]
        for name in self.rename or {}:
            if name not in known:
                help = did_you_mean(name, known) or f"there are {', '.join(known) or 'none that have no new name yet'}"
                raise error("L006", f"{name!r} is to be renamed, but there is no such input or output", help=help)


def _set_names(what: str, ports: Sequence[Port], names: Sequence[str] | None, rename: Mapping[str, str] | None) -> None:
    own = [port.name for port in ports]
    if names is None:
        names = [(rename or {}).get(name, name) for name in own]
    if list(names) == own:
        return
    if len(names) != len(own):
        text = f"{counted(len(names), 'name')} for {counted(len(own), what.removesuffix('s'))}"
        raise error("L009", text, help=f"The {what} are {', '.join(own)}.")
    for name in names:
        if not name or names.count(name) > 1:
            text = f"two {what} would be called {name!r}" if name else f"one of the {what} gets an empty name"
            raise error("L009", text, help=f"The {what} are {', '.join(own)}.")
    for port, name in zip(ports, names, strict=True):
        port.name = name


@dataclass(frozen=True)
class Renaming:
    """The interface as it was, and what became of it: new names by old ones; an input that is missing was dropped."""

    types: Mapping[str, TensorType]
    results: tuple[str, ...]
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]

    @property
    def is_empty(self) -> bool:
        """Whether every input and output keeps the name that it has."""
        kept = [(name, name) for name in self.types]
        return [*self.inputs.items()] == kept and all(old == new for old, new in self.outputs.items())

    def of(self, runner: Runner) -> Runner:
        """Let a runner of the source have the new interface."""
        return runner if self.is_empty else Renamed(runner, self.inputs, self.outputs)
