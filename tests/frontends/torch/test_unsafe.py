"""Files that run code when PyTorch reads them: refused before it does, each with what it would run.

Every payload touches a file.  That PyTorch would run it is part of the test, where one command shows it.
"""

from __future__ import annotations

import io
import json
import pickle
import sys
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.frontends.torch import open_program
from nhwcc.frontends.torch.archives import Archive, opened, rebuilt
from torch import nn

Json = Any
Records = dict[str, bytes]


class Touch:
    """Touches a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return (Path.touch, (self.path,))


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 4)
        self.register_buffer("offset", torch.ones(4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(x) + self.offset


def written(path: Path, records: Records, root: str = "m/") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in records.items():
            archive.writestr(root + name, content)
    return path


@pytest.fixture(scope="module")
def program() -> Records:
    """The records of a program as PyTorch writes it, with an open size."""
    buffer = io.BytesIO()
    exported = torch.export.export(Net().eval(), (torch.randn(2, 3),), dynamic_shapes=({0: torch.export.Dim("n")},))
    torch.export.save(exported, buffer)
    with zipfile.ZipFile(buffer) as archive:
        return {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}


def changed(records: Records, change: Callable[[Json, Json], None]) -> Records:
    """Change the graph; ``change`` gets the whole message, and its graph."""
    message = json.loads(records["models/model.json"])
    change(message, message["graph_module"]["graph"])
    return records | {"models/model.json": json.dumps(message).encode()}


def pickled(value: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


def sample_inputs(records: Records, marker: Path) -> Records:
    return records | {"data/sample_inputs/model.pt": pickled(((Touch(marker),), dict[str, object]()))}


def all_weights(records: Records, marker: Path) -> Records:
    return records | {"data/weights/model.pt": pickled({"w": Touch(marker)})}


def one_weight(records: Records, marker: Path) -> Records:
    config = json.loads(records["data/weights/model_weights_config.json"])
    config["config"]["offset"]["use_pickle"] = True
    return records | {
        "data/weights/model_weights_config.json": json.dumps(config).encode(),
        "data/weights/weight_2": pickled(Touch(marker)),
    }


def opaque_object(records: Records, marker: Path) -> Records:
    entry = {"path_name": "opaque_obj_0", "is_param": False, "use_pickle": True, "tensor_meta": None}
    return records | {
        "data/constants/model_constants_config.json": json.dumps({"config": {"o": entry}}).encode(),
        "data/constants/opaque_obj_0": pickle.dumps(Touch(marker)),
    }


def size_formula(records: Records, marker: Path) -> Records:
    def change(_: Json, graph: Json) -> None:
        builtins = "floor.eval.__func__.__globals__['__builtins__']"
        text = f"{builtins}['__import__']('pathlib').Path({str(marker)!r}).touch()"
        graph["tensor_values"]["x"]["sizes"][0] = {"as_expr": {"expr_str": text, "hint": {"as_int": 2}}}

    return changed(records, change)


def enum_in_a_tree(records: Records, marker: Path) -> Records:
    def change(message: Json, _: Json) -> None:
        call = message["graph_module"]["module_call_graph"][0]["signature"]
        context = json.dumps({"__enum__": True, "fqn": "marking:A", "name": "B"})
        tree: Json = {"type": "builtins.list", "context": f" {context}", "children_spec": []}
        call["out_spec"] = json.dumps([1, tree])

    (marker.parent / "marking.py").write_text(f"from pathlib import Path\nPath({str(marker)!r}).touch()\n")
    return changed(records, change)


def default_of_a_dictionary(records: Records, marker: Path) -> Records:
    def change(message: Json, _: Json) -> None:
        call = message["graph_module"]["module_call_graph"][0]["signature"]
        context: Json = {"default_factory_module": "marking", "default_factory_name": "A", "dict_context": []}
        tree: Json = {"type": "collections.defaultdict", "context": context, "children_spec": []}
        call["out_spec"] = json.dumps([1, tree])

    (marker.parent / "marking.py").write_text(f"from pathlib import Path\nPath({str(marker)!r}).touch()\n")
    return changed(records, change)


def name_of_a_value(records: Records, marker: Path) -> Records:
    """A name that ends the text of a function and begins another statement."""
    name = f"x, y=__import__('pathlib').Path({str(marker)!r}).touch()"

    def change(message: Json, graph: Json) -> None:
        graph["tensor_values"][name] = graph["tensor_values"].pop("x")
        graph["inputs"][-1]["as_tensor"]["name"] = name
        graph["nodes"][0]["inputs"][0]["arg"]["as_tensor"]["name"] = name
        message["graph_module"]["signature"]["input_specs"][-1]["user_input"]["arg"]["as_tensor"]["name"] = name

    return changed(records, change)


def name_of_an_argument(records: Records, marker: Path) -> Records:
    def change(message: Json, _: Json) -> None:
        call = message["graph_module"]["module_call_graph"][0]["signature"]
        call["forward_arg_names"] = [f"x=__import__('pathlib').Path({str(marker)!r}).touch()"]

    return changed(records, change)


def any_function(records: Records, marker: Path) -> Records:
    """Python's modules are below ``torch``, too."""

    def change(_: Json, graph: Json) -> None:
        graph["nodes"][1]["target"] = "torch.os.system"
        graph["nodes"][1]["inputs"] = [{"name": "", "arg": {"as_string": f"touch {marker}"}, "kind": 1}]

    return changed(records, change)


def reading_files(records: Records, marker: Path) -> Records:
    def change(_: Json, graph: Json) -> None:
        graph["nodes"][1]["target"] = "torch.ops.aten.from_file.default"

    return changed(records, change)


def custom_object(records: Records, marker: Path) -> Records:
    def change(message: Json, _: Json) -> None:
        spec = {"custom_obj": {"arg": {"name": "o", "class_fqn": "a.B"}, "custom_obj_name": "o"}}
        message["graph_module"]["signature"]["input_specs"].append(spec)

    return changed(records, change)


RUN_WHEN_READ = [
    sample_inputs,
    all_weights,
    one_weight,
    opaque_object,
    size_formula,
    enum_in_a_tree,
    default_of_a_dictionary,
    name_of_a_value,
]


@pytest.mark.parametrize(
    "make",
    [*RUN_WHEN_READ, name_of_an_argument, any_function, reading_files, custom_object],
    ids=lambda make: make.__name__,
)
@pytest.mark.parametrize("suffix", [".pt2", ".pth"])
def test_programs(
    program: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[..., Records], suffix: str
) -> None:
    marker, path = tmp_path / "ran", tmp_path / f"evil{suffix}"
    written(path, make(program, marker))
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.delitem(sys.modules, "marking", raising=False)
    with pytest.raises(CompileError, match=r"F038.*would run code(.|\n)*--unsafe-load"):
        open_program(path)
    assert not marker.exists()
    if make in RUN_WHEN_READ:
        with suppress(Exception):
            torch.export.load(path)
        assert marker.exists(), "the payload does nothing"


def test_what_is_not_needed_is_not_read(program: Records, tmp_path: Path) -> None:
    """Guards, which PyTorch runs as code, and compiled libraries."""

    def change(message: Json, _: Json) -> None:
        message["guards_code"] = [f"__import__('pathlib').Path({str(tmp_path / 'ran')!r}).touch()"]

    library = {"data/aotinductor/model/model.so": b"no library"}
    path = written(tmp_path / "m.pt2", changed(program, change) | library)
    found = open_program(path)
    assert isinstance(found, torch.export.ExportedProgram)
    x = torch.randn(5, 3)
    assert found.module()(x).shape == (5, 4)
    assert not (tmp_path / "ran").exists()


def test_records_that_two_readers_may_see_differently(program: Records, tmp_path: Path) -> None:
    twice = {**program, "MODELS/model.json": program["models/model.json"]}
    with pytest.raises(CompileError, match=r"R010.*the same name"):
        open_program(written(tmp_path / "m.pt2", twice))


def test_programs_of_older_versions(program: Records, tmp_path: Path) -> None:
    """Their tensors are pickled: those that hold nothing else are read, the others refused."""
    weights = dict(Net().state_dict(keep_vars=True))
    records = {name: content for name, content in program.items() if not name.startswith("data/weights")}
    found = open_program(written(tmp_path / "m.pt2", records | {"data/weights/model.pt": pickled(weights)}))
    assert isinstance(found, torch.export.ExportedProgram)
    assert torch.equal(found.state_dict["linear.weight"], weights["linear.weight"])
    old: Records = {
        "version": b"8.1",
        "serialized_exported_program.json": program["models/model.json"],
        "serialized_state_dict.pt": pickled(weights),
        "serialized_constants.pt": pickled({}),
        "serialized_example_inputs.pt": program["data/sample_inputs/model.pt"],
    }
    assert isinstance(open_program(written(tmp_path / "o.pt2", old, "")), torch.export.ExportedProgram)
    marker = tmp_path / "ran"
    old["serialized_constants.pt"] = pickled({"a": Touch(marker)})
    with pytest.raises(CompileError, match=r"F038.*serialized_constants.pt is pickled code"):
        open_program(written(tmp_path / "o.pt2", old, ""))
    assert not marker.exists()


def test_pickled_files(tmp_path: Path) -> None:
    for name, is_zip in (("new.pth", True), ("old.pth", False)):
        marker = tmp_path / "ran"
        torch.save({"w": Touch(marker)}, tmp_path / name, _use_new_zipfile_serialization=is_zip)
        with pytest.raises(CompileError, match=r"F038(.|\n)*unsafe_load=True"):
            open_program(tmp_path / name)
        assert not marker.exists()
        with pytest.raises(CompileError, match="F035"):
            open_program(tmp_path / name, unsafe=True)
        assert marker.exists()
        marker.unlink()


class Saves(nn.Module):
    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        torch.save(x, self.path)
        return x


def test_scripts(tmp_path: Path) -> None:
    jit: Any = torch.jit
    jit.script(Net().eval()).save(str(tmp_path / "plain.pt"))
    assert isinstance(open_program(tmp_path / "plain.pt"), nn.Module)
    jit.script(Saves(str(tmp_path / "ran"))).save(str(tmp_path / "evil.pt"))
    with pytest.raises(CompileError, match=r"F038.*names save"):
        open_program(tmp_path / "evil.pt")
    evil = open_program(tmp_path / "evil.pt", unsafe=True)
    evil(torch.ones(1))
    assert (tmp_path / "ran").exists(), "the payload does nothing"


@pytest.mark.parametrize("call", ["ops.c10d.send(x)", "ops\\\n.c10d.send(x)", "ops # aten\n.c10d.send(x)"])
def test_scripts_that_call_other_libraries(tmp_path: Path, call: str) -> None:
    with pytest.raises(CompileError, match=r"F038.*other libraries"):
        open_program(written(tmp_path / "m.pt", {"code/__torch__.py": call.encode(), "data.pkl": b""}))


def test_objects_in_scripts(tmp_path: Path) -> None:
    records = {"code/__torch__.py": b"", "data.pkl": b"c__torch__.torch.classes.dist_rpc\nAgent\n."}
    with pytest.raises(CompileError, match=r"F038.*class dist_rpc"):
        open_program(written(tmp_path / "m.pt", records))


def test_a_record_that_unpacks_to_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nhwcc.frontends.torch.archives.UNPACKED_LIMIT", 1000)
    with zipfile.ZipFile(tmp_path / "m.pt2", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("m/models/model.json", bytes(1001))
    with pytest.raises(CompileError, match=r"R010.*unpacks to 1,001 bytes"):
        open_program(tmp_path / "m.pt2")


def test_an_archive_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = written(tmp_path / "m.zip", {"a": b"1" * 100, "b/c": b"", "d": bytes(range(256)) * 999})
    with opened(path) as archive, rebuilt(path, archive, {"d": None, "a": b"2", "b/c": None}) as file:
        assert isinstance(archive, Archive)
        with zipfile.ZipFile(file) as again:
            assert again.namelist() == ["m/d", "m/a", "m/b/c"] and again.testzip() is None
            assert [again.read(n) for n in again.namelist()] == [bytes(range(256)) * 999, b"2", b""]
            assert zlib.crc32(b"2") == again.getinfo("m/a").CRC
