"""The C++ core against the readable reference on real pictures: python -m tools.results.core_accuracy."""

from __future__ import annotations

import tempfile
from pathlib import Path

from nanoedge.evaluation.agreement import MAX_UNMATCHED_SHARE, SCORE_OF_TWIN, agreement
from nanoedge.evaluation.bundles import evaluate_bundle
from nanoedge.pictures import list_pictures, read_picture
from nanoedge.runtime.detector import Detector

from tools.results.bundles import published_bundle
from tools.results.figures import Figure, at_most, publish, shared_folder

LARGEST_AP_DIFFERENCE = 0.001


def main() -> None:
    """Compare boxes and AP on the 300 pictures of `coco_open300`, both engines, fp32."""
    data = shared_folder() / "data" / "coco_open300"
    truth = (data / "annotations" / "instances_open300.json", data / "images")
    pictures = [read_picture(file) for file in list_pictures(data / "images")]
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        bundle = published_bundle(Path(folder))
        for engine in ("ncnn", "openvino"):
            names = (engine, f"python-{engine}")
            detectors = [Detector(bundle, name, threads=1, score_threshold=SCORE_OF_TWIN) for name in names]
            report = agreement(*([detector(picture) for picture in pictures] for detector in detectors))
            ours, theirs = (evaluate_bundle(bundle, *truth, name, threads=1).metrics.AP for name in names)
            figures += [
                Figure(f"{engine}: boxes compared", report.boxes),
                at_most(f"{engine}: boxes without a twin", report.unmatched, int(MAX_UNMATCHED_SHARE * report.boxes)),
                Figure(f"{engine}: largest difference of scores", round(report.largest_score_difference, 5)),
                Figure(f"{engine}: AP of the core", round(ours, 5)),
                at_most(f"{engine}: difference of AP", round(abs(ours - theirs), 5), LARGEST_AP_DIFFERENCE),
            ]
    publish(figures, "Plus-m 320 on the 300 pictures of coco_open300, fp32, one thread")


if __name__ == "__main__":
    main()
