"""`nanoedge data …` as a user types it: answers, exit codes, one document, nothing overwritten."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest
from tests.data.folders import voc_xml, write_coco, write_voc, write_yolo


def test_check_ends_with_0_for_good_data_and_says_so(nanoedge, tmp_path: Path) -> None:
    write_voc(tmp_path / "set")
    done = nanoedge("data", "check", "set", cwd=tmp_path)
    assert "4 pictures in voc train, voc val" in done.stdout and "nothing is wrong" in done.stdout


def test_check_ends_with_1_for_errors_and_prints_one_document(nanoedge, tmp_path: Path) -> None:
    folder = write_voc(tmp_path / "set")
    (folder / "Annotations" / "a.xml").write_text(voc_xml("a.jpg", [("cat", 5, 5, 5, 9)]))
    done = nanoedge("data", "check", str(folder), "--json", expect=1)
    (problem,) = json.loads(done.stdout)["problems"]
    assert (problem["kind"], problem["line"]) == ("zero-size-box", 5)
    words = nanoedge("data", "check", str(folder), expect=1).stdout
    assert "error: zero-size-box (1)" in words and "a.xml:5: object 1 (cat)" in words and "--fix" in words


def test_warnings_alone_end_with_0(nanoedge, tmp_path: Path) -> None:
    folder = write_voc(tmp_path / "set")
    (folder / "Annotations" / "a.xml").write_text(voc_xml("a.jpg", [("cat", 5, 5, 105, 79)]))
    assert "warning: box-beyond-edge" in nanoedge("data", "check", str(folder)).stdout


def test_fix_ends_with_0_when_nothing_is_left(nanoedge, tmp_path: Path) -> None:
    folder = write_yolo(tmp_path / "set")
    (folder / "labels" / "train" / "a.txt").write_text("0 0.5 0.5 0 0.5\n1 0.5 0.5 0.2 0.2\nrubbish\n")
    done = nanoedge("data", "check", "set", "--fix", "good", cwd=tmp_path)
    assert "mended or left out 1 malformed-annotation, 1 zero-size-box" in done.stdout
    nanoedge("data", "check", "good", cwd=tmp_path)
    refused = nanoedge("data", "check", "set", "--fix", "good", cwd=tmp_path, expect=2)
    assert "--force" in refused.stderr


def test_the_input_size_decides_what_is_too_small(nanoedge, tmp_path: Path) -> None:
    folder = write_voc(tmp_path / "set")
    (folder / "Annotations" / "a.xml").write_text(voc_xml("a.jpg", [("cat", 5, 5, 6, 79), ("dog", 7, 7, 50, 50)]))
    assert "tiny-box" not in nanoedge("data", "check", str(folder)).stdout
    assert "tiny-box (1)" in nanoedge("data", "check", str(folder), "--input-size", "160x160").stdout
    refused = nanoedge("data", "check", str(folder), "--input-size", "161x160", expect=2)
    assert "multiple of 32" in refused.stderr


@pytest.mark.parametrize("command", ["check", "stats"])
def test_what_cannot_be_read_is_refused_with_a_sentence(nanoedge, tmp_path: Path, command: str) -> None:
    assert "does not exist" in nanoedge("data", command, str(tmp_path / "gone"), expect=2).stderr
    assert "holds no annotations" in nanoedge("data", command, str(tmp_path), expect=2).stderr
    folder = write_coco(tmp_path / "set")
    assert "there are coco, voc, yolo" in nanoedge("data", command, str(folder), "--format", "csv", expect=2).stderr


def test_convert_says_what_is_lost(nanoedge, tmp_path: Path) -> None:
    write_coco(tmp_path / "set")
    done = nanoedge("data", "convert", "set", "--to", "voc", "--out", "out", cwd=tmp_path)
    assert "train (3 pictures, 3 boxes), val (1 pictures, 1 boxes)" in done.stdout
    assert "lost: ids of pictures, annotations and categories (VOC has none)" in done.stdout
    again = nanoedge("data", "convert", "out", "--to", "yolo", "--out", "out2", "--json", cwd=tmp_path)
    assert json.loads(again.stdout) == {
        "out": "out2",
        "format": "yolo",
        "splits": {"train": {"pictures": 3, "boxes": 3}, "val": {"pictures": 1, "boxes": 1}},
        "losses": [],
    }


def test_stats_prints_tables_and_writes_a_page(nanoedge, tmp_path: Path) -> None:
    write_yolo(tmp_path / "set")
    done = nanoedge("data", "stats", "set", "--html", "page.html", cwd=tmp_path)
    assert "yolo train" in done.stdout and "dog" in done.stdout and "page.html" in done.stdout
    assert "--force" in nanoedge("data", "stats", "set", "--html", "page.html", cwd=tmp_path, expect=2).stderr
    document = json.loads(nanoedge("data", "stats", "set", "--json", cwd=tmp_path).stdout)
    assert document["input"] == "320x320" and document["splits"][0]["per_class"] == {"cat": 1, "dog": 2}


def test_preview_draws_a_sheet(nanoedge, tmp_path: Path) -> None:
    write_voc(tmp_path / "set")
    settings = ["nanodet-plus-m_320", "data.root=set", "input.width=96", "input.height=64"]
    done = nanoedge("data", "preview", *settings, "--columns", "2", "--out", "sheet.png", cwd=tmp_path)
    assert "3 pictures" in done.stdout and "recipe small-data" in done.stdout
    height, width = cv2.imread(str(tmp_path / "sheet.png")).shape[:2]
    assert width == 2 * 96 + 3 * 4 and height > 2 * 64
    val = nanoedge("data", "preview", *settings, "--split", "val", "--out", "val.png", "--json", cwd=tmp_path)
    assert json.loads(val.stdout) == {"out": "val.png", "recipe": "small-data", "pictures": 1, "boxes": 1}
    assert "--force" in nanoedge("data", "preview", *settings, "--out", "sheet.png", cwd=tmp_path, expect=2).stderr
    assert "train or val" in nanoedge("data", "preview", *settings, "--split", "test", cwd=tmp_path, expect=2).stderr
