"""Training on data that is small, odd or goes away: the right behaviour or a sentence that names it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from tests.data.folders import Contents, picture, write_coco, write_voc, write_yolo

SMALL = [
    "data.workers=0", "input.width=64", "input.height=64", "model.backbone.width=0.5", "model.neck.channels=32",
    "model.head.channels=32", "model.agm.channels=32", "training.batch_size=4", "training.warmup_steps=1",
    "training.epochs=1", "training.threads=1",
]  # fmt: skip


def train(nanoedge: Callable, folder: Path, *settings: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
    out = folder.with_name("run")
    shutil.rmtree(out, ignore_errors=True)
    arguments = ["train", "nanodet-plus-m_320", f"data.root={folder}", *SMALL, *settings, "--out", str(out)]
    return nanoedge(*arguments, expect=expect)


@pytest.mark.parametrize("write", [write_coco, write_voc, write_yolo])
def test_every_format_is_trained_from_its_folder(nanoedge, tmp_path: Path, write: Callable) -> None:
    done = train(nanoedge, write(tmp_path / "set"), "augmentation.mosaic=1", "augmentation.mixup=1")
    assert "recipe small-data, for 3 training pictures" in done.stderr
    assert "train: 3 pictures, 3 boxes, 2 classes" in done.stderr and "best AP" in done.stdout


@pytest.mark.parametrize(
    "settings",
    [
        ["input.resize=letterbox", "input.pad_value=114"],
        ["input.width=96", "augmentation.multi_scale=[0.6,1.4]", "training.batch_size=2"],
        ["recipe=nanodet-plus"],
        ["data.cache=memory", "data.workers=1"],
        ["augmentation.erase=1", "augmentation.blur=1", "augmentation.noise=1", "augmentation.jpeg=1"],
    ],
    ids=["letterbox", "multi-scale", "published", "cache", "damage"],
)
def test_each_way_of_augmenting_trains(nanoedge, tmp_path: Path, settings: list[str]) -> None:
    train(nanoedge, write_voc(tmp_path / "set"), *settings)


def test_a_letterboxed_network_is_exported_and_run_as_it_was_trained(nanoedge, tmp_path: Path) -> None:
    folder = write_voc(tmp_path / "set")
    train(nanoedge, folder, "input.resize=letterbox", "input.pad_value=114", "training.epochs=3")
    checkpoint = str(tmp_path / "run" / "checkpoints" / "best.ckpt")
    bundle = tmp_path / "out.nanoedge"
    pictures = str(folder / "JPEGImages")
    nanoedge("export", checkpoint, "--target", "ncnn", "--out", str(bundle), "--pictures", pictures)
    spec = json.loads((bundle / "manifest.json").read_text())["input"]
    assert (spec["resize"], spec["pad_value"]) == ("letterbox", 114)


@pytest.mark.parametrize(
    "contents",
    [
        {"train": {"a.jpg": [("cat", 10, 20, 40, 60)]}, "val": {"d.jpg": [("cat", 20, 20, 70, 70)]}},
        {"train": {"a.jpg": [], "b.jpg": []}, "val": {"d.jpg": [("cat", 20, 20, 70, 70)]}},
    ],
    ids=["one-picture-one-class", "no-boxes"],
)
def test_very_little_is_enough_to_train(nanoedge, tmp_path: Path, contents: Contents) -> None:
    train(nanoedge, write_coco(tmp_path / "set", contents), "input.width=96")


def test_a_batch_that_cannot_be_normalised_is_refused_before_the_first_step(nanoedge, tmp_path: Path) -> None:
    folder = write_coco(tmp_path / "set")
    message = train(nanoedge, folder, "training.batch_size=1", expect=2).stderr
    assert "batch of 1 picture of 64x64 pixels has a single value at stride 64" in message


def odd_pictures(folder: Path) -> None:
    images = folder / "JPEGImages"
    Image.fromarray(picture(1)[:, :, 0]).save(images / "a.jpg")
    Image.fromarray(picture(2)).convert("CMYK").save(images / "b.jpg")
    Image.fromarray(picture(3)).convert("P").save(images / "c.png")
    (images / "c.jpg").unlink()
    Image.fromarray(picture(4)[:, :, 0].astype(np.uint16) * 257).save(images / "d.png")
    (images / "d.jpg").unlink()


def test_grey_cmyk_palette_and_16_bit_pictures_are_trained(nanoedge, tmp_path: Path) -> None:
    folder = write_voc(tmp_path / "set")
    odd_pictures(folder)
    train(nanoedge, folder)


def test_a_picture_of_one_pixel_and_one_of_100_megapixels_are_trained(nanoedge, tmp_path: Path) -> None:
    folder = write_yolo(tmp_path / "set")
    images = folder / "images" / "train"
    cv2.imwrite(str(images / "a.jpg"), np.full((1, 1, 3), 90, np.uint8))
    cv2.imwrite(str(images / "b.jpg"), np.full((10_000, 10_000, 3), 90, np.uint8))
    started = time.monotonic()
    train(nanoedge, folder)
    assert time.monotonic() - started < 120


def test_an_empty_split_is_refused(nanoedge, tmp_path: Path) -> None:
    folder = write_yolo(tmp_path / "set", {"train": {}, "val": {"d.jpg": []}})
    assert "lists no pictures" in train(nanoedge, folder, expect=2).stderr


def test_annotations_without_pictures_are_refused_with_the_first_name(nanoedge, tmp_path: Path) -> None:
    folder = write_coco(tmp_path / "set")
    shutil.rmtree(folder / "images")
    (folder / "images").mkdir()
    message = train(nanoedge, folder, expect=2).stderr
    assert "image 1 is missing" in message and "Is its folder or disk there?" in message


def test_a_disk_that_disappears_in_the_middle_stops_with_the_pictures_name(nanoedge, tmp_path: Path) -> None:
    """Half of the pictures vanish after the first epoch."""
    folder = write_voc(tmp_path / "set")
    out = tmp_path / "run"
    command = [sys.executable, "-m", "nanoedge", "train", "nanodet-plus-m_320", f"data.root={folder}", *SMALL,
               "training.epochs=5000", "training.evaluate_every=5000", "--out", str(out)]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        deadline = time.monotonic() + 120
        while not (out / "checkpoints" / "last.ckpt").exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        for name in ("a.jpg", "b.jpg", "c.jpg"):
            (folder / "JPEGImages" / name).rename(tmp_path / name)
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 2 and "Traceback" not in errors
    assert "The picture" in errors and "cannot be read: No such file or directory" in errors
    assert "nanoedge data check DIR finds all such" in errors
    assert (out / "checkpoints" / "last.ckpt").is_file()
