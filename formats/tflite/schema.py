"""The schema's generated code, seen through one typed door: models to bytes, bytes to models."""

# the generated code is untyped
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportAttributeAccessIssue=false, reportUnknownParameterType=false

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from ...compiler.dims import Sym
from ...compiler.types import Array, DType
from . import flexbuffer
from .first_sizes import first_sizes, with_first
from .model import CustomOptions, Model, Operator, Options, Signature, Subgraph, Tensor
from .tensors import TENSOR_TYPES

SCHEMA_VERSION = 3
IDENTIFIER = b"TFL3"

_ENUMS = {
    "padding": schema.Padding,
    "fusedActivationFunction": schema.ActivationFunctionType,
    "mode": schema.MirrorPadMode,
}
"""Fields of options whose values are written by name."""


def builtin_code(name: str) -> int:
    """Return the number of a builtin.

    Raises:
        AttributeError: the schema has none of that name.
    """
    return getattr(schema.BuiltinOperator, name)


@cache
def builtin_names() -> dict[int, str]:
    """Return the names of all builtin operators of the schema, by number."""
    return _names(schema.BuiltinOperator)


@cache
def tensor_type_names() -> dict[int, str]:
    """Return the names of the schema's element types, by number."""
    return _names(schema.TensorType)


def _names(enum: type) -> dict[int, str]:
    return {v: k for k, v in vars(enum).items() if isinstance(v, int)}


class _Sharing(flatbuffers.Builder):
    """Writes equal strings, vectors and option tables once."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.shared: dict[object, int] = {}

    def CreateString(self, s: Any, *args: Any, **kwargs: Any) -> int:  # noqa: N802 -- flatbuffers' name
        """Write a string, or find it."""
        if s not in self.shared:
            self.shared[s] = super().CreateString(s, *args, **kwargs)
        return self.shared[s]

    def CreateNumpyVector(self, x: Array) -> int:  # noqa: N802 -- flatbuffers' name
        """Write a vector, or find it."""
        key = (x.dtype.str, x.tobytes())
        if key not in self.shared:
            self.shared[key] = super().CreateNumpyVector(x)
        return self.shared[key]


class _SharedTable:
    """An options table that is written once per content."""

    def __init__(self, key: object, table: Any) -> None:
        self.key = key
        self.table = table

    def Pack(self, builder: _Sharing) -> int:  # noqa: N802 -- flatbuffers' name
        """Write the table, or find it."""
        if self.key not in builder.shared:
            builder.shared[self.key] = self.table.Pack(builder)
        return builder.shared[self.key]


def pack(model: Model, *, external: bool) -> bytearray:
    """Return the file without its weights: places for them are patched in by :func:`place_buffer`.

    ``external`` leaves room for 64-bit offsets from the start of the file instead of vectors inside the flatbuffer.
    """
    codes = {used: i for i, used in enumerate(dict.fromkeys(map(_used, model.operators)))}
    sizes = first_sizes(tensor.type.shape for graph in model.subgraphs for tensor in graph.tensors)
    metadata_start = len(model.weights) + 1
    out = schema.ModelT(
        version=SCHEMA_VERSION,
        description="nhwcc",
        operatorCodes=[_code(*used) for used in codes],
        subgraphs=[_subgraph(g, codes, sizes) for g in model.subgraphs],
        buffers=[schema.BufferT(), *(_buffer(external) for _ in range(len(model.weights) + len(model.metadata)))],
        metadata=[schema.MetadataT(n, metadata_start + i) for i, n in enumerate(model.metadata)],
        signatureDefs=[_signature(s, model.subgraphs[s.subgraph]) for s in model.signatures],
    )
    builder = _Sharing(1 << 16)
    builder.Finish(out.Pack(builder), IDENTIFIER)
    return bytearray(builder.Output())


_Used: TypeAlias = tuple[str, int, str | None]
"""A builtin, its version, and the name of a custom operator."""


def _used(op: Operator) -> _Used:
    return op.builtin, op.version, op.custom_code


def _code(builtin: str, version: int, custom: str | None) -> Any:
    number = builtin_code(builtin)
    return schema.OperatorCodeT(min(number, 127), custom, version, number)


def _buffer(external: bool) -> Any:
    return schema.BufferT(offset=1, size=1) if external else schema.BufferT(data=np.zeros(1, np.uint8))


def _subgraph(graph: Subgraph, codes: dict[_Used, int], sizes: Mapping[str, int]) -> Any:
    return schema.SubGraphT(
        tensors=[_tensor(t, sizes) for t in graph.tensors],
        inputs=_vector(graph.inputs),
        outputs=_vector(graph.outputs),
        operators=[_operator(o, codes[_used(o)]) for o in graph.operators],
        name=graph.name,
    )


def _vector(values: Sequence[int]) -> Array:
    return np.asarray(values, np.int32)


def _tensor(tensor: Tensor, sizes: Mapping[str, int]) -> Any:
    shape = tensor.type.shape
    is_dynamic = any(isinstance(d, Sym) for d in shape)
    return schema.TensorT(
        shape=_vector(with_first(shape, sizes)),
        type=getattr(schema.TensorType, TENSOR_TYPES[tensor.type.dtype]),
        buffer=tensor.buffer,
        name=tensor.name,
        isVariable=tensor.is_variable,
        shapeSignature=_vector([d if isinstance(d, int) else -1 for d in shape]) if is_dynamic else None,
        hasRank=True,
        quantization=_quantization(tensor),
    )


def _quantization(tensor: Tensor) -> Any:
    given, blocks = tensor.quantization, tensor.blocks
    if blocks is not None:
        zeros = -1 if blocks.zeros is None else blocks.zeros
        details = schema.BlockwiseQuantizationT(scales=blocks.scales, zeroPoints=zeros, blockSize=blocks.size)
        kind = schema.QuantizationDetails.BlockwiseQuantization
        return schema.QuantizationParametersT(detailsType=kind, details=details)
    if given is None:
        return None
    return schema.QuantizationParametersT(
        scale=np.asarray(given.scales, np.float32),
        zeroPoint=np.asarray(given.zeros, np.int64),
        quantizedDimension=given.axis,
    )


def _operator(op: Operator, code: int) -> Any:
    out = schema.OperatorT(opcodeIndex=code, inputs=_vector(op.inputs), outputs=_vector(op.outputs))
    if isinstance(op.options, CustomOptions):
        out.customOptions = np.frombuffer(flexbuffer.encode(op.options.fields), np.uint8)
    elif op.options is not None:
        table = _SharedTable((op.options.table, *op.options.fields.items()), options_table(op.options))
        if hasattr(schema.BuiltinOptions, op.options.table):
            out.builtinOptionsType, out.builtinOptions = getattr(schema.BuiltinOptions, op.options.table), table
        else:
            out.builtinOptions2Type, out.builtinOptions2 = getattr(schema.BuiltinOptions2, op.options.table), table
    return out


def options_table(options: Options) -> Any:
    """Return the schema's table for options.

    Raises:
        TypeError: the table has no such field.
        AttributeError: the schema has no such table, or an enumeration no such name.
    """
    fields = {k: _field(k, v) for k, v in options.fields.items()}
    if options.table.startswith("Stablehlo"):  # which counts in 64 bits
        fields = {k: np.asarray(v, np.int64) if isinstance(v, np.ndarray) else v for k, v in fields.items()}
    return getattr(schema, f"{options.table}T")(**fields)


def _field(name: str, value: Any) -> Any:
    match value:
        case DType():
            return getattr(schema.TensorType, TENSOR_TYPES[value])
        case str():
            return getattr(_ENUMS[name], value) if name in _ENUMS else value
        case tuple():
            return _vector(value)
        case _:
            return value


def _signature(given: Signature, graph: Subgraph) -> Any:
    ins = [schema.TensorMapT(n, t) for n, t in zip(given.inputs, graph.inputs, strict=True)]
    outs = [schema.TensorMapT(n, t) for n, t in zip(given.outputs, graph.outputs, strict=True)]
    return schema.SignatureDefT(inputs=ins, outputs=outs, signatureKey=given.key, subgraphIndex=given.subgraph)


_DATA, _OFFSET, _SIZE = 4, 6, 8
"""Places of a buffer's fields in its virtual table."""


def place_buffers(packed: bytearray, places: Sequence[tuple[int, int]], *, external: bool) -> None:
    """Say where the buffers from number 1 on lie: for each its first byte in the file and its length."""
    root = schema.Model.GetRootAs(packed, 0)
    for number, (start, size) in enumerate(places, 1):
        table = root.Buffers(number)._tab  # pyright: ignore[reportPrivateUsage, reportOptionalMemberAccess]
        if external:
            struct.pack_into("<Q", packed, table.Pos + table.Offset(_OFFSET), start)
            struct.pack_into("<Q", packed, table.Pos + table.Offset(_SIZE), size)
        else:  # offsets inside a flatbuffer count from themselves to the length word
            field = table.Pos + table.Offset(_DATA)
            struct.pack_into("<I", packed, field, start - 4 - field)


def unpack(data: Any) -> Any:
    """Return the schema's view of a file's bytes; nothing is checked."""
    return schema.Model.GetRootAs(data, 0)


def options_of(operator: Any) -> tuple[str | None, dict[str, Any]]:
    """Return the name of an operator's options table and its fields; enumerations by their names.

    Raises:
        ValueError: the table is of a kind that the schema does not have.
    """
    unions = (
        (schema.BuiltinOptions, operator.BuiltinOptionsType(), operator.BuiltinOptions),
        (schema.BuiltinOptions2, operator.BuiltinOptions2Type(), operator.BuiltinOptions2),
    )
    for union, kind, get in unions:
        if kind and (found := get()) is not None:
            name = _names(union).get(kind)
            if name is None:
                raise ValueError(f"options of kind {kind}")
            return name, _fields(_table(name, found))
    return None, {}


_IS_SUBGRAPH = re.compile("ubgraph(Index)?$")
"""How fields are called that hold the number of a subgraph."""


def fields_of_subgraphs(operator: Any) -> Iterator[tuple[Any, int]]:
    """Yield the table of an operator's options and a place in its list of fields, for each that names a subgraph."""
    unions = (
        (schema.BuiltinOptions, operator.BuiltinOptionsType(), operator.BuiltinOptions),
        (schema.BuiltinOptions2, operator.BuiltinOptions2Type(), operator.BuiltinOptions2),
    )
    for union, kind, get in unions:
        found, name = get() if kind else None, _names(union).get(kind, "")
        if found is not None and hasattr(schema, f"{name}T"):
            fields = enumerate(vars(getattr(schema, f"{name}T")()))  # in the order of the schema, two bytes each
            yield from ((found, 4 + 2 * number) for number, field in fields if _IS_SUBGRAPH.search(field))


def _table(name: str, found: Any) -> Any:
    view = getattr(schema, name)()
    view.Init(found.Bytes, found.Pos)
    return getattr(schema, f"{name}T").InitFromObj(view)


def _fields(table: Any) -> dict[str, Any]:
    return {snake_case(k): _plain(snake_case(k), v) for k, v in vars(table).items()}


def _plain(name: str, value: Any) -> Any:
    """Return a field's value as numbers, strings and tuples."""
    match value:
        case bool() | float() | None:
            return value
        case int():
            return _ENUM_NAMES[name]().get(value, value) if name in _ENUM_NAMES else value
        case bytes():
            return value.decode("utf-8", "replace")
        case np.ndarray() | list():
            return tuple(np.asarray(value).tolist())
        case _:
            return _fields(value) if hasattr(value, "__dict__") else value


_ENUM_NAMES = {
    "padding": lambda: _names(schema.Padding),
    "fused_activation_function": lambda: _names(schema.ActivationFunctionType),
    "mode": lambda: _names(schema.MirrorPadMode),
    "kernel_type": lambda: _names(schema.LSTMKernelType),
    "weights_format": lambda: _names(schema.FullyConnectedOptionsWeightsFormat),
    "combiner": lambda: _names(schema.CombinerType),
    "reduce_function": lambda: _names(schema.ReduceWindowFunction),
    "algorithm": lambda: _names(schema.RngAlgorithm),
    **dict.fromkeys(
        ("in_data_type", "out_data_type", "output_type", "out_type", "idx_out_type", "key_dtype", "value_dtype"),
        tensor_type_names,
    ),
}
"""Names of the values of fields that are enumerations."""


def snake_case(name: str) -> str:
    """Return a field's name as Python writes names.

    >>> snake_case("dilationWFactor")
    'dilation_w_factor'
    """
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


def options_defaults(table: str) -> dict[str, Any]:
    """Return the fields that an options table has where a file leaves them out.

    Raises:
        AttributeError: the schema has no such table.
    """
    return _fields(getattr(schema, f"{table}T")())


def blockwise(quantization: Any) -> tuple[int, int, int] | None:
    """Return the tensors of scales and zero points (-1: none) of blocks and their size, None if there are no blocks."""
    if quantization.DetailsType() != getattr(schema.QuantizationDetails, "BlockwiseQuantization", None):
        return None
    found = quantization.Details()
    view = schema.BlockwiseQuantization()
    view.Init(found.Bytes, found.Pos)
    return int(view.Scales()), int(view.ZeroPoints()), int(view.BlockSize())


def sparse_numbers(level: Any, what: str) -> Array:
    """Return a vector of a compressed level, ``ArraySegments`` or ``ArrayIndices``.

    Raises:
        ValueError: there is none.
    """
    kind, found = getattr(level, f"{what}Type")(), getattr(level, what)()
    name = _names(schema.SparseIndexVector).get(kind, "")
    if found is None or not hasattr(schema, name):
        raise ValueError(f"a compressed level without {what}")
    view = getattr(schema, name)()
    view.Init(found.Bytes, found.Pos)
    return np.asarray(view.ValuesAsNumpy() if view.ValuesLength() else [], np.int64).reshape(-1)
