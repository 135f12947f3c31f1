"""Detection, transforms, tables, attention, and other rare operations."""

# OpenVINO's functions are untyped
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from .building import Build, Case, f32, i64, scalar
from .cases_basic import method

RNG = np.random.default_rng(11)
CORNERS = np.sort(RNG.random((2, 6, 2, 2)).astype(np.float32), 2).reshape(2, 6, 4)
SCORES = RNG.random((2, 3, 6)).astype(np.float32)


def nms(opset: int, *, descending: bool = True, center: bool = False) -> Build:
    def build(o: Any, boxes: Any, scores: Any) -> Any:
        numbers = (np.int64(3), np.float32(0.3), np.float32(0.1))
        limits = [o.constant(n) for n in numbers]
        encoding = "center" if center else "corner"
        if opset >= 5:
            return o.non_max_suppression(boxes, scores, *limits, o.constant(np.float32(0)), encoding, descending)
        return o.non_max_suppression(boxes, scores, *limits, encoding, descending)

    return build


ROIS = np.asarray([[0.5, 0.4, 5.2, 6.1], [1.0, 2.0, 4.0, 3.5], [0, 0, 7, 7]], np.float32)
WHOLE = np.asarray([[0, 0, 0, 5, 6], [1, 1, 2, 4, 3], [0, 0, 0, 7, 7]], np.float32)
IMAGES = "f32[2,3,8,8]"
DETECTION = [
    *(
        Case("NonMaxSuppression", o, ("f32[2,6,4]", "f32[2,3,6]"), nms(o), data={0: CORNERS, 1: SCORES})
        for o in (1, 3, 4, 5, 9)
    ),
    Case("NonMaxSuppression", 9, ("f32[2,6,4]", "f32[2,3,6]"), nms(9, descending=False), data={0: CORNERS, 1: SCORES}),
    Case("NonMaxSuppression", 9, ("f32[2,6,4]", "f32[2,3,6]"), nms(9, center=True), data={0: CORNERS, 1: SCORES}),
    *(
        Case("ROIAlign", 3, (IMAGES, ROIS, i64(0, 1, 1)), method("roi_align", 2, 3, r, 0.8, m))
        for r in (2, 0)
        for m in ("avg", "max")
    ),
    *(
        Case("ROIAlign", 9, (IMAGES, ROIS, i64(0, 1, 1)), method("roi_align", 2, 3, 2, 0.8, m, a))
        for a in ("asymmetric", "half_pixel", "half_pixel_for_nn")
        for m in ("avg", "max")
    ),
    Case(
        "ROIPooling",
        2,
        (IMAGES, WHOLE),
        lambda o, x, r: o.roi_pooling(x, r, output_roi=[2, 3], spatial_scale=1.0, method="max"),
    ),
    Case("RegionYolo", 1, ("f32[1,21,3,4]",), method("region_yolo", 4, 2, 3, True, [], 1, 3, [1.0, 2.0])),
    Case("RegionYolo", 1, ("f32[1,14,3,4]",), method("region_yolo", 4, 2, 3, False, [0, 1], 1, 3, [1.0, 2.0])),
    Case(
        "PriorBoxClustered",
        1,
        (i64(3, 4), i64(30, 40)),
        method(
            "prior_box_clustered",
            {
                "width": [5.0, 8.0],
                "height": [6.0, 3.0],
                "offset": 0.5,
                "clip": False,
                "step": 0.0,
                "variance": [0.1, 0.1, 0.2, 0.2],
            },
        ),
    ),
    *(
        Case(
            "PriorBox",
            1,
            (i64(3, 4), i64(30, 40)),
            method(
                "prior_box",
                {
                    "min_size": [5.0, 9.0],
                    "max_size": [8.0, 12.0],
                    "aspect_ratio": [2.0, 3.0],
                    "flip": f,
                    "clip": f,
                    "offset": 0.5,
                    "step": s,
                    "variance": [0.1, 0.1, 0.2, 0.2],
                    "scale_all_sizes": True,
                },
            ),
        )
        for f in (True, False)
        for s in (0.0, 8.0)
    ),
    *(
        Case(
            "PriorBox",
            8,
            (i64(3, 4), i64(30, 40)),
            method(
                "prior_box",
                {
                    "min_size": [5.0],
                    "max_size": [8.0],
                    "aspect_ratio": [2.0],
                    "flip": True,
                    "clip": False,
                    "offset": 0.5,
                    "step": 0.0,
                    "variance": [0.1],
                    "scale_all_sizes": True,
                    "min_max_aspect_ratios_order": m,
                },
            ),
        )
        for m in (True, False)
    ),
]

TRANSFORMS = [
    Case("DFT", 7, ("f32[2,4,5,2]", i64(1, 2)), method("dft")),
    Case("DFT", 7, ("f32[2,4,5,2]", i64(-1), i64(8)), method("dft")),
    Case("IDFT", 7, ("f32[2,4,5,2]", i64(2, 1), i64(-1, 3)), method("idft")),
    Case("RDFT", 9, ("f32[2,4,6]", i64(1, 2)), method("rdft")),
    Case("RDFT", 9, ("f32[2,6]", i64(1), i64(4)), method("rdft")),
    Case("IRDFT", 9, ("f32[2,4,4,2]", i64(1, 2)), method("irdft")),
    Case("IRDFT", 9, ("f32[2,4,4,2]", i64(2), i64(7)), method("irdft")),
]

TABLES = [
    Case(
        "EmbeddingBagPackedSum",
        3,
        ("f32[5,3]", np.asarray([[0, 2], [4, 4]]), f32(2, 2)),
        method("embedding_bag_packed_sum"),
    ),
    *(
        Case(
            "EmbeddingBagPacked",
            15,
            ("f32[5,3]", np.asarray([[0, 2], [4, 4]])),
            lambda o, *n, r=r: o.embedding_bag_packed(*n, reduction=r),
        )
        for r in ("sum", "mean")
    ),
    Case(
        "EmbeddingBagOffsetsSum",
        3,
        ("f32[5,3]", i64(0, 2, 3, 4), i64(0, 2, 2), scalar(0), f32(4)),
        method("embedding_bag_offsets_sum"),
    ),
    Case("EmbeddingBagOffsetsSum", 3, ("f32[5,3]", i64(0, 2, 3, 4), i64(0, 2, 2)), method("embedding_bag_offsets_sum")),
    Case(
        "EmbeddingBagOffsets",
        15,
        ("f32[5,3]", i64(0, 2, 3, 4), i64(0, 2, 2)),
        lambda o, *n: o.embedding_bag_offsets(*n, reduction="mean"),
    ),
    Case(
        "EmbeddingSegmentsSum",
        3,
        ("f32[5,3]", i64(0, 2, 3, 4), i64(0, 0, 2, 2), scalar(4), scalar(1), f32(4)),
        method("embedding_segments_sum"),
    ),
    Case(
        "SegmentMax", 16, ("f32[5,3]", i64(0, 0, 2, 2, 3), scalar(5)), lambda o, *n: o.segment_max(*n, fill_mode="ZERO")
    ),
    Case("Eye", 9, (scalar(3), scalar(4), scalar(1), i64(2)), lambda o, r, c, d, b: o.eye(r, c, d, "f32", b)),
]

UNEVEN = [
    *(
        Case("AdaptiveAvgPool", 8, ("f32[2,3,7,6]", i64(*s)), method("adaptive_avg_pool"))
        for s in ((3, 3), (7, 2), (1, 1))
    ),
    *(
        Case("AdaptiveMaxPool", 8, ("f32[2,3,7,6]", i64(*s)), method("adaptive_max_pool", "i32"), outputs=o)
        for s in ((3, 4), (7, 2))
        for o in ((0,), (0, 1))
    ),
    Case(
        "DeformableConvolution",
        1,
        ("f32[1,4,6,6]", "f32[1,18,4,4]", f32(2, 4, 3, 3)),
        method("deformable_convolution", [1, 1], [0, 0], [0, 0], [1, 1]),
    ),
    Case(
        "DeformableConvolution",
        8,
        ("f32[1,4,6,6]", "f32[1,36,4,4]", f32(2, 4, 3, 3), "f32[1,18,4,4]"),
        lambda o, x, d, w, m: o.deformable_convolution(
            x, d, w, [1, 1], [0, 0], [0, 0], [1, 1], m, deformable_group=2, bilinear_interpolation_pad=True
        ),
    ),
    Case("Col2Im", 15, ("f32[2,12,9]", i64(4, 4), i64(2, 2)), method("col2im")),
    Case("Col2Im", 15, ("f32[2,12,4]", i64(4, 4), i64(2, 2)), method("col2im", [2, 2])),
    *(
        Case("ExtractImagePatches", 3, ("f32[2,3,7,6]",), method("extract_image_patches", [3, 2], [2, 2], [1, 2], a))
        for a in ("VALID", "SAME_UPPER")
    ),
    Case(
        "ScaledDotProductAttention",
        13,
        ("f32[2,3,4,8]", "f32[2,3,5,8]", "f32[2,3,5,6]"),
        method("scaled_dot_product_attention"),
    ),
    Case(
        "ScaledDotProductAttention",
        13,
        ("f32[2,3,4,8]", "f32[2,3,5,8]", "f32[2,3,5,6]", "f32[4,5]"),
        method("scaled_dot_product_attention"),
    ),
    Case(
        "ScaledDotProductAttention",
        13,
        ("f32[2,3,5,8]", "f32[2,3,5,8]", "f32[2,3,5,6]"),
        method("scaled_dot_product_attention", causal=True),
    ),
]


def create(name: str, attributes: dict[str, Any]) -> Build:
    """An operation for which OpenVINO's Python has no function."""

    def build(o: Any, *nodes: Any) -> Any:
        return import_module("openvino.utils.node_factory").NodeFactory("opset1").create(name, list(nodes), attributes)

    return build


def ssd(opset: int, code: str, images: int, keep: int, top: int, *, clip: bool = False) -> Build:
    def build(o: Any, boxes: Any, scores: Any, priors: Any) -> Any:
        given = {
            "background_label_id": 0,
            "top_k": top,
            "variance_encoded_in_target": False,
            "keep_top_k": [keep],
            "code_type": f"caffe.PriorBoxParameter.{code}",
            "share_location": True,
            "nms_threshold": 0.4,
            "confidence_threshold": 0.3,
            "clip_after_nms": clip,
            "clip_before_nms": False,
            "decrease_label_id": False,
            "normalized": True,
            "input_height": 1,
            "input_width": 1,
            "objectness_score": 0.0,
        }
        return o.detection_output(boxes, scores, priors, given | ({"num_classes": 3} if opset < 8 else {}))

    return build


PRIORS = np.concatenate([CORNERS[:1].reshape(1, 1, 24), np.full((1, 1, 24), 0.2, np.float32)], 1)
SHIFTS = RNG.standard_normal((2, 24)).astype(np.float32)
CHANCES = RNG.random((2, 18)).astype(np.float32)
STEPS = RNG.random((2, 9, 4)).astype(np.float32)
BYTES = RNG.integers(0, 256, (1, 6, 4, 1)).astype(np.uint8)
ENDS = [
    *(
        Case(
            "DetectionOutput",
            o,
            ("f32[2,24]", "f32[2,18]", PRIORS),
            ssd(o, c, 2, k, t, clip=k == 3),
            data={0: SHIFTS, 1: CHANCES},
        )
        for o in (1, 8)
        for c in ("CENTER_SIZE", "CORNER")
        for k, t in ((3, -1), (12, 4), (2, -1))
    ),
    *(
        Case(
            "CTCGreedyDecoder",
            1,
            ("f32[9,2,4]", np.asarray([[1, 1]] * 6 + [[0, 1]] * 3, np.float32)),
            method("ctc_greedy_decoder", m),
            data={0: STEPS.transpose(1, 0, 2)},
        )
        for m in (True, False)
    ),
    *(
        Case(
            "CTCGreedyDecoderSeqLen",
            6,
            ("f32[2,9,4]", np.asarray([6, 9], np.int32)),
            method("ctc_greedy_decoder_seq_len", None, m),
            data={0: STEPS},
        )
        for m in (True, False)
    ),
    *(
        Case(
            f"{n}to{c}", 8, ("f32[1,6,4,1]",), method(f"{n.lower()}_to_{c.lower()}"), data={0: BYTES.astype(np.float32)}
        )
        for n in ("NV12", "I420")
        for c in ("RGB", "BGR")
    ),
    Case(
        "NV12toRGB",
        8,
        ("f32[1,4,4,1]", "f32[1,2,2,2]"),
        method("nv12_to_rgb"),
        data={0: BYTES[:, :4].astype(np.float32), 1: BYTES[:, 4:].reshape(1, 2, 2, 2).astype(np.float32)},
    ),
    Case(
        "I420toBGR",
        8,
        ("u8[1,4,4,1]", "u8[1,2,2,1]", "u8[1,2,2,1]"),
        method("i420_to_bgr"),
        data={0: BYTES[:, :4], 1: BYTES[:, 4].reshape(1, 2, 2, 1), 2: BYTES[:, 5].reshape(1, 2, 2, 1)},
    ),
    *(Case("STFT", 15, ("f32[2,20]", f32(6), scalar(8), scalar(3)), method("stft", t)) for t in (True, False)),
    *(
        Case(
            "ISTFT",
            16,
            (f"f32[{batch}5,6,2]", np.abs(f32(7)) + 0.1, scalar(8), scalar(3), *([scalar(n)] if n else [])),
            lambda o, x, w, s, t, *n, c=center: o.istft(x, w, s, t, c, not c, *n),
        )
        for batch, center, n in (
            ("2,", True, None),
            ("", False, None),
            ("2,", True, 9),
            ("2,", True, 40),
            ("2,", False, 30),
        )
    ),
    Case("Xor", 1, ("bool[2,3]", "bool[3]"), create("Xor", {})),
    *(
        Case("Reverse", 1, ("f32[2,3,4]", v), create("Reverse", {"mode": m}))
        for v, m in ((i64(0, 2), "index"), (np.asarray([True, False, True]), "mask"))
    ),
]
