"""Tensors of no elements, whose shapes PyTorch hardly looks at."""

# what a lambda takes is a tensor, whose methods are only partly typed
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn import functional as F  # noqa: N812 -- PyTorch's own convention
from torch_cases import Function, check

FUNCTIONS: dict[str, Any] = {
    "softmax": lambda x: (torch.softmax(x, 0), torch.softmax(x, 1)),
    "log_softmax": lambda x: (torch.log_softmax(x, 0), torch.log_softmax(x, 1)),
    "gather": lambda x: torch.gather(x.new_ones(5), 0, x.long()),
    "batch_norm": lambda x: F.batch_norm(x[0], x[0], x[0]),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_nothing_is_made_of_nothing(name: str) -> None:
    check(Function(FUNCTIONS[name]), torch.ones(2, 0))
