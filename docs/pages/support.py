"""docs/support.md: what is read; and a page for each target of what runs there, printed from its table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from nhwcc.backends.common.support_matrix import DECOMPOSED, MANY, Support
from nhwcc.backends.common.support_matrix import support as ways_of
from nhwcc.backends.registry import DEVICES, TARGETS, find_target
from nhwcc.backends.tflite.devices.table import Kernels
from nhwcc.backends.tflite.devices.target import KERNELS
from nhwcc.compiler.opdef import OPS
from nhwcc.formats.tflite.flexbuffer import RAW
from nhwcc.formats.tflite.schema import builtin_names
from nhwcc.frontends.common.schema import Parameter
from nhwcc.frontends.onnx import import_onnx as _importer  # noqa: F401  # pyright: ignore[reportUnusedImport]
from nhwcc.frontends.onnx.importer import OLDEST
from nhwcc.frontends.onnx.refused import REFUSED
from nhwcc.frontends.onnx.registry import HANDLERS
from nhwcc.frontends.openvino import import_openvino as _networks  # noqa: F401  # pyright: ignore[reportUnusedImport]
from nhwcc.frontends.openvino.refused import REFUSED as NOT_FROM_OPENVINO
from nhwcc.frontends.openvino.registry import HANDLERS as OPENVINO
from nhwcc.frontends.openvino.registry import NEWEST
from nhwcc.frontends.tensorflow import import_tensorflow as _graphs  # noqa: F401  # pyright: ignore[reportUnusedImport]
from nhwcc.frontends.tensorflow.refused import FAMILIES
from nhwcc.frontends.tensorflow.refused import REFUSED as NOT_FROM_GRAPHS
from nhwcc.frontends.tensorflow.registry import HANDLERS as RAW_OPS
from nhwcc.frontends.tflite import import_tflite as _files  # noqa: F401  # pyright: ignore[reportUnusedImport]
from nhwcc.frontends.tflite.refused import REFUSED as NOT_FROM_FILES
from nhwcc.frontends.tflite.registry import HANDLERS as BUILTINS
from nhwcc.frontends.torch import import_torch as _reader  # noqa: F401  # pyright: ignore[reportUnusedImport]
from nhwcc.frontends.torch.registry import HANDLERS as ATEN
from onnx import defs

from pages.markdown import page, prose, table

INTRO = """Every operator of a model must be read by the frontend, and every operation of the IR that it becomes must
run on the target. What is missing is reported with all its places at once, and can be cut off with `--inputs` and
`--outputs`."""

ONNX = """Operator sets {oldest} to {newest}. *Definition* means that the operator is read as the function by which the
standard defines it, if all operators in there are read. A model's own functions are read, too."""

TORCH = """Overloads of ATen operators that stay whole, by operator; `default` is the overload without a name, and
in-place ones are read as these. Others are first written in terms of these by PyTorch's own decompositions."""

RUNS = """Each operation of the [IR](ir.md) becomes {kind}s where these take its types, ranks and attributes, and is
rewritten first where they do not.
{more}"""

MORE = {
    "tflite": """What the builtins take is what the runtime's kernels accept, not what their schema says. Types are
those of the data, or of the operand or attribute whose name stands before them.""",
    "onnx": """Types are those of the operator's first input in the newest opset that is used without being asked for.
Which types, attributes and inputs it has in which opset is looked up in the standard's own schemas. `--opset` limits
what may be used: operations that came later are then rewritten, or refused with the opset that would do.""",
    "openvino": """What is written is IR of version 11. Types are those of the data, or of the operand or attribute
whose name stands before them, as far as the kernels for processors compute them right. Other operations than the named
one may stand before it: a convolution with a bias is an `Add` behind a `Convolution`. Kernels compute floats of any
kind in 32 bits, and integers of 64 bits in 32: numbers beyond that are cut, and constants of such numbers are warned
of. [openvino.md](openvino.md) shows how files are written; [what is read](#what-is-read-of-openvinos-ir) stands
below.""",
    "saved_model": """So it is in SavedModels and in frozen graphs. Types are those of the operator's first input for
which TensorFlow has kernels for processors, as the installed TensorFlow says.""",
    "keras": """Rows that begin with `layers.` are layers of `keras.layers`, the others functions of `keras.ops`.
Files in HDF5 (`.h5`) hold layers only: what a function would be needed for is refused there. Types are those of the
first operand. [keras.md](keras.md) shows how files are written.""",
    "coreml": """Rows are operations of MIL as of iOS 16 and macOS 13, as Apple's coremltools describes them. Types are
those of the first operand, or of the operand or attribute whose name stands before them; small integers are of 32 bits
in a file. Other operations than the named one may stand before it: a logarithm of a softmax is a `sub` behind a
`reduce_log_sum_exp`. [coreml.md](coreml.md) shows how packages are written.""",
    "tfjs": """Rows are those of TensorFlow's operators that the executor of TensorFlow.js has. Types are those of the
operator's first input; what only moves elements takes small integers and strings, too. [tfjs.md](tfjs.md) shows how
folders are written.""",
}
"""What is to be said of each target."""

DEVICE = """Builtins of TFLite files that the device runs (`--target {name}`), with the element types of their data.
Other operations are rewritten into these where there is a way; `nhwcc check MODEL --target {name}` says which of a
model are not, and [devices.md](devices.md) how files get onto the device."""

GRAPHS = """SavedModels of version 1 and 2, and frozen graphs, as messages or as text (`.pbtxt`), read without
TensorFlow; inputs and attributes are those of the operators' own schemas (`tf.raw_ops`). Functions are read where they
are called. Variables stay in the files of the SavedModel. A node that writes to a variable is refused. Control flow of
version 1 (`Switch`, `Merge`; `Enter`, `LoopCond`, `NextIteration`, `Exit`) is read as `If` and `While`, and refused
where it is neither."""

FILES = """Files of any converter, in all versions of a builtin; operands and options are those of the schema. Integers
that stand for numbers are read as *dequantize, operation, quantize*, with the scales that the file states."""


IR_FILES = """Versions 10 and 11 of the IR, as OpenVINO writes them since 2020, with the operations of the operator
sets 1 to {newest}. Attributes that are not named here don't change what is computed. What is stored in 16 bits is
computed with in 32, as OpenVINO does where it is told to be exact; constants of few bits stay as small as they are.
Bodies of `TensorIterator`, `Loop` and `If` are read with them; a `TensorIterator` around the cell of a recurrent layer
is read as the layer. Variables become inputs and outputs with `--state io`."""


DOMAINS = {
    "ai.onnx.ml": """What classical machine learning is exported to, by skl2onnx for instance. Trees are walked level by
level, all at once. Labels may be texts, inputs may not. A `ZipMap` gives the tensor of probabilities that it would make
maps of.""",
    "com.microsoft": """What onnxruntime's own tools put into models. Weights of few bits become plain numbers.""",
}
"""What is to be said of each domain besides the standard's."""

NOT_READ = """Not read are these, and what belongs to training (`ai.onnx.preview.training`):"""


def support() -> str:
    """Print the page."""
    newest = defs.onnx_opset_version()
    rows = [*_rows(""), *((f"`{name}`", "definition") for name in _defined())]
    return page(
        "What is supported",
        INTRO,
        "## ONNX operators",
        prose(ONNX.format(oldest=OLDEST, newest=newest)),
        table(("operator", "versions"), sorted(rows)),
        NOT_READ,
        table(("operator", "why"), [(f"`{name}`", f"It {why}.") for name, why in sorted(REFUSED.items())]),
        *(part for domain in DOMAINS for part in _domain(domain)),
        "## PyTorch operators",
        TORCH,
        table(("operator", "overloads"), _overloads()),
        "## Builtins of TFLite files",
        FILES,
        table(("builtin", "operands", "options"), sorted(_builtins())),
        "Not read are these:",
        table(("builtin", "why"), [(f"`{name}`", f"It {why}.") for name, why in sorted(NOT_FROM_FILES.items())]),
        "## Operators of TensorFlow",
        f"[{TENSORFLOW_PAGE}]({TENSORFLOW_PAGE}) lists {len(RAW_OPS)} operators of SavedModels and frozen graphs.",
        "## Models of OpenVINO",
        f"What is read of OpenVINO's IR stands in [{page_of('openvino')}]({page_of('openvino')}).",
        "## Targets",
        table(
            ("target", "what runs"),
            ((find_target(n).title, f"[{page_of(n)}]({page_of(n)})") for n in (*tables(), *DEVICES)),
        ),
    )


def _read_of_openvino() -> tuple[str, ...]:
    """The sections about what is read of OpenVINO's IR."""
    return (
        "## What is read of OpenVINO's IR",
        prose(IR_FILES.format(newest=NEWEST)),
        table(("operation", "operator sets", "operands", "attributes"), sorted(_openvino_rows())),
        "Not read are these:",
        table(("operation", "why"), [(f"`{name}`", f"It {why}.") for name, why in sorted(NOT_FROM_OPENVINO.items())]),
    )


def _openvino_rows() -> Iterator[tuple[str, str, str, str]]:
    """Operations with a handler, a row for each range of operator sets."""
    for entry in (e for entries in OPENVINO.values() for e in entries):
        sets = f"{entry.since} and later" if entry.until is None else f"{entry.since} to {entry.until}"
        operands = [f"{p.name} …" if p.is_variadic else _from_some_set(p) for p in entry.operands]
        yield f"`{entry.name}`", sets, ", ".join(operands), ", ".join(map(_from_some_set, entry.attributes.values()))


def _from_some_set(parameter: Parameter) -> str:
    """Name a parameter, and the operator sets that have it if not all have."""
    since = f" (since {parameter.since})" if parameter.since else ""
    return f"{parameter.name}{since}{'' if parameter.until is None else f' (until {parameter.until})'}"


TENSORFLOW_PAGE = "support-tensorflow.md"


def tensorflow_page() -> str:
    """Print the page of what is read of TensorFlow's models."""
    why = [(f"`{name}`", f"It {why}.") for name, why in sorted(NOT_FROM_GRAPHS.items())]
    why += [(f"`{start}…`", f"It {why}.") for start, why in sorted(FAMILIES.items())]
    return page(
        "What is read of TensorFlow's models",
        prose(GRAPHS),
        table(("operator", "inputs", "attributes"), sorted(_raw_ops())),
        "Not read are these, and those whose names begin so:",
        table(("operator", "why"), why),
    )


def _raw_ops() -> Iterator[tuple[str, str, str]]:
    """Operators of TensorFlow with a handler."""
    for name, entry in RAW_OPS.items():
        operands = [f"{p.name} …" if p.item is not None else p.name for p in entry.operands]
        yield f"`{name}`", ", ".join(operands), ", ".join(entry.attributes)


def tables() -> list[str]:
    """Return the names of targets, of several with one table the first; .h5 takes a part of what .keras does."""
    return list({id(find_target(name).table): name for name in reversed(TARGETS) if name != "h5"}.values())[::-1]


def page_of(target: str) -> str:
    """Return the file name of a target's page."""
    return f"support-{target}.md"


def target_page(name: str) -> str:
    """Print the page of a target."""
    target = find_target(name)
    kind = target.table.kind
    return page(
        f"What runs on {target.title}",
        prose(RUNS.format(kind=kind, more=MORE[name])),
        table(("operation", f"{kind}s", "rewritten"), _operations(ways_of(target))),
        *(_read_of_openvino() if name == "openvino" else ()),
    )


def device_page(name: str) -> str:
    """Print the page of a device."""
    kernels = KERNELS[name]
    always = "".join(f"\n- {condition.text}" for condition in kernels.always)
    return page(
        f"What runs on {kernels.title}",
        prose(DEVICE.format(name=name)),
        f"Of every operator it demands:\n{always}" if always else "",
        table(("builtin", "element types", "what it demands"), list(_kernels(kernels))),
    )


def _kernels(kernels: Kernels) -> Iterator[tuple[str, str, str]]:
    """One row for each builtin and group of element types."""
    for builtin in sorted(kernels.rows):
        for row in kernels.rows[builtin]:
            yield f"`{builtin}`", ", ".join(sorted(row.types)), "; ".join(row.demands)


def _domain(domain: str) -> tuple[str, str, str]:
    """The section of another domain than the standard's."""
    return f"## Operators of `{domain}`", prose(DOMAINS[domain]), table(("operator", "versions"), sorted(_rows(domain)))


def _rows(wanted: str) -> Iterator[tuple[str, str]]:
    """Operators of a domain that have a handler."""
    for (domain, name), entries in HANDLERS.items():
        if domain != wanted:
            continue
        ranges = sorted((e.since, e.until) for e in entries)
        since, until = ranges[0][0], ranges[-1][1]
        versions = f"{since} and later" if until is None else f"{since} to {until}"
        yield f"`{name}`", versions


def _defined() -> Iterator[str]:
    """Operators of the standard without a handler that a definition stands in for."""
    for name in sorted({s.name for s in defs.get_all_schemas() if s.domain == ""}):
        schema = cast(Any, defs.get_schema(name))  # the stubs leave out its functions
        has_body = schema.has_function or schema.has_context_dependent_function
        if ("", name) not in HANDLERS and not schema.deprecated and has_body:
            yield name


def _overloads() -> list[tuple[str, str]]:
    """PyTorch's operators with a handler."""
    overloads: dict[str, list[str]] = {}
    for name in sorted(ATEN):
        operator, _, overload = name.removeprefix("aten::").partition(".")
        overloads.setdefault(operator, []).append(overload)
    return [(f"`{operator}`", ", ".join(names)) for operator, names in sorted(overloads.items())]


def _builtins() -> Iterator[tuple[str, str, str]]:
    """Builtins and custom operators with a handler."""
    builtins = set(builtin_names().values())
    for name, entry in BUILTINS.items():
        title = f"`{name}`" if name in builtins else f"`{name}` (custom)"
        operands = [f"{p.name} …" if p.is_variadic else p.name for p in entry.operands]
        options = [option for option in entry.options if option != RAW]
        yield title, ", ".join(operands), ", ".join(options)


def _operations(ways: list[Support]) -> Iterator[tuple[str, str, str]]:
    """One row per operation of the IR, the last one for what applies to many of them."""
    for name in (*sorted(OPS), MANY):
        own = [way for way in ways if way.op == name]
        builtins = [_builtin(way) for way in own if way.kernel != DECOMPOSED]
        rewrites = dict.fromkeys(text for way in own if way.kernel == DECOMPOSED for text in way.conditions)
        if own:
            title = "many" if name == MANY else f"`{name}`"
            yield title, "<br>".join(builtins), prose("<br>".join(rewrites))


def _builtin(way: Support) -> str:
    """The builtin, with a link to its kernel, and what it takes."""
    name = f"[{way.kernel}]({way.source})" if way.source else way.kernel
    types = [
        ", ".join(types) if field == "x" else f"{field}: {', '.join(types)}" for field, types in way.dtypes.items()
    ]
    return f"{name} {'; '.join(text for text in (*types, way.ranks, *way.conditions) if text)}"
