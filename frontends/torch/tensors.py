"""Translates element types and constant tensors of PyTorch into those of the compiler."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ...compiler.diagnostics import error
from ...compiler.types import Array, DType
from ...compiler.weights import Weight

DTYPES: dict[torch.dtype, DType] = {
    torch.bool: DType.BOOL,
    torch.int8: DType.I8,
    torch.int16: DType.I16,
    torch.int32: DType.I32,
    torch.int64: DType.I64,
    torch.uint8: DType.U8,
    torch.uint16: DType.U16,
    torch.uint32: DType.U32,
    torch.uint64: DType.U64,
    torch.float16: DType.F16,
    torch.bfloat16: DType.BF16,
    torch.float32: DType.F32,
    torch.float64: DType.F64,
    torch.complex64: DType.C64,
    torch.complex128: DType.C128,
}
"""Our element types by PyTorch's."""

TORCH_DTYPES = {ours: theirs for theirs, ours in DTYPES.items()}
"""PyTorch's element types by ours."""


def element_type(dtype: torch.dtype) -> DType:
    """Return our element type.

    Raises:
        CompileError: F003, there is none.
    """
    if dtype not in DTYPES:
        raise error(
            "F003", f"the element type {dtype} is not supported", help=f"There are {', '.join(map(str, DTYPES))}."
        )
    return DTYPES[dtype]


def to_array(tensor: torch.Tensor) -> Array:
    """View a tensor's elements as an array, without a copy where they lie in the CPU's memory.

    Raises:
        CompileError: F034, the tensor has no elements that could be read, or an unknown element type.
    """
    dtype = element_type(tensor.dtype)
    if tensor.is_meta or tensor.layout != torch.strided:
        kind = "the meta device" if tensor.is_meta else f"layout {tensor.layout}"
        raise error("F034", f"a tensor of {kind} has no elements to read", help="Load the weights as plain tensors.")
    plain = tensor.detach().cpu().resolve_conj().resolve_neg()
    if dtype is DType.BF16:
        return plain.view(torch.uint16).numpy().view(dtype.numpy)
    return plain.numpy()


def complex_parts(tensor: torch.Tensor) -> tuple[Weight, Weight]:
    """Return the real and the imaginary parts of a complex tensor.

    Raises:
        CompileError: F034, the tensor has no elements that could be read.
    """
    array: Any = to_array(tensor)
    real, imaginary = (np.ascontiguousarray(part) for part in (array.real, array.imag))
    return Weight.of(real, is_stored=True), Weight.of(imaginary, is_stored=True)


class Weights:
    """The model's constant tensors as weights; tensors that are the same memory become the same weight."""

    def __init__(self) -> None:
        self._known: dict[Any, Weight] = {}

    def __call__(self, tensor: torch.Tensor) -> Weight:
        """Return the weight that a tensor is."""
        key = (tensor.data_ptr(), tensor.dtype, tuple(tensor.shape), tensor.stride()) if tensor.numel() else id(tensor)
        if key not in self._known:
            self._known[key] = Weight.of(to_array(tensor), is_stored=True)
        return self._known[key]
