"""Pascal VOC: numbers as they stand, lines in messages, and a parser that cannot be turned against its user."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from nanoedge.data.annotations import AnnotationSet
from nanoedge.data.index import index_of
from nanoedge.data.readers.voc import parse_xml, read_split_names, read_voc_set
from nanoedge.errors import DataError
from tests.data.folders import voc_xml, write_pictures, write_voc

BILLION_LAUGHS = """<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY lol "lol">
<!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">
<!ENTITY lol3 "&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;">]>
<annotation><filename>&lol3;</filename></annotation>"""
OUTSIDE = '<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/hostname">]><annotation><filename>&x;</filename></annotation>'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_voc(tmp_path / "set")


def read(folder: Path, names: list[str] | None = None) -> AnnotationSet:
    return read_voc_set(folder / "Annotations", folder / "JPEGImages", "train", names)


def put(folder: Path, name: str, text: str) -> None:
    (folder / "Annotations" / f"{name}.xml").write_text(text)


def test_numbers_are_read_as_they_stand(folder: Path) -> None:
    put(folder, "a", voc_xml("a.jpg", [("cat", 1, 1, 100, 80)]))
    np.testing.assert_array_equal(index_of(read(folder, ["a"])).samples[0].boxes_xyxy, [[1, 1, 100, 80]])


def test_the_order_of_classes_is_that_of_classes_txt_and_else_the_alphabet(folder: Path) -> None:
    assert read(folder).classes == ("cat", "dog")
    (folder / "classes.txt").write_text("dog\n\ncat\nbird\n")
    found = read(folder)
    assert found.classes == ("dog", "cat", "bird")
    assert index_of(found).samples[0].class_ids.tolist() == [1, 0]


def test_a_class_that_classes_txt_does_not_list_is_unknown(folder: Path) -> None:
    (folder / "classes.txt").write_text("dog\n")
    with pytest.raises(DataError, match=r"a\.xml, line 5: object 1 \(cat\) names the unknown class 'cat'"):
        index_of(read(folder))


def test_a_box_of_no_size_is_named_with_its_line(folder: Path) -> None:
    put(folder, "a", voc_xml("a.jpg", [("cat", 1, 1, 9, 9), ("dog", 5, 5, 5, 20)]))
    with pytest.raises(DataError, match=r"a\.xml, line 7: object 2 \(dog\) has a box of no size: 5, 5, 5, 20"):
        index_of(read(folder))
    assert index_of(read(folder), bad_boxes="drop").dropped_boxes == 1


def test_a_picture_without_objects_is_a_negative(folder: Path) -> None:
    assert len(index_of(read(folder, ["c"])).samples[0].boxes_xyxy) == 0


def test_the_picture_is_that_of_the_files_name_whatever_the_xml_says(folder: Path) -> None:
    put(folder, "a", voc_xml("IMG_0001.JPG", []))
    assert index_of(read(folder, ["a"])).samples[0].path.name == "a.jpg"
    write_pictures(folder / "JPEGImages", ["other.png"])
    put(folder, "z", voc_xml("other.png", []))
    assert index_of(read(folder, ["z"])).samples[0].path.name == "other.png"


def test_suffixes_in_capitals_are_found(folder: Path) -> None:
    (folder / "JPEGImages" / "a.jpg").rename(folder / "JPEGImages" / "a.JPG")
    assert index_of(read(folder, ["a"])).samples[0].path.name == "a.JPG"


def test_a_size_that_is_not_stated_is_read_from_the_picture(folder: Path) -> None:
    put(folder, "a", "<annotation><filename>a.jpg</filename></annotation>")
    sample = index_of(read(folder, ["a"])).samples[0]
    assert (sample.width, sample.height) == (100, 80)


def test_marks_of_objects_are_kept_unless_they_say_nothing(folder: Path) -> None:
    text = voc_xml("a.jpg", [("cat", 1, 1, 9, 9)]).replace(
        "<difficult>0</difficult>", "<pose>Left</pose><truncated>0</truncated><difficult>1</difficult>"
    )
    put(folder, "a", text)
    assert read(folder, ["a"]).boxes[0].attributes == {"pose": "Left", "difficult": "1"}


@pytest.mark.parametrize("text", [BILLION_LAUGHS, OUTSIDE], ids=["billion-laughs", "external"])
def test_entities_are_refused_by_name(folder: Path, text: str) -> None:
    put(folder, "a", text)
    with pytest.raises(DataError, match=r"a\.xml is refused: it defines XML entities"):
        parse_xml(folder / "Annotations" / "a.xml")
    problems = read(folder).problems
    assert [(problem.kind, problem.file.name) for problem in problems] == [("unreadable-annotation", "a.xml")]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("<annotation><filename>a.jpg</filename>", "no valid XML|not valid XML"),
        ("", "not valid XML"),
        ("<html></html>", "its root is <html>"),
        (voc_xml("a.jpg", [("cat", 1, 1, 9, 9)]).replace("<name>cat</name>", ""), "object 1 has no name"),
        (voc_xml("a.jpg", [("cat", 1, 1, 9, 9)]).replace("<xmin>1<", "<xmin>left<"), "no bndbox of four numbers"),
        (voc_xml("a.jpg", [("cat", 1, 1, 9, 9)]).replace("<xmin>1<", "<xmin>nan<"), "no bndbox of four numbers"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(folder: Path, text: str, named: str) -> None:
    put(folder, "a", text)
    with pytest.raises(DataError, match=rf"a\.xml.*({named})"):
        index_of(read(folder, ["a"]))


def test_names_that_lead_out_of_their_folder_are_refused(folder: Path) -> None:
    with pytest.raises(DataError, match=r"'\.\./\.\./secret', which leads out of its folder"):
        index_of(read(folder, ["../../secret"]))
    put(folder, "q", voc_xml("../../../etc/hostname", []))
    with pytest.raises(DataError, match=r"q\.xml: points out of its picture folder"):
        index_of(read(folder, ["q"]))


def test_a_listed_picture_without_xml_is_named(folder: Path) -> None:
    with pytest.raises(DataError, match="names nobody, which has no XML file"):
        index_of(read(folder, ["a", "nobody"]))


def test_a_missing_picture_is_named(folder: Path) -> None:
    (folder / "JPEGImages" / "b.jpg").unlink()
    with pytest.raises(DataError, match=r"b\.xml: image 2 is missing: there is no file .*b\.jpg"):
        index_of(read(folder))


def test_a_list_keeps_its_order_and_each_name_once(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("b\n\n a \nb\nwith space\n")
    assert read_split_names(tmp_path / "train.txt") == ["b", "a", "with space"]
