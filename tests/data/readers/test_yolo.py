"""YOLO text files as people have them: stray spaces, empty lines, polygons, missing files."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from nanoedge.data.annotations import AnnotationSet
from nanoedge.data.folder import choose_set
from nanoedge.data.index import index_of
from nanoedge.data.readers.yolo import label_file, read_names
from nanoedge.errors import DataError
from PIL import Image
from tests.data.folders import picture, write_yolo


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_yolo(tmp_path / "set")


def put(folder: Path, text: str | bytes, name: str = "a") -> None:
    path = folder / "labels" / "train" / f"{name}.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


def read(folder: Path) -> AnnotationSet:
    return choose_set(folder, "train").read()


def boxes(folder: Path) -> list[list[float]]:
    return index_of(read(folder)).samples[0].boxes_xyxy.tolist()


def refusal(folder: Path) -> str:
    with pytest.raises(DataError) as caught:
        index_of(read(folder))
    return str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "0 0.5 0.5 0.2 0.5\n",
        "  0\t0.5   0.5 0.2 0.5  \r\n\r\n   \n",
        "0 0.5 0.5 0.2 0.5",
        "\ufeff0 .5 5e-1 0.20 0.5\n",
        "0.0 0.5 0.5 0.2 0.5\n",
        "0, 0.5, 0.5, 0.2, 0.5\n",
    ],
    ids=["plain", "spaces", "no-end", "byte-order-mark", "float-class", "commas"],
)
def test_stray_characters_do_not_matter(folder: Path, text: str) -> None:
    put(folder, text)
    np.testing.assert_allclose(boxes(folder), [[40, 20, 60, 60]], atol=1e-4)


def test_a_polygon_becomes_the_box_around_it(folder: Path) -> None:
    put(folder, "1 0.1 0.5 0.3 0.25 0.4 0.75 0.2 1.0\n")
    np.testing.assert_allclose(boxes(folder), [[10, 20, 40, 80]], atol=1e-4)
    assert read(folder).boxes[0].attributes["polygon"] == [0.1, 0.5, 0.3, 0.25, 0.4, 0.75, 0.2, 1.0]


def test_a_missing_or_empty_file_is_a_negative(folder: Path) -> None:
    put(folder, "")
    (folder / "labels" / "train" / "b.txt").unlink()
    assert [len(sample.boxes_xyxy) for sample in index_of(read(folder)).samples] == [0, 0, 0]


def test_shares_are_of_the_turned_picture(folder: Path) -> None:
    path = folder / "images" / "train" / "a.jpg"
    image = Image.fromarray(picture(1)[:, :, ::-1])
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(path, exif=exif)
    put(folder, "0 0.5 0.5 1 0.5\n")
    sample = index_of(read(folder)).samples[0]
    assert (sample.width, sample.height) == (80, 100) and cv2.imread(str(path)).shape[:2] == (100, 80)
    np.testing.assert_allclose(sample.boxes_xyxy, [[0, 25, 80, 75]], atol=1e-4)


def test_a_box_beyond_the_edge_is_clipped_and_counted(folder: Path) -> None:
    put(folder, "0 0.0 0.5 0.2 0.5\n")
    index = index_of(read(folder))
    np.testing.assert_allclose(index.samples[0].boxes_xyxy, [[0, 20, 10, 60]], atol=1e-4)
    assert index.clipped_boxes == 1


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("0 0.5 0.5 0.2\n", "it has 4 numbers"),
        ("0 0.5 0.5 0.2 0.5 0.9\n", "it has 6 numbers"),
        ("cat 0.5 0.5 0.2 0.5\n", "'cat' is no number"),
        ("0 0.5 nan 0.2 0.5\n", "'nan' is no number"),
        ("-1 0.5 0.5 0.2 0.5\n", "the class is no whole number: -1"),
        ("1.5 0.5 0.5 0.2 0.5\n", "the class is no whole number: 1.5"),
        ("0 50 40 20 40\n", "holds pixels, not shares"),
        ("2 0.5 0.5 0.2 0.5\n", "names the unknown class '2'"),
        ("0 0.5 0.5 0 0.5\n", "has no size: 0.5 0.5 0 0.5"),
        ("0 1.7 0.5 0.2 0.5\n", "lies outside its picture"),
        (b"\xff\xfe\x00", "cannot be read"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(folder: Path, text: str | bytes, named: str) -> None:
    put(folder, b"1 0.5 0.5 0.2 0.5\n" + (text if isinstance(text, bytes) else text.encode()))
    message = refusal(folder)
    assert named in message and "labels/train/a.txt" in message
    if isinstance(text, str):
        assert "line 2" in message


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("train: images/train\nnames: {0: cat, 2: dog}\n", "names must have the ids 0 to 1"),
        ("train: images/train\nnames: cat\n", "needs names"),
        ("train: images/train\nnames: []\n", "needs names"),
        ("train: images/train\nnames: [cat\n", "is not valid YAML"),
    ],
)
def test_class_names_that_do_not_fit_are_named(folder: Path, text: str, named: str) -> None:
    (folder / "data.yaml").write_text(text)
    with pytest.raises(DataError, match=named):
        read(folder)


@pytest.mark.parametrize(
    ("place", "named"),
    [("..", "which is not below"), ("/etc", "which is not below"), ("images/gone", "there is no such folder")],
)
def test_a_split_that_leads_elsewhere_is_refused(folder: Path, place: str, named: str) -> None:
    (folder / "data.yaml").write_text(f"train: {place}\nnames: [cat, dog]\n")
    message = refusal(folder)
    assert f"the split train names {place!r}" in message and named in message


def test_a_list_of_pictures_may_not_lead_out_of_the_folder(folder: Path) -> None:
    (folder / "train.txt").write_text("images/train/a.jpg\n../../../etc/hostname\n")
    (folder / "data.yaml").write_text("train: train.txt\nnames: [cat, dog]\n")
    assert "train.txt, line 2: '../../../etc/hostname' leads out of the folder" in refusal(folder)


def test_label_files_lie_in_labels_or_beside_the_picture(tmp_path: Path) -> None:
    place = tmp_path / "images" / "x" / "images" / "a.b.jpg"
    assert label_file(place) == tmp_path / "images" / "x" / "images" / "a.b.txt"
    (tmp_path / "images" / "x" / "labels").mkdir(parents=True)
    assert label_file(place) == tmp_path / "images" / "x" / "labels" / "a.b.txt"


def test_names_may_be_a_text_file(tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text("cat\n\n dog \n")
    assert read_names(tmp_path / "classes.txt") == ("cat", "dog")


def test_links_never_lead_out_of_the_folder(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "secret.jpg"
    outside.write_bytes((folder / "images" / "train" / "a.jpg").read_bytes())
    (folder / "images" / "train" / "a.jpg").unlink()
    (folder / "images" / "train" / "a.jpg").symlink_to(outside)
    assert "a.jpg is a link that leads out of the folder" in refusal(folder)


def test_folders_above_the_data_set_do_not_decide_where_text_files_lie(tmp_path: Path) -> None:
    made = write_yolo(tmp_path / "made")
    place = tmp_path / "images" / "mine"
    place.mkdir(parents=True)
    (tmp_path / "labels" / "mine").mkdir(parents=True)
    for path in [*(made / "images" / "train").iterdir(), *(made / "labels" / "train").iterdir()]:
        path.rename(place / path.name)
    (place / "classes.txt").write_text("cat\ndog\n")
    assert choose_set(place, "all").read().boxes
