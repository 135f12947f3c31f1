"""What files of TensorFlow.js call element types, and how their folders are laid out."""

from __future__ import annotations

from ...compiler.types import DType

MODEL_FILE = "model.json"
"""The file with the graph, and with what is said of the weights."""

WEIGHTS = "group1-shard{number}of{count}.bin"
"""What the parts of the weights are called."""

WEIGHTS_PATTERN = "group*-shard*of*.bin"
"""The same as a pattern."""

SHARD = 4 << 20
"""Bytes of a part: what browsers keep in their caches."""

GRAPH_MODEL = "graph-model"
"""The format that has a graph of TensorFlow's operators; the other one has layers of Keras."""

METADATA = "userDefinedMetadata"
"""The field that TensorFlow.js keeps for whoever writes a model."""

LAYOUTS = "nhwcc"
"""What is said there of inputs and outputs, by the names of their nodes."""

TYPES = {
    1: "DT_FLOAT",
    2: "DT_DOUBLE",
    3: "DT_INT32",
    4: "DT_UINT8",
    5: "DT_INT16",
    6: "DT_INT8",
    7: "DT_STRING",
    8: "DT_COMPLEX64",
    9: "DT_INT64",
    10: "DT_BOOL",
    14: "DT_BFLOAT16",
    17: "DT_UINT16",
    18: "DT_COMPLEX128",
    19: "DT_HALF",
    20: "DT_RESOURCE",
    21: "DT_VARIANT",
    22: "DT_UINT32",
    23: "DT_UINT64",
}
"""Names of TensorFlow's element types by their numbers."""

WEIGHT_TYPES = {
    "float32": DType.F32,
    "int32": DType.I32,
    "bool": DType.BOOL,
    "string": DType.STRING,
}
"""Element types of weights."""
