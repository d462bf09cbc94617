"""`nanoedge-detect` and `nanoedge-bench`: the same boxes as in Python, without Python."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
from nanoedge import Detector
from nanoedge.detections import Detections
from nanoedge.pictures import read_picture
from tests.cpp_runtime.conftest import Built

pytestmark = pytest.mark.slow


def as_detections(item: dict, names: tuple[str, ...]) -> Detections:
    rows = item["detections"]
    return Detections.of(
        [row["box"] for row in rows], [row["score"] for row in rows], [row["class_id"] for row in rows], names
    )


@pytest.mark.parametrize("engine", ["ncnn", "openvino", "native"])
def test_the_executable_finds_what_python_finds(built: Built, small_bundle: Path, shapes: Path, engine: str) -> None:
    files = sorted((shapes / "images" / "val").iterdir())[:20]
    done = built.run(
        built.detect, small_bundle, *files, "--engine", engine, "--json", "--score", "0.05", "--threads", "1"
    )
    items = json.loads(done.stdout)
    assert [item["source"] for item in items] == [str(file) for file in files]
    detector = Detector(small_bundle, engine, threads=1, score_threshold=0.05)
    wanted = [detector(file) for file in files]
    found = [as_detections(item, detector.class_names) for item in items]
    assert sum(len(one) for one in wanted) > 20
    for ours, theirs in zip(found, wanted, strict=True):
        np.testing.assert_allclose(ours.boxes_xyxy, theirs.boxes_xyxy, atol=0.02)
        np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-4)
    assert {(item["width"], item["height"]) for item in items} == {(160, 120)}


ORIENTATIONS = range(1, 9)


def with_exif(jpeg: bytes, orientation: int, big: bool) -> bytes:
    order = "big" if big else "little"
    tiff = (b"MM" if big else b"II") + (42).to_bytes(2, order) + (8).to_bytes(4, order) + (1).to_bytes(2, order)
    tiff += (0x0112).to_bytes(2, order) + (3).to_bytes(2, order) + (1).to_bytes(4, order)
    tiff += orientation.to_bytes(2, order) + bytes(6)
    content = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + (len(content) + 2).to_bytes(2, "big") + content + jpeg[2:]


def test_pictures_are_decoded_and_turned_as_in_python(
    built: Built, small_bundle: Path, shapes: Path, tmp_path: Path
) -> None:
    """The boxes of a picture depend on its pixels: equal boxes for every kind of file."""
    sure = Detector(small_bundle, "ncnn", score_threshold=0.1)
    source = next(file for file in sorted((shapes / "images" / "val").iterdir()) if sure(file))
    picture = read_picture(source)[:, :300]
    files = []
    for orientation in ORIENTATIONS:
        file = tmp_path / f"turned-{orientation}.jpg"
        file.write_bytes(with_exif(cv2.imencode(".jpg", picture)[1].tobytes(), orientation, big=orientation % 2 == 0))
        files.append(file)
    for name, pixels in {
        "colour.png": picture,
        "alpha.png": np.dstack([picture, np.full(picture.shape[:2], 9, np.uint8)]),
        "grey.png": picture[:, :, 0],
        "deep.png": picture.astype(np.uint16) * 257,
        "grey.jpg": picture[:, :, 1],
    }.items():
        cv2.imwrite(str(tmp_path / name), pixels)
        files.append(tmp_path / name)
    done = built.run(built.detect, small_bundle, *files, "--engine", "ncnn", "--json", "--score", "0.02")
    detector = Detector(small_bundle, "ncnn", score_threshold=0.02)
    boxes = 0
    for item, file in zip(json.loads(done.stdout), files, strict=True):
        read = read_picture(file)
        assert (item["height"], item["width"]) == read.shape[:2], file.name
        wanted, found = detector(read), as_detections(item, detector.class_names)
        assert len(wanted) == len(found), file.name
        np.testing.assert_allclose(found.boxes_xyxy, wanted.boxes_xyxy, atol=0.02, err_msg=file.name)
        boxes += len(found)
    assert boxes > 13


def test_pictures_are_drawn_only_when_asked_and_never_replaced(
    built: Built, small_bundle: Path, shapes: Path, tmp_path: Path
) -> None:
    file = sorted((shapes / "images" / "val").iterdir())[0]
    other = tmp_path / "other" / file.name
    other.parent.mkdir()
    shutil.copy(file, other)
    out = tmp_path / "found"
    words = (built.detect, small_bundle, file, other, "--engine", "ncnn", "--score", "0.1", "--out", out)
    assert file.name in built.run(*words).stdout
    assert sorted(place.name for place in out.iterdir()) == [f"{file.stem}-2.jpg", f"{file.stem}.jpg"]
    drawn, plain = cv2.imread(str(out / f"{file.stem}.jpg")), cv2.imread(str(file))
    assert drawn.shape == plain.shape and np.abs(drawn.astype(int) - plain).max() > 60
    assert "exists already" in built.run(*words, expect=2).stderr
    built.run(*words, "--force")


def test_sources_that_fail_do_not_stop_the_others(
    built: Built, small_bundle: Path, shapes: Path, tmp_path: Path
) -> None:
    file = sorted((shapes / "images" / "val").iterdir())[0]
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "cut.png").write_bytes(cv2.imencode(".png", cv2.imread(str(file)))[1].tobytes()[:500])
    jpeg = cv2.imencode(".jpg", cv2.imread(str(file)))[1].tobytes()
    (tmp_path / "cut.jpg").write_bytes(jpeg[: len(jpeg) // 2])
    (tmp_path / "start.jpg").write_bytes(b"\xff\xd8\xff\xd9")
    bad = [
        tmp_path / "text.jpg",
        tmp_path / "cut.jpg",
        tmp_path / "start.jpg",
        tmp_path / "empty.png",
        tmp_path / "cut.png",
        tmp_path / "nowhere.jpg",
    ]
    done = built.run(built.detect, small_bundle, bad[0], file, *bad[1:], "--json", expect=1)
    assert [item["source"] for item in json.loads(done.stdout)] == [str(file)]
    for sentence in ("neither JPEG nor PNG", "is empty", "cut.png cannot be", "nowhere.jpg cannot be read: No such"):
        assert sentence in done.stderr
    assert done.stderr.count("cannot be decoded, or it is damaged") == 2 and "18446744073709551615" not in done.stderr
    built.run(built.detect, small_bundle, *bad, expect=2)


def test_output_that_cannot_be_written_is_an_error(built: Built, small_bundle: Path, shapes: Path) -> None:
    file = min((shapes / "images" / "val").iterdir())
    for program, *words in ((built.detect, file), (built.detect, file, "--json"), (built.bench, "--rounds", "2")):
        command = [str(word) for word in (program, small_bundle, *words)]
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                command, env=built.environment, stdout=full, stderr=subprocess.PIPE, text=True, check=False
            )
        assert done.returncode == 1, done
        assert "The output cannot be written: No space left" in done.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "Give a BUNDLE"),
        (["nowhere.nanoedge", "x.jpg"], "There is no bundle nowhere.nanoedge"),
        (["BUNDLE", "x.jpg", "--engine", "magic"], "Unknown engine 'magic'"),
        (["BUNDLE", "x.jpg", "--engine", "onnx"], "Unknown engine 'onnx'"),
        (["BUNDLE", "x.jpg", "--score", "2"], "between 0 and 1"),
        (["BUNDLE", "x.jpg", "--threads", "0"], "from 1 to 256"),
        (["BUNDLE", "x.jpg", "--threads"], "needs a value"),
        (["BUNDLE", "x.jpg", "--compute", "fp64"], "--compute is fp32, fp16 or bf16"),
        (["BUNDLE", "x.jpg", "--precision", "int8"], "int8"),
        (["BUNDLE", "x.jpg", "--cores", "tiny"], "--cores is auto, all, big or little, not 'tiny'"),
        (["BUNDLE", "x.jpg", "--classes", "unicorn"], "does not know the class 'unicorn'"),
        (["BUNDLE", "x.jpg", "--fast"], "Unknown option --fast"),
        (["BUNDLE", "x.jpg", "-s"], "Unknown option -s"),
    ],
)
def test_bad_words_end_with_2_and_one_sentence(
    built: Built, small_bundle: Path, words: list[str], sentence: str
) -> None:
    done = built.run(built.detect, *(str(small_bundle) if word == "BUNDLE" else word for word in words), expect=2)
    assert sentence in done.stderr and len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""


def test_help_and_version(built: Built) -> None:
    for program in (built.detect, built.bench):
        assert "usage: " in built.run(program, "--help").stdout == built.run(program, "-h").stdout
        assert built.run(program, "--version").stdout.strip() == "0.1.0"


def test_the_benchmark_has_a_row_for_each_combination(built: Built, small_bundle: Path) -> None:
    done = built.run(
        built.bench, small_bundle, "--json", "--rounds", "5", "--threads", "1,2", "--compute", "fp32,bf16",
        "--engine", "ncnn",
    )  # fmt: skip
    document = json.loads(done.stdout)
    assert [(row["compute"], row["threads"]) for row in document["rows"]] == [
        ("fp32", 1), ("fp32", 2), ("bf16", 1), ("bf16", 2),
    ]  # fmt: skip
    for row in document["rows"]:
        assert 0 < row["forward"]["p50"] <= row["forward"]["p90"] <= row["forward"]["p99"]
        assert row["total"]["p50"] > row["forward"]["p50"] and row["load_ms"] > 0 and row["first_ms"] > 0
    assert document["peak_megabytes"] > 1
    done = built.run(built.bench, small_bundle, "--rounds", "2", "--engine", "ncnn", "--compute", "fp16,fp32")
    assert "ncnn      float fp32" in done.stdout and "left out: ncnn computes in fp16 only" in done.stderr
    done = built.run(built.bench, small_bundle, "--precision", "int8", expect=2)
    assert "has no int8 model" in done.stderr
    done = built.run(
        built.bench, small_bundle, "--rounds", "2", "--engine", "ncnn", "--precision", "float,int8", "--json"
    )
    assert [row["precision"] for row in json.loads(done.stdout)["rows"]] == ["float"]
    assert "left out: the bundle has no int8 model for ncnn" in done.stderr
    done = built.run(built.bench, small_bundle, "--engine", "ncnn", "--compute", "fp16", expect=2)
    assert "nothing to measure" in done.stderr
    assert "peak memory" in built.run(built.bench, small_bundle, "--rounds", "2", "--engine", "ncnn").stdout
