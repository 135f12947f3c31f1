"""Windows that hold nothing but paddings are found without looking at every place."""

from __future__ import annotations

from itertools import product

import numpy as np
from nhwcc.compiler.ops.window import all_hold_elements, window_size


def test_windows_that_hold_elements() -> None:
    seen = {True: 0, False: 0}
    ranges = (range(1, 4), range(1, 4), range(1, 3), range(1, 5), range(4), range(3), (False, True))
    for size, kernel, stride, dilation, low, high, ceil in product(*ranges):
        try:
            count = window_size(size, kernel, stride, dilation, (low, high), ceil=ceil)
        except ValueError:
            continue  # no window has room
        assert isinstance(count, int)
        places = np.arange(count)[:, None] * stride - low + np.arange(kernel) * dilation
        wanted = bool(((places >= 0) & (places < size)).any(axis=1).all())
        fields = ((kernel,), (stride,), (dilation,), ((low, high),))
        assert all_hold_elements([size], fields, ceil=ceil) is wanted, (size, *fields, ceil)
        seen[wanted] += 1
    assert min(seen.values()) > 200
