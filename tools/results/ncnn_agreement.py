"""Our ncnn export against the ncnn files of others, same pictures: python -m tools.results.ncnn_agreement 320|416."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import ncnn
import numpy as np
from nanoedge.bundle import PostprocessSpec
from nanoedge.detections import Detections
from nanoedge.evaluation.agreement import MAX_UNMATCHED_SHARE, SCORE_OF_TWIN, agreement
from nanoedge.pictures import list_pictures, read_picture
from nanoedge.runtime.detector import Detector
from nanoedge.runtime.postprocess import detections_of

from tools.results.figures import Figure, at_least, at_most, nanoedge, publish, shared_folder

Forward = Callable[[np.ndarray], np.ndarray]
STRIDES = (8, 16, 32, 64)
EVALUATION = PostprocessSpec(score_threshold=SCORE_OF_TWIN, nms_iou=0.6, max_detections=100)


def theirs(param: Path, weights: Path, separate_outputs: bool) -> Forward:
    """The others' network as a function to raw outputs [priors, channels]; they end in class scores, not logits."""
    net = ncnn.Net()
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
    net.load_param(str(param))
    net.load_model(str(weights))

    def forward(tensor: np.ndarray) -> np.ndarray:
        picture = np.ascontiguousarray(tensor[0])
        extractor = net.create_extractor()
        extractor.input("data", ncnn.Mat(picture))
        if separate_outputs:
            levels = []
            for stride in STRIDES:
                scores = np.array(extractor.extract(f"cls{stride}")[1])
                boxes = np.array(extractor.extract(f"dis{stride}")[1])
                scores = scores.reshape(80, -1).T
                boxes = boxes.reshape(-1, 32) if boxes.shape[-1] == 32 else boxes.reshape(32, -1).T
                levels.append(np.concatenate([scores, boxes], axis=1))
            output = np.concatenate(levels)
        else:
            output = np.array(extractor.extract("output")[1])
        scores = np.clip(output[:, :80].astype(np.float64), 1e-9, 1 - 1e-9)
        output[:, :80] = np.log(scores / (1 - scores))
        return output.astype(np.float32)

    return forward


def main(size: str) -> None:
    """Export, run both on all pictures, compare boxes as the contract says."""
    shared = shared_folder()
    name = f"nanodet-plus-m_{size}"
    folder = shared / "weights" / "nanodet-plus"
    forward = theirs(folder / f"{name}.param", folder / f"{name}.bin", separate_outputs=size == "320")
    with tempfile.TemporaryDirectory() as work:
        checkpoint, bundle = Path(work) / f"{name}.ckpt", Path(work) / f"{name}.nanoedge"
        nanoedge("import-nanodet", folder / f"{name}.ckpt", "--config", name, "--out", checkpoint)
        nanoedge("export", checkpoint, "--target", "ncnn", "--out", bundle)
        detector = Detector(bundle, "ncnn", score_threshold=SCORE_OF_TWIN)
    ours_found: list[Detections] = []
    theirs_found: list[Detections] = []
    for path in list_pictures(shared / "data" / "coco_open300" / "images"):
        tensor, placed = detector.preprocess(read_picture(path))
        ours_found.append(detector.postprocess(detector.forward(tensor), placed))
        theirs_found.append(detections_of(forward(tensor), placed, detector.interface, EVALUATION))
    verdict = agreement(ours_found, theirs_found)
    figures = [
        Figure("boxes compared", verdict.boxes),
        at_most(
            "share of boxes without a twin", round(verdict.unmatched / max(1, verdict.boxes), 6), MAX_UNMATCHED_SHARE
        ),
        at_most("largest difference of scores", round(verdict.largest_score_difference, 5), 0.01),
        at_least("lowest IoU of twins", round(verdict.lowest_iou, 5), 0.99),
    ]
    publish(figures, "all 300 pictures of coco_open300, ncnn's Python package, fp32")


if __name__ == "__main__":
    main(sys.argv[1])
