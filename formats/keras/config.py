"""What a file of Keras holds, read without Keras: its network's configuration, and how large its arrays are."""

# h5py has no types
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

CONFIG = "config.json"
LARGEST = 64 << 20
"""Bytes of the largest configuration that is read: those of networks of thousands of layers are below 10 MB."""

CALLABLE = ("activations", "constraints", "initializers", "losses", "metrics", "ops", "quantizers", "regularizers")
"""Modules of Keras whose functions compute with tensors and nothing else."""


def read_config(path: Path) -> object:
    """Return the configuration of the network in a file; None if it holds weights alone.

    Raises:
        ValueError: it is damaged, or too large.
        KeyError: an archive has none.
        OSError: h5py can't read the file.
    """
    if not zipfile.is_zipfile(path):
        import h5py

        with h5py.File(path, "r") as file:
            said: Any = cast(Any, file.attrs).get("model_config")
        return None if said is None else json.loads(said)
    with zipfile.ZipFile(path) as archive:
        if archive.getinfo(CONFIG).file_size > LARGEST:
            raise ValueError(f"its {CONFIG} is larger than any network's")
        return json.loads(archive.read(CONFIG))


def arrays(path: Path) -> Iterator[tuple[str, int]]:
    """Yield names and bytes of the arrays in a file, as they are once they are read.

    Raises:
        ValueError: it is damaged.
        OSError: h5py can't read it.
    """
    if not zipfile.is_zipfile(path):
        yield from _datasets(path)
        return
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith(".h5"):
                with archive.open(name) as member:
                    yield from _datasets(io.BytesIO(member.read()))


def _datasets(file: Path | IO[bytes]) -> Iterator[tuple[str, int]]:
    import h5py

    found: list[tuple[str, int]] = []

    def visit(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            if item.external or item.is_virtual:
                raise ValueError(f"the array {name} lies in another file")
            found.append((name, int(item.nbytes)))
        else:
            links = ((key, item.get(key, getlink=True)) for key in item)
            for key, link in links:
                if isinstance(link, h5py.ExternalLink):
                    raise ValueError(f"{name}/{key} lies in another file")

    with h5py.File(file, "r") as opened:
        visit("", opened)
        opened.visititems(visit)
    yield from found


def code_in(config: object) -> str | None:
    """Say which code a configuration asks for, beside the layers and functions of Keras; None if there is none.

    Keras refuses most of it itself; older versions run it whatever they are told.
    """
    waiting = [config]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            said = cast(dict[str, Any], item)
            if (found := _code(said)) is not None:
                return found
            waiting += said.values()
        elif isinstance(item, list):
            waiting += cast(list[Any], item)
    return None


def _of(config: object, key: str) -> object:
    return cast(dict[str, object], config).get(key) if isinstance(config, dict) else None


def _code(said: dict[str, Any]) -> str | None:
    kind, module = said.get("class_name"), said.get("module")
    if isinstance(kind, str) and kind.rpartition(">")[2] in ("Lambda", "__lambda__"):
        return "functions of Python, in Lambda layers"
    if kind == "TFSMLayer" or isinstance(_of(said.get("config"), "vocabulary"), str):
        return f"the name of another file, in {kind}"
    if kind is None or not isinstance(module, str):
        return None
    package, _, rest = module.partition(".")
    if package not in ("keras", "builtins"):
        return f"{kind} of the module {module}"
    is_pure = package == "keras" and rest.removeprefix("src.").partition(".")[0] in CALLABLE
    return f"the function {said.get('config')} of {module}" if kind == "function" and not is_pure else None
