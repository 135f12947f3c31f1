"""Files of Keras from strangers: what they ask for besides the layers of Keras, and what they would expand to."""

# h5py and Keras have no types
# pyright: reportUnknownMemberType=false, reportMissingTypeStubs=false

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nhwcc.compiler.budget import Budget, limited
from nhwcc.formats.keras.config import arrays, code_in, read_config

import nhwcc
from nhwcc.runners.keras_export import KerasExport
from nhwcc.sources.keras import check_file

h5py: Any = pytest.importorskip("h5py")

LAYER = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 2, "activation": "relu"}}
GELU = {"module": "keras.activations", "class_name": "function", "config": "gelu"}


def written(path: Path, config: object, shape: tuple[int, ...] = (2,)) -> Path:
    """Write a file in HDF5, whose array is stated and not stored."""
    with h5py.File(path, "w") as file:
        # an escape hides a word from whoever looks for it in the bytes
        file.attrs["model_config"] = json.dumps(config).replace("Lambda", "L\\u0061mbda")
        file.create_dataset("model_weights/kernel", shape, "f4", chunks=tuple(min(n, 1024) for n in shape))
    return path


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (LAYER, None),
        ({**LAYER, "config": {"activation": GELU}}, None),
        ({"class_name": "Functional", "config": {"layers": [LAYER]}, "registered_name": "Functional"}, None),
        ({"class_name": "Lambda", "config": {}}, "Lambda"),
        ({**LAYER, "config": [{"class_name": "__lambda__"}]}, "Lambda"),
        ({"module": "os", "class_name": "system"}, "of the module os"),
        ({"module": "builtins", "class_name": "function", "config": "eval"}, "function eval"),
        ({"module": "keras.utils", "class_name": "function", "config": "get_file"}, "function get_file"),
        ({"module": "keras.src.utils", "class_name": "function", "config": "get_file"}, "function get_file"),
        ({**LAYER, "class_name": "StringLookup", "config": {"vocabulary": "/etc/passwd"}}, "another file"),
        ({**LAYER, "class_name": "StringLookup", "config": {"vocabulary": ["a", "b"]}}, None),
        ({**LAYER, "class_name": "TFSMLayer", "config": {"filepath": "elsewhere"}}, "another file"),
        ({"module": "kerasx.activations", "class_name": "function", "config": "f"}, "of the module kerasx"),
    ],
)
def test_code_is_found_by_what_a_configuration_says(said: object, expected: str | None) -> None:
    found = code_in({"config": {"layers": [LAYER, said]}})
    assert found is None if expected is None else expected in (found or "")


def test_an_escaped_lambda_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "m.h5", {"class_name": "Sequential", "config": {"layers": [{"class_name": "Lambda"}]}})
    assert b"Lambda" not in path.read_bytes()
    with pytest.raises(nhwcc.CompileError, match="Lambda") as raised:
        KerasExport().save(path, tmp_path / "out", unsafe=False)
    assert raised.value.diagnostics[0].code == "F038"


@pytest.mark.parametrize("archived", [False, True])
def test_arrays_that_are_not_stored_count(tmp_path: Path, archived: bool) -> None:
    path = written(tmp_path / "model.weights.h5", LAYER, (1 << 20, 1 << 20))
    if archived:
        with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
            archive.write(path, path.name)
            archive.writestr("config.json", json.dumps(LAYER))
        path = tmp_path / "m.keras"
    assert sum(size for _, size in arrays(path)) == 1 << 42
    assert read_config(path) is not None


def kept_elsewhere(file: Any) -> None:
    file.create_dataset("kernel", (4,), "f4", external=[("/etc/passwd", 0, 16)])


def assembled_elsewhere(file: Any) -> None:
    layout = h5py.VirtualLayout(shape=(4,), dtype="f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", shape=(4,))
    file.create_virtual_dataset("kernel", layout)


def linked_elsewhere(file: Any) -> None:
    file.create_group("layers")["kernel"] = h5py.ExternalLink("/etc/passwd", "/x")


@pytest.mark.parametrize("place", [kept_elsewhere, assembled_elsewhere, linked_elsewhere])
def test_arrays_in_other_files_are_refused(tmp_path: Path, place: Any) -> None:
    path = written(tmp_path / "m.h5", {"class_name": "Sequential", "config": {"layers": [LAYER]}})
    with h5py.File(path, "a") as file:
        place(file)
    with pytest.raises(nhwcc.CompileError, match="in another file") as raised:
        KerasExport().save(path, tmp_path / "out", unsafe=False)
    assert raised.value.diagnostics[0].code == "R010"


@pytest.mark.parametrize(("units", "said"), [("9" * 6000, "thousands of digits"), ("[" * 60_000, "nested too deeply")])
def test_numbers_that_nobody_reads(tmp_path: Path, units: str, said: str) -> None:
    path = tmp_path / "m.h5"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = np.bytes_('{"config": {"units": ' + units)
    with pytest.raises(nhwcc.CompileError, match=said):
        KerasExport().save(path, tmp_path / "out", unsafe=False)


def test_an_archive_that_expands_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("config.json", "model.weights.h5"):
            archive.writestr(name, bytes(20 << 20))
    with limited(Budget(growth=1 << 20)), pytest.raises(nhwcc.CompileError) as raised:
        check_file(path)
    assert raised.value.diagnostics[0].code == "M006"


@pytest.mark.parametrize("damage", [b"", b"{", b"[" * 60_000, np.random.default_rng(0).bytes(64)])
def test_a_damaged_configuration_is_blamed_on_the_file(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "m.h5"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = np.frombuffer(damage or b" ", np.uint8)
    with pytest.raises(nhwcc.CompileError) as raised:
        KerasExport().save(path, tmp_path / "out", unsafe=False)
    assert raised.value.diagnostics[0].code == "R010"
