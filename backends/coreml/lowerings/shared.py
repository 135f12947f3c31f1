"""The lowerings that targets share, as far as they are good for Core ML."""

from __future__ import annotations

from ...common.chosen import chosen

NAMES = (
    *("relu-of-integers", "clip", "leaky-relu-of-integers", "prelu", "selu", "celu", "shrink", "thresholded-relu"),
    *("hard-swish", "mish", "special-functions", "squared-difference", "truncated-remainder"),
    *("asinh", "acosh", "log1p", "expm1", "power-of-other-type", "negative-power-of-integers", "round-integers"),
    *("is-inf", "bits-of-truth-values", "bitwise-or", "bitwise-xor", "bitwise-not", "shift-left"),
    *("along-another-axis", "batch-norm", "layer-norm", "rms-norm", "group-norm", "local-response-norm"),
    *("compose", "log-sum-exp", "mean-of-integers", "truth", "reduce-nothing"),
    *("count-then-scale", "take-repeated-positions", "repeat-edges", "double-the-reach", "expand-by-minors"),
    *("eliminate", "gather-elements", "gather-nd-in-batches", "count-coordinates-up", "triangle", "one-hot"),
    *("sort-axes", "drop-noop-axes", "one-run-after-the-other", "one-axis-by-constants", "one-axis-by-positions"),
    *("quantize-by-arithmetic", "dequantize-by-arithmetic", "round-by-arithmetic", "pixel-shuffle"),
    *("quantize-to-range", "subtract-then-convolve", "subtract-then-multiply", "stay-whole-numbers"),
    *("refuse-conv", "dilate-filter", "spread-data", "cut-result", "refuse-conv-transpose", "move-weights"),
    *("nothing", "unroll", "loop", "move-channels", "move-as-another-type", "put-rows"),
    *("compute-in-wider-integers", "compute-integers-in-f32", "pool-integers-in-f32", "compute-halves-in-f32"),
    *("combine-at-computed-places", "largest-of-stacked-slices", "at-constant-places"),
    *("index-as-i32", "lengths-as-i32", "positions-as-i32", "some-sizes", "split-by-slices", "step-backwards"),
    *("slices-along-an-axis", "scatter-elements", "sort-and-compare-neighbours", "compare-all-slices"),
    *("drop-empty-pads", "drop-noop-resize", "drop-whole-slices", "drop-single-parts", "drop-single-tiles"),
    *("drop-broadcasts", "merge-transposes", "merge-reshapes", "known-shape"),
)
"""Which ones: others are for kernels of images with channels last, or for what MIL has whole."""

SHARED = chosen(NAMES)
