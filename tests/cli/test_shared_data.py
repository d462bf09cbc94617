"""The published network on real pictures: the figures of the first issue, in short form."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from nanoedge.evaluation.agreement import agreement
from nanoedge.pictures import list_pictures, read_picture
from nanoedge.runtime.detector import Detector

pytestmark = pytest.mark.shared
ENGINES = ("ncnn", "openvino", "onnx", "native")


@pytest.fixture(scope="module")
def pictures(shared: Path) -> list[Path]:
    return list_pictures(shared / "data" / "coco_open300" / "images")


def test_three_engines_find_the_same_boxes_on_real_pictures(plus_m_320_bundle: Path, pictures: list[Path]) -> None:
    chosen = pictures[::6]
    found = {}
    for engine in ENGINES:
        detector = Detector(plus_m_320_bundle, engine, score_threshold=0.28)
        found[engine] = [detector(read_picture(path)) for path in chosen]
    for engine in ENGINES[1:]:
        verdict = agreement(found[ENGINES[0]], found[engine])
        assert verdict.boxes > 100
        assert verdict.agrees, verdict


@pytest.mark.slow
def test_the_published_ap_is_reached_on_300_pictures(shared: Path, plus_m_320_bundle: Path, nanoedge) -> None:
    data = shared / "data" / "coco_open300"
    done = nanoedge(
        "eval",
        str(plus_m_320_bundle),
        "--annotations",
        str(data / "annotations" / "instances_open300.json"),
        "--images",
        str(data / "images"),
        "--json",
    )
    document = json.loads(done.stdout)
    assert 0.236 <= document["AP"] <= 0.242
    assert document["images"] == 300


def test_real_pictures_pass_the_parity_check_on_boxes(
    plus_m_320: Path, pictures: list[Path], tmp_path: Path, nanoedge
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for path in pictures[:30]:
        (folder / path.name).symlink_to(path)
    done = nanoedge(
        "export", str(plus_m_320), "--target", "all", "--out", str(tmp_path / "x.nanoedge"),
        "--pictures", str(folder), "--json",
    )  # fmt: skip
    parity = json.loads(done.stdout)["parity"]
    assert parity["pictures"] == 30
    assert all(row["compared"] == "boxes" and row["count"] >= 50 for row in parity["engines"])


def test_a_real_clip_is_detected_frame_by_frame(shared: Path, plus_m_320_bundle: Path, tmp_path: Path) -> None:
    from nanoedge.video.files import read_video

    detector = Detector(plus_m_320_bundle, "ncnn")
    people = 0
    for frame in read_video(shared / "data" / "videos" / "one-by-one-person-detection.mp4"):
        if frame.number % 25 == 0:
            people += sum(label == "person" for label, _, _ in detector(frame.picture))
        if frame.number > 500:
            break
    assert people >= 5


def test_bccd_trains_a_few_steps_on_real_data(shared: Path, tmp_path: Path, nanoedge) -> None:
    settings = [
        f"data.root={shared / 'data' / 'bccd'}",
        "data.train.annotations=annotations/instances_test.json",
        "input.width=128",
        "input.height=96",
        "training.epochs=1",
        "training.evaluate_every=1",
        "data.workers=0",
    ]
    done = nanoedge("train", "bccd_320", *settings, "--out", str(tmp_path / "run"), "--json")
    assert json.loads(done.stdout)["last_metrics"]["images"] == 87
