"""TFLite Micro: which kernels microcontrollers have.

Seen with its interpreter (2026-10): one-operator files of every element type, compared with the TFLite runtime; what is
registered but could not be tried is left out.
"""

from __future__ import annotations

from ....compiler.types import DType
from ...common.table import condition
from .conditions import constants, index_type, no_hybrid, result_type, static_sizes
from .table import Kernels
from .uses import Use

F32, I8, I16, I32 = DType.F32, DType.I8, DType.I16, DType.I32

KERNELS = Kernels("TFLite Micro", "f32 i8 i16 i32", always=(static_sizes,))
"""What TFLite Micro runs: one row for each builtin and group of element types."""

MAX_PARTS = 10
"""Operands of CONCATENATION."""


@condition(f"{MAX_PARTS} operands at most")
def _few_parts(use: Use) -> str | None:
    count = len(use.inputs)
    return None if count <= MAX_PARTS else f"{count} operands; at most {MAX_PARTS}"


_run = KERNELS.run

_run("ADD SUB MUL MAXIMUM MINIMUM SQUARED_DIFFERENCE", ranks=range(7))
_run("CONCATENATION", "f32 i8 i16 i32 i64 bool", when=(_few_parts,))
_run("PACK", "f32 i8 i16 i32 i64")
_run("UNPACK SQUEEZE")
_run("SPLIT", when=(constants(0),))
_run("SPLIT_V", when=(constants(1, 2),))
_run("SLICE", "f32 i8 i16 i32 bool", ranks=range(1, 6))
_run("STRIDED_SLICE", "f32 i8 i16 i32 bool", ranks=range(1, 5), when=(constants(1, 2, 3),))
_run("PAD PADV2", when=(constants(1),), ranks=range(1, 5))
_run("RESHAPE", "f32 i8 i16 i32 i64 bool", when=(constants(1),))
_run("BROADCAST_TO", "f32 i8 i16 i32 i64", when=(constants(1),))
_run("REVERSE_V2", when=(constants(1),))
_run("CAST", "f32 i8 i16 i32 bool", when=(result_type(F32, I8, I16, I32, DType.BOOL),))
_run("QUANTIZE", "f32 i8 i16 i32", when=(result_type(I8, I16, I32),))
_run("DEQUANTIZE", "i8 i16")
_run("DYNAMIC_UPDATE_SLICE", when=(index_type(2, I32),))
_run("SHAPE")
_run("CONV_2D DEPTHWISE_CONV_2D FULLY_CONNECTED", "f32 i8 i16", when=(no_hybrid,))
_run("TRANSPOSE_CONV", "f32 i8 i16", when=(constants(0), no_hybrid))
_run("BATCH_MATMUL", "f32 i8 i16", ranks=range(2, 6))
_run("SOFTMAX AVERAGE_POOL_2D MAX_POOL_2D RELU RELU6 LEAKY_RELU LOGISTIC TANH ABS", "f32 i8 i16")
_run("MEAN SUM", "f32 i8 i16", when=(constants(1),))
_run("TRANSPOSE", "f32 i8 i16", ranks=range(1, 6), when=(constants(1),))
_run("EXPAND_DIMS", "f32 i8 i16", when=(constants(1),))
_run("SELECT_V2", "f32 i8 i16")
_run("RESIZE_NEAREST_NEIGHBOR", "f32 i8 i16", when=(constants(1),))
_run("RESIZE_BILINEAR", "f32 i8", when=(constants(1),))
_run("DIV NOT_EQUAL EQUAL GREATER GREATER_EQUAL LESS LESS_EQUAL", "f32 i8 i32")
_run("EQUAL NOT_EQUAL", "i64")
_run("ZEROS_LIKE", "f32 i8 i32")
_run("RSQRT ELU HARD_SWISH PRELU LOG_SOFTMAX L2_NORMALIZATION ADD_N", "f32 i8")
_run("ARG_MAX ARG_MIN", "f32 i8", when=(constants(1), result_type(I32)))
_run("REDUCE_MAX REDUCE_MIN", "f32 i8", when=(constants(1),))
_run("MIRROR_PAD", "f32 i8", when=(constants(1),))
_run("GATHER GATHER_ND", "f32 i8", when=(index_type(1, I32),))
_run("EMBEDDING_LOOKUP", "f32 i8", when=(index_type(0, I32),))
_run("SPACE_TO_DEPTH DEPTH_TO_SPACE SPACE_TO_BATCH_ND BATCH_TO_SPACE_ND CUMSUM", "f32 i8")
_run("NEG EXP LOG SQRT SIN COS FLOOR CEIL ROUND SQUARE FLOOR_DIV FLOOR_MOD L2_POOL_2D", "f32")
_run("LOGICAL_AND LOGICAL_OR LOGICAL_NOT", "bool")
_run("REDUCE_ALL", "bool", when=(constants(1),))
_run("UNIDIRECTIONAL_SEQUENCE_LSTM", "f32 i8 i16")
