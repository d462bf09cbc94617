"""`nanoedge export --int8` and what uses its result, in real processes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from nanoedge.pictures import list_pictures, write_picture

NOWHERE = ["--annotations", "a", "--images", "b"]


@pytest.fixture(scope="session")
def truth(shapes: Path) -> list[str]:
    return ["--annotations", str(shapes / "annotations" / "val.json"), "--images", str(shapes / "images")]


@pytest.fixture
def command(small_run: Path, tmp_path: Path) -> list[str]:
    checkpoint, out = small_run / "checkpoints" / "best.ckpt", tmp_path / "x.nanoedge"
    return ["export", str(checkpoint), "--out", str(out)]


def test_every_command_takes_the_int8_file(
    nanoedge, command: list[str], truth: list[str], shapes: Path, tmp_path: Path
) -> None:
    pictures = shapes / "images"
    asked = ["--target", "native", "--int8", "--calibration", str(pictures / "train"), "--calibration-images", "40"]
    done = nanoedge(*command, *asked, *truth, "--max-drop", "1")
    assert "int8 (native): ranges of 32 pictures by " in done.stdout
    assert "on 8 pictures kept apart" in done.stdout
    assert "AP on 16 pictures: float " in done.stdout
    assert "--precision int8" in done.stdout.splitlines()[-1]
    assert "measuring the network's ranges on 32 pictures" in done.stderr

    bundle = str(tmp_path / "x.nanoedge")
    rows = json.loads(nanoedge("info", bundle, "--verify", "--json").stdout)["manifest"]["engines"]
    assert [(row["engine"], row["precision"]) for row in rows] == [("native", "float"), ("native", "int8")]
    for engine in ("native", "auto"):
        chosen = ["--engine", engine, "--precision", "int8", "--json"]
        assert len(json.loads(nanoedge("detect", bundle, str(pictures / "val"), *chosen).stdout)) == 16
        document = json.loads(nanoedge("eval", bundle, *truth, *chosen).stdout)
        assert (document["engine"], document["precision"]) == ("native", "int8")
        report = json.loads((tmp_path / "x.nanoedge" / "parity.json").read_text())["int8"]
        assert document["AP"] == report["accuracy"]["int8_ap"]
    timed = ["benchmark", bundle, "--rounds", "2", "--threads", "1", "--json"]
    for asked, expected in (
        ([], ["float", "int8"]),
        (["--precision", "int8"], ["int8"]),
        (["--precision", "int8", "--precision", "float", "--engine", "native"], ["float", "int8"]),
    ):
        for layers in ([], ["--layers"]):
            rows = json.loads(nanoedge(*timed, *asked, *layers).stdout)["rows"]
            assert [(row["engine"], row["precision"]) for row in rows] == [("native", each) for each in expected]


def test_int8_that_is_left_out_ends_with_1_and_float_is_whole(
    nanoedge, command: list[str], truth: list[str], tmp_path: Path
) -> None:
    """Calibrated on faint stripes: real pictures lie far outside of what was measured."""
    faint = tmp_path / "faint"
    faint.mkdir()
    stripes = np.indices((120, 160)).sum(0) // 8 % 2
    write_picture(faint / "stripes.png", np.repeat(105 + 10 * stripes[:, :, None], 3, axis=2).astype(np.uint8))
    wanted = ["--target", "native", "--int8", "--calibration", str(faint), *truth, "--max-drop", "0", "--json"]
    done = nanoedge(*command, *wanted, expect=1)
    assert "nanoedge: int8 was left out: " in done.stderr
    report = json.loads(done.stdout)
    assert report["int8"]["written"] is False and report["int8"]["refusal"] in done.stderr
    assert [row["precision"] for row in report["engines"]] == ["float"]
    bundle = tmp_path / "x.nanoedge"
    nanoedge("info", str(bundle), "--verify")
    assert (
        "has no native model in int8"
        in nanoedge("detect", str(bundle), str(faint), "--engine", "native", "--precision", "int8", expect=2).stderr
    )
    nanoedge("detect", str(bundle), str(faint), "--engine", "native")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["native", "--int8"], "--int8 needs pictures"),
        (["native", "--calibration", "{pictures}"], "--calibration is about int8: add --int8"),
        (["native", "--int8", "--calibration", "{empty}"], "has no pictures"),
        (["native", "--int8", "--calibration", "nowhere"], "The folder nowhere does not exist"),
        (["native", "--int8", "--calibration", "{grey}"], "grey.png is of one colour"),
        (["native", "--int8", "--calibration", "{pictures}", "--calibration-images", "0"], "at least 1, not 0"),
        (["native", "--int8", "--calibration", "{pictures}", "--annotations", "a.json"], "needs --images"),
        (["native", "--int8", "--calibration", "{pictures}", "--images", "{pictures}"], "needs --annotations"),
        (["native", "--int8", "--calibration", "{pictures}", "--max-drop", "0.01"], "--max-drop needs true boxes"),
        (
            ["native", "--int8", "--calibration", "{pictures}", "--max-drop", "2", *NOWHERE],
            "between 0 and 1, not 2",
        ),
        (["ncnn", "--int8", "--calibration", "{pictures}"], "only native has int8 as yet"),
    ],
)
def test_bad_options_of_int8_end_with_2_and_leave_nothing(
    nanoedge, command: list[str], shapes: Path, tmp_path: Path, options: list[str], sentence: str
) -> None:
    empty, grey = tmp_path / "empty", tmp_path / "grey"
    empty.mkdir()
    grey.mkdir()
    write_picture(grey / "grey.png", np.full((120, 160, 3), 110, np.uint8))
    places = {"{pictures}": str(shapes / "images" / "val"), "{empty}": str(empty), "{grey}": str(grey)}
    done = nanoedge(*command, "--target", *(places.get(word, word) for word in options), expect=2, cwd=tmp_path)
    assert sentence in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr and done.stdout == ""
    assert sorted(tmp_path.iterdir()) == [empty, grey]


def test_a_broken_picture_is_named_and_the_rest_is_used(
    nanoedge, command: list[str], shapes: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for picture in list_pictures(shapes / "images" / "val"):
        (folder / picture.name).symlink_to(picture)
    (folder / "broken.jpg").write_bytes(b"no picture")
    done = nanoedge(*command, "--target", "native", "--int8", "--calibration", str(folder), "--json")
    assert "broken.jpg is no picture that can be decoded, or it is damaged. It is skipped." in done.stderr
    assert "has 17 pictures, fewer than the 200 asked for" in done.stderr
    assert json.loads(done.stdout)["int8"]["skipped"] == 1


@pytest.mark.slow
@pytest.mark.shared
def test_the_published_network_loses_little_in_int8(nanoedge, shared: Path, plus_m_320: Path, tmp_path: Path) -> None:
    data, out = shared / "data" / "coco_open300", tmp_path / "x.nanoedge"
    done = nanoedge(
        "export", str(plus_m_320), "--target", "native", "--out", str(out), "--int8",
        "--calibration", str(data / "images"), "--calibration-images", "60",
        "--annotations", str(data / "annotations" / "instances_open300.json"), "--images", str(data / "images"),
        "--json",
    )  # fmt: skip
    report = json.loads(done.stdout)["int8"]
    assert report["written"] and report["accuracy"]["drop"] <= 0.005
    assert 0.236 <= report["accuracy"]["float_ap"] <= 0.242
    assert report["output_errors"][report["ranges"]] < 0.03
