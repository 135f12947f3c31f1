"""Damaged models are errors with a code, whatever is wrong with them."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.formats.openvino.reader import read_contents
from nhwcc.formats.openvino.xml import parse
from nhwcc.frontends.openvino import import_openvino

NETWORK = """<?xml version="1.0"?>
<net name="m" version="11">
 <layers>
  <layer id="0" name="x" type="Parameter" version="opset1">
   <data shape="1,2,4,4" element_type="f32"/>
   <output><port id="0" precision="FP32" names="x"><dim>1</dim><dim>2</dim><dim>4</dim><dim>4</dim></port></output>
  </layer>
  <layer id="1" name="w" type="Const" version="opset1">
   <data element_type="f32" shape="3, 2, 1, 1" offset="0" size="24"/>
   <output><port id="0" precision="FP32"><dim>3</dim><dim>2</dim><dim>1</dim><dim>1</dim></port></output>
  </layer>
  <layer id="2" name="conv" type="Convolution" version="opset1">
   <data strides="1, 1" dilations="1, 1" pads_begin="0, 0" pads_end="0, 0" auto_pad="explicit"/>
   <input><port id="0" precision="FP32"/><port id="1" precision="FP32"/></input>
   <output><port id="2" precision="FP32" names="features"/></output>
  </layer>
  <layer id="3" name="shape" type="Const" version="opset1">
   <data element_type="i64" shape="2" offset="24" size="16"/>
   <output><port id="0" precision="I64"/></output>
  </layer>
  <layer id="4" name="flat" type="Reshape" version="opset1">
   <data special_zero="true"/>
   <input><port id="0" precision="FP32"/><port id="1" precision="I64"/></input>
   <output><port id="2" precision="FP32" names="flat"/></output>
  </layer>
  <layer id="5" name="y" type="Result" version="opset1" output_names="y">
   <input><port id="0" precision="FP32"/></input>
  </layer>
 </layers>
 <edges>
  <edge from-layer="0" from-port="0" to-layer="2" to-port="0"/>
  <edge from-layer="1" from-port="0" to-layer="2" to-port="1"/>
  <edge from-layer="2" from-port="2" to-layer="4" to-port="0"/>
  <edge from-layer="3" from-port="0" to-layer="4" to-port="1"/>
  <edge from-layer="4" from-port="2" to-layer="5" to-port="0"/>
 </edges>
</net>
"""
WEIGHTS = bytes(24) + (0).to_bytes(8, "little") + (-1).to_bytes(8, "little", signed=True)


def saved(folder: Path, text: str | bytes, weights: bytes = WEIGHTS) -> Path:
    path = folder / "m.xml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.with_suffix(".bin").write_bytes(weights)
    return path


def codes(path: Path, *, carries: bool = False) -> set[str]:
    """The errors that a model has, none if it can be read."""
    try:
        import_openvino(path, allow_custom_ops=carries)
    except CompileError as bad:
        return {d.code for d in bad.diagnostics}
    return set()


def test_whole(tmp_path: Path) -> None:
    module = import_openvino(saved(tmp_path, NETWORK))
    assert str(module.main.returns[0].type) == "f32[1,48]"


@pytest.mark.parametrize("seed", range(150))
def test_changed_bytes(seed: int, tmp_path: Path) -> None:
    """Either the model can still be read, or an error says what is wrong."""
    rng = random.Random(seed)
    data, weights = bytearray(NETWORK.encode()), bytearray(WEIGHTS)
    for _ in range(rng.choice([1, 1, 2, 8])):
        if rng.random() < 0.1:
            weights[rng.randrange(len(weights))] = rng.randrange(256)
        else:
            data[rng.randrange(40, len(data))] = rng.choice([*b'0123456789-"<>/.,ax ', rng.randrange(256)])
    found = codes(saved(tmp_path, bytes(data), bytes(weights)), carries=bool(seed % 2))
    assert {code[0] for code in found} <= {*"RFTM"}


@pytest.mark.parametrize("seed", range(60))
def test_changed_numbers(seed: int, tmp_path: Path) -> None:
    """Every number of the XML may be another one."""
    rng = random.Random(seed)
    places = [m.span() for m in re.finditer(r"(?<=[\"> ,])\d+(?=[\",< ])", NETWORK) if m.start() > 60]
    start, end = rng.choice(places)
    number = rng.choice(["-1", "0", "7", "99999999999999999999999", "4294967296", "-9223372036854775808", "1e9", ""])
    found = codes(saved(tmp_path, NETWORK[:start] + number + NETWORK[end:]))
    assert {code[0] for code in found} <= {*"RFTM"}


@pytest.mark.parametrize("size", [0, 7, 60, 400, 1500])
def test_truncated(size: int, tmp_path: Path) -> None:
    assert codes(saved(tmp_path, NETWORK[:size])) == {"R010"}


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('version="11"', 'version="7"', "F012"),
        ("<net ", "<graph ", "R010"),
        ('offset="24"', 'offset="30"', "F016"),
        ('size="16"', 'size="15"', "F016"),
        ('offset="24"', "", "F016"),
        ('element_type="i64" shape="2"', 'element_type="u3" shape="2"', "F003"),
        ('shape="3, 2, 1, 1"', 'shape="3, 2, -1, 1"', "F016"),
        ('strides="1, 1"', 'strides="a, 1"', "F002"),
        ('strides="1, 1"', 'strides="1"', "F002"),
        ('auto_pad="explicit"', 'auto_pad="same"', "F002"),
        ('type="Convolution" version="opset1"', 'type="Convolution" version="extension"', "F001"),
        ('from-layer="4" from-port="2"', 'from-layer="9" from-port="2"', "F014"),
        ('from-layer="0" from-port="0" to-layer="2"', 'from-layer="4" from-port="2" to-layer="2"', "F013"),
        ('from-port="2" to-layer="5"', 'from-port="1" to-layer="5"', "F014"),
        ('to-layer="5" to-port="0"', 'to-layer="5" to-port="1"', "F014"),
        ('to-layer="2" to-port="1"', 'to-layer="2" to-port="7"', "F006"),
        ('shape="1,2,4,4"', 'shape="1,2,4,999999999999"', "M001"),
        ('shape="1,2,4,4"', 'shape="1,3,4,4"', "T001"),
        ('shape="1,2,4,4" element_type="f32"', 'shape="1,2,4,4" element_type="string"', "F003"),
        ('id="3" name="shape"', 'id="2" name="shape"', "R010"),
    ],
)
def test_faults(old: str, new: str, code: str, tmp_path: Path) -> None:
    assert old in NETWORK
    text = NETWORK.replace(old, new).replace("</net>", "</graph>") if "<graph" in new else NETWORK.replace(old, new)
    assert code in codes(saved(tmp_path, text))


def test_short_weights(tmp_path: Path) -> None:
    assert codes(saved(tmp_path, NETWORK, WEIGHTS[:30])) == {"F016"}


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE net [<!ENTITY a "aaaa">]><net version="11">&a;</net>',
        '<!DOCTYPE net SYSTEM "file:///etc/passwd"><net version="11"/>',
        '<net version="11">&undefined;</net>',
    ],
)
def test_entities_are_refused(text: str, tmp_path: Path) -> None:
    assert codes(saved(tmp_path, text)) == {"R010"}


def test_depth_is_limited() -> None:
    with pytest.raises(CompileError, match="M005"):
        parse(b"<a>" * 5000 + b"</a>" * 5000)


def test_no_layers(tmp_path: Path) -> None:
    assert codes(saved(tmp_path, '<net version="11"/>')) == {"F011"}


def test_names_with_commas(tmp_path: Path) -> None:
    contents = read_contents(saved(tmp_path, NETWORK.replace('names="flat"', r'names="a\,b,c"')))
    assert contents.network.layers[4].outputs[0].names == ("a,b", "c")
