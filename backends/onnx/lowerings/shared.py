"""The lowerings that targets share, as far as they are good for ONNX."""

from __future__ import annotations

from ...common.chosen import chosen

NAMES = (
    *("silu", "softsign", "softplus", "sinh", "cosh", "is-nan"),
    *("relu-of-integers", "clip", "leaky-relu-of-integers", "celu"),
    *("hard-swish", "gelu", "mish", "hard-sigmoid", "shrink", "thresholded-relu", "special-functions"),
    *("log1p", "expm1", "power-of-other-type", "round-integers", "abs-of-integers", "sign-of-integers"),
    *("bits-of-truth-values", "shift-left", "is-inf"),
    *("along-another-axis", "batch-norm", "layer-norm", "rms-norm", "group-norm", "local-response-norm"),
    *("compose", "log-sum-exp", "mean-of-integers", "truth"),
    *("count-then-scale", "take-repeated-positions", "eliminate", "double-the-reach", "gather-nd-in-batches"),
    *(
        "triangle",
        "one-hot",
        "sort-axes",
        "drop-noop-axes",
        "as-image",
        "one-run-after-the-other",
        "one-axis-by-constants",
    ),
    *("quantize-by-arithmetic", "dequantize-by-arithmetic", "round-by-arithmetic", "move-weights"),
    *("quantize-to-range", "subtract-then-convolve", "subtract-then-multiply"),
    *("norm-of-windows",),
    *("nothing", "unroll", "move-channels", "put-rows"),
    *("compute-in-wider-integers", "compute-integers-in-f32", "pool-integers-in-f32", "compute-halves-in-f32"),
    *("combine-at-computed-places", "largest-of-stacked-slices", "at-constant-places"),
    *("drop-empty-pads", "drop-noop-resize", "drop-whole-slices", "drop-single-parts", "drop-single-tiles"),
    *("drop-broadcasts", "merge-transposes", "merge-reshapes", "known-shape"),
)
"""Which ones: others take for granted that kernels index by i32, count positions in rows or have few axes."""


SHARED = chosen(NAMES)
