"""The parts of networks that look twice: proposals, pooled regions, and detections of all classes."""

# OpenVINO's functions are untyped
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from .building import Build, Case

RNG = np.random.default_rng(17)


def make(name: str, attributes: dict[str, Any], opset: int = 6) -> Build:
    """An operation by its name, which not all operator sets have functions for."""

    def build(_: Any, *nodes: Any) -> Any:
        factory = import_module("openvino.utils.node_factory").NodeFactory(f"opset{opset}")
        return factory.create(name, list(nodes), attributes)

    return build


def different(*shape: int) -> Any:
    """Numbers between 0 and 1 in any order, no two of which are equal."""
    count = int(np.prod(shape))
    return ((RNG.permutation(count) + 0.5) / count).reshape(shape).astype(np.float32)


def proposal(opset: int, **more: Any) -> Build:
    """Three anchors in each cell, of which few overlap."""
    given = {
        "base_size": 8,
        "pre_nms_topn": 40,
        "post_nms_topn": 6,
        "nms_thresh": 0.5,
        "feat_stride": 8,
        "min_size": 4,
        "ratio": [0.5, 1.0, 2.0],
        "scale": [1.0],
        "clip_before_nms": True,
        "clip_after_nms": False,
        "normalize": False,
        "box_size_scale": 1.0,
        "box_coordinate_scale": 1.0,
        "framework": "",
        "infer_probs": opset > 3,
    }
    return make("Proposal", given | more, opset)


TINY = {"pre_nms_topn": 60, "post_nms_topn": 60, "nms_thresh": 0.2}
"""More boxes than there are without overlaps."""

IMAGE = np.asarray([34, 45, 1.5], np.float32)
MOVES = (RNG.standard_normal((2, 12, 4, 5)) * 0.3).astype(np.float32)
SCORES = np.concatenate([different(2, 3, 4, 5), different(2, 3, 4, 5)], 1)
PROPOSALS = [
    *(
        Case(
            "Proposal",
            opset,
            ("f32[2,6,4,5]", "f32[2,12,4,5]", f"f32[{len(image)}]"),
            proposal(opset, **more),
            data={0: SCORES, 1: MOVES, 2: np.asarray(image, np.float32)},
        )
        for opset in (1, 4)
        for image, more in (
            ((34, 45, 1.5), {}),
            ((34, 45, 1.5, 2.5), {"clip_before_nms": False, "clip_after_nms": True, "normalize": True}),
            ((34, 45, 1.0), {"framework": "tensorflow", "box_size_scale": 5.0, "box_coordinate_scale": 10.0}),
            ((34, 45, 1.0), TINY if opset < 4 else {"min_size": 9}),
        )
    ),
]

GRID = np.stack(np.meshgrid(np.arange(5) * 8.0, np.arange(4) * 8.0), -1)[:, :, None, :]
HALVES = np.asarray([[6, 4], [4, 6]])
ANCHORS = np.concatenate([np.subtract(GRID, HALVES), np.add(GRID, HALVES)], -1).astype(np.float32)
GENERATED = [
    *(
        Case(
            "ExperimentalDetectronGenerateProposalsSingleImage",
            6,
            ("f32[3]", ANCHORS.reshape(-1, 4), "f32[8,4,5]", "f32[2,4,5]"),
            make(
                "ExperimentalDetectronGenerateProposalsSingleImage",
                {"min_size": least, "nms_threshold": 0.4, "post_nms_count": after, "pre_nms_count": 30},
            ),
            data={0: IMAGE, 2: MOVES[0, :8], 3: SCORES[0, :2]},
            outputs=(0, 1),
        )
        for least, after in ((4.0, 5), (12.0, 4))
    ),
    *(
        Case(
            "GenerateProposals",
            9,
            (f"f32[2,{sizes}]", ANCHORS, "f32[2,8,4,5]", "f32[2,2,4,5]"),
            make(
                "GenerateProposals",
                {
                    "min_size": 5.0,
                    "nms_threshold": 0.4,
                    "pre_nms_count": 30,
                    "post_nms_count": 9,
                    "normalized": is_normalized,
                    "roi_num_type": type,
                },
                9,
            ),
            data={
                0: np.asarray([[34, 45, 1.5, 2], [30, 40, 1, 1.2]], np.float32)[:, :sizes],
                2: MOVES[:, :8],
                3: SCORES[:, :2],
            },
        )
        for sizes, is_normalized, type in ((3, True, "i64"), (4, False, "i32"))
    ),
]


def detections(**more: Any) -> Build:
    """Boxes of three classes, of which few overlap."""
    given = {
        "score_threshold": 0.2,
        "nms_threshold": 0.4,
        "max_delta_log_wh": 2.0,
        "num_classes": 4,
        "post_nms_count": 50,
        "max_detections_per_image": 40,
        "class_agnostic_box_regression": False,
        "deltas_weights": [10.0, 10.0, 5.0, 5.0],
    }
    return make("ExperimentalDetectronDetectionOutput", given | more)


STARTS = RNG.uniform(0, 40, (12, 2))
BOXES = np.concatenate([STARTS, STARTS + RNG.uniform(8, 30, (12, 2))], 1).astype(np.float32)
BOXES[3, 2] = BOXES[3, 0]
SIZES = np.asarray([[0, 0, 90, 80], [10, 20, 300, 250], [4, 4, 4, 30], [0, 9, 700, 500]], np.float32)
LEVELS = ("f32[1,3,40,40]", "f32[1,3,20,20]", "f32[1,3,10,10]")
DETECTRON = [
    *(
        Case(
            "ExperimentalDetectronPriorGridGenerator",
            6,
            ("f32[3,4]", "f32[1,2,4,5]", "f32[1,3,32,50]"),
            make("ExperimentalDetectronPriorGridGenerator", {"flatten": flatten} | more),
        )
        for flatten, more in (
            (True, {"h": 0, "w": 0, "stride_x": 0.0, "stride_y": 0.0}),
            (False, {"h": 4, "w": 5, "stride_x": 4.0, "stride_y": 8.0}),
        )
    ),
    *(
        Case(
            "ExperimentalDetectronTopKROIs",
            6,
            ("f32[12,4]", "f32[12]"),
            make("ExperimentalDetectronTopKROIs", {"max_rois": most}),
            data={0: BOXES, 1: different(12)},
        )
        for most in (5, 12)
    ),
    *(
        Case(
            "ExperimentalDetectronROIFeatureExtractor",
            6,
            ("f32[4,4]", *LEVELS),
            make(
                "ExperimentalDetectronROIFeatureExtractor",
                {"output_size": 3, "sampling_ratio": samples, "pyramid_scales": [8, 16, 32], "aligned": aligned},
            ),
            data={0: SIZES},
        )
        for samples, aligned in ((2, False), (2, True), (0, False))
    ),
    *(
        Case(
            "ExperimentalDetectronDetectionOutput",
            6,
            ("f32[12,4]", "f32[12,16]", "f32[12,4]", "f32[1,3]"),
            detections(**more),
            data={0: BOXES, 1: RNG.standard_normal((12, 16)).astype(np.float32), 2: different(12, 4)},
        )
        for more in ({}, {"max_detections_per_image": 5}, {"post_nms_count": 2})
    ),
]


def suppression(name: str, opset: int, **more: Any) -> Build:
    """Boxes of all classes."""
    given = {
        "sort_result_type": "none",
        "sort_result_across_batch": False,
        "output_type": "i64",
        "score_threshold": 0.1,
        "nms_top_k": -1,
        "keep_top_k": -1,
        "background_class": -1,
        "normalized": True,
    }
    own = {"decay_function": "linear", "gaussian_sigma": 2.0, "post_threshold": 0.2}
    rest = own if name == "MatrixNms" else {"iou_threshold": 0.3, "nms_eta": 1.0}
    return make(name, given | rest | more, opset)


SORTED = (
    {},
    {"sort_result_type": "score", "keep_top_k": 5},
    {"sort_result_type": "score", "sort_result_across_batch": True, "nms_top_k": 6, "output_type": "i32"},
    {"sort_result_type": "classid", "background_class": 1, "normalized": False},
    {"sort_result_type": "classid", "sort_result_across_batch": True, "keep_top_k": 7, "background_class": 0},
)
CROWD = np.concatenate([BOXES[None], BOXES[None] + 1], 0)
SUPPRESSION = [
    *(
        Case(
            name,
            opset,
            ("f32[2,12,4]", "f32[2,3,12]"),
            suppression(name, opset, **more),
            data={0: CROWD, 1: different(2, 3, 12)},
        )
        for name, opset in (("MulticlassNms", 8), ("MulticlassNms", 9), ("MatrixNms", 8))
        for more in (*SORTED, *([{"decay_function": "gaussian"}] if name == "MatrixNms" else []))
    ),
    *(
        Case(
            "MulticlassNms",
            9,
            ("f32[2,12,4]", "f32[2,12]", "i32[2]"),
            suppression("MulticlassNms", 9, **more),
            data={0: CROWD, 1: different(2, 12), 2: np.asarray([7, 5], np.int32)},
        )
        for more in SORTED[:3]
    ),
]
WHOLE = np.asarray(
    [[0, 3, 2, 40, 30], [1, 10, 9, 25.5, 44], [0, 0, 0, 2, 2], [-1, 0, 0, 0, 0], [1, 4, 4, 9, 9]], np.float32
)
PARTS = WHOLE / [1, 50, 50, 50, 50]
POOLED = [
    Case(
        "PSROIPooling",
        1,
        ("f32[2,18,12,13]", "f32[5,5]"),
        make("PSROIPooling", {"output_dim": 2, "group_size": 3, "spatial_scale": 0.25, "mode": "average"}, 1),
        data={1: WHOLE},
    ),
    *(
        Case(
            "PSROIPooling",
            1,
            ("f32[2,12,12,13]", "f32[5,5]"),
            make(
                "PSROIPooling",
                {
                    "output_dim": 2,
                    "group_size": cells,
                    "spatial_scale": 1.0,
                    "spatial_bins_x": 3,
                    "spatial_bins_y": 2,
                    "mode": "bilinear",
                },
                1,
            ),
            data={1: PARTS.astype(np.float32)},
        )
        for cells in (3, 1)
    ),
    *(
        Case(
            "DeformablePSROIPooling",
            1,
            ("f32[2,36,12,13]", "f32[5,5]", *moves),
            make(
                "DeformablePSROIPooling",
                {
                    "output_dim": 4,
                    "group_size": 3,
                    "spatial_scale": 0.25,
                    "spatial_bins_x": 2,
                    "spatial_bins_y": 3,
                    "trans_std": 0.2,
                    "part_size": 2,
                },
                1,
            ),
            data={1: WHOLE},
        )
        for moves in ((), ("f32[5,4,2,2]",))
    ),
]
ANGLES = np.asarray([[20, 18, 22, 14, 0.7], [30, 9, 12, 26, -1.2], [2, 3, 40, 9, 3.0]], np.float32)
ROTATED = [
    Case(
        "ROIAlignRotated",
        15,
        ("f32[2,3,10,12]", "f32[3,5]", np.asarray([0, 1, 1])),
        lambda o, *n, c=clockwise, s=samples: o.roi_align_rotated(*n, 2, 3, s, 0.25, c),
        data={1: ANGLES},
    )
    for clockwise, samples in ((True, 2), (False, 3))
]
STEPS = np.asarray([[[7, 2, 3]], [[4, 5, 1]], [[1, 8, 9]], [[3, 4, 2]]])
PARENTS = np.asarray([[[0, 0, 0]], [[1, 0, 2]], [[2, 1, 0]], [[0, 2, 1]]])
BEAMS = [
    Case(
        "GatherTree",
        1,
        (f"{type}[4,2,3]", f"{type}[4,2,3]", f"{type}[2]", np.asarray(1, np.float32 if type == "f32" else np.int32)),
        make("GatherTree", {}, 1),
        data={
            n: np.asarray(v, np.float32 if type == "f32" else np.int32)
            for n, v in enumerate((np.repeat(STEPS, 2, 1), np.repeat(PARENTS, 2, 1), [3, 9]))
        },
    )
    for type in ("f32", "i32")
]
REGIONS = [*ROTATED, *BEAMS, *POOLED, *PROPOSALS, *GENERATED, *DETECTRON, *SUPPRESSION]
