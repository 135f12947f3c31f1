"""The lowerings that targets share, as far as they are good for OpenVINO."""

from __future__ import annotations

from ...common.chosen import chosen

NAMES = (
    *("clip", "leaky-relu-of-integers", "celu", "shrink", "thresholded-relu", "special-functions"),
    *("log1p", "expm1", "power-of-other-type", "round-integers"),
    *("bits-of-truth-values", "along-another-axis", "batch-norm", "layer-norm", "rms-norm", "group-norm"),
    *("local-response-norm", "nothing-to-combine", "compose", "log-sum-exp", "mean-of-integers", "truth"),
    *("count-then-scale", "take-repeated-positions", "double-the-reach", "expand-by-minors"),
    *(
        "count-up",
        "gather-elements",
        "triangle",
        "one-hot",
        "sort-axes",
        "drop-noop-axes",
        "as-image",
        "one-run-after-the-other",
    ),
    *("one-axis-by-constants", "quantize-by-arithmetic", "dequantize-by-arithmetic", "round-by-arithmetic"),
    *("quantize-to-range", "subtract-then-convolve", "subtract-then-multiply", "stay-whole-numbers"),
    *("move-weights",),
    *("nothing", "unroll", "move-channels", "move-as-another-type", "put-rows"),
    *("compute-in-wider-integers", "compute-integers-in-f32", "pool-integers-in-f32"),
    *("combine-at-computed-places", "largest-of-stacked-slices", "at-constant-places"),
    *("drop-empty-pads", "drop-noop-resize", "drop-whole-slices", "drop-single-parts", "drop-single-tiles"),
    *("drop-broadcasts", "merge-transposes", "merge-reshapes", "known-shape"),
)
"""Which ones: others are for kernels of few ranks, or for what OpenVINO has whole."""

SHARED = chosen(NAMES)
