"""Statistics: counts are those of the data, the page stands alone."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from nanoedge.config.load import load_config
from nanoedge.config.schema import Config
from nanoedge.data.stats.numbers import folder_statistics, stride_shares
from nanoedge.data.stats.page import statistics_page
from tests.data.folders import voc_xml, write_voc


@pytest.fixture(scope="module")
def config() -> Config:
    return load_config("nanodet-plus-m_320")


def test_the_numbers_are_those_of_the_data(folder: Path, config: Config) -> None:
    train, val = folder_statistics(folder, config)
    assert (train.pictures, train.negatives, train.boxes, train.unusable) == (3, 1, 3, 0)
    assert train.per_class == {"cat": 1, "dog": 2} and val.per_class == {"cat": 1, "dog": 0}
    assert train.sizes == {(100, 80): 3} and sorted(train.objects) == [0, 1, 2]
    widths = sorted(side / 100 * 320 for side in (30, 49.5, 25))
    np.testing.assert_allclose(sorted(train.sides[:, 0]), widths, rtol=1e-4)
    np.testing.assert_allclose(sorted(train.aspects), sorted([30 / 40, 49.5 / 80, 1.0]), rtol=1e-4)
    assert sum(train.per_stride.values()) == pytest.approx(1)


def test_a_letterbox_makes_boxes_smaller(folder: Path) -> None:
    letterbox = load_config("nanodet-plus-m_320", ["input.resize=letterbox"])
    train, _ = folder_statistics(folder, letterbox)
    np.testing.assert_allclose(sorted(train.sides[:, 1]), sorted(side / 100 * 320 for side in (40, 80, 25)), rtol=1e-4)


def test_each_box_counts_for_the_finest_stride_that_holds_it() -> None:
    sides = np.array([[10.0, 112], [112.1, 5], [224, 224], [500, 20], [5000, 5000]])
    assert stride_shares(sides, (8, 16, 32, 64), 7) == {8: 0.2, 16: 0.4, 32: 0.0, 64: 0.4}
    assert stride_shares(sides[:0], (8, 16), 7) == {8: 0.0, 16: 0.0}


def test_unusable_boxes_are_counted_and_left_out(tmp_path: Path, config: Config) -> None:
    folder = write_voc(tmp_path / "set")
    (folder / "Annotations" / "a.xml").write_text(voc_xml("a.jpg", [("cat", 5, 5, 5, 9), ("dog", 1, 1, 30, 30)]))
    train, _ = folder_statistics(folder, config)
    assert (train.boxes, train.unusable) == (2, 1) and len(train.sides) == 2


class Page(HTMLParser):
    """Collects what a browser would fetch, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [
            value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "data", "action")
        ]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_the_page_stands_alone_and_says_what_is_there(folder: Path, config: Config) -> None:
    text = statistics_page("Data set <pets>", folder_statistics(folder, config), config)
    page = Page(text)
    assert [target for target in page.fetched if not target.startswith("#")] == []
    assert not re.search(r"@import|url\((?!#)|<script", text)
    words = " ".join(page.words)
    assert "Data set <pets>" in words and "dog" in words and "320x320, stretch" in words
    assert text.count("<svg") == 10  # five plots a split
    assert "mathdefault" not in text


def test_the_page_of_data_without_boxes_has_no_empty_plots(tmp_path: Path, config: Config) -> None:
    folder = write_voc(tmp_path / "set", {"train": {"a.jpg": []}})
    text = statistics_page("none", folder_statistics(folder, config), config)
    assert text.count("<svg") == 1 and "nan" not in text


def test_many_classes_and_boxes_can_be_drawn(tmp_path: Path, config: Config) -> None:
    folder = write_voc(tmp_path / "set", {"train": {f"{n}.jpg": [] for n in range(30)}})
    for number in range(30):
        boxes = [(f"class with a long name {number * 4 + k}", k, k, k + 30 + number, k + 40) for k in range(80)]
        (folder / "Annotations" / f"{number}.xml").write_text(voc_xml(f"{number}.jpg", boxes))
    (train,) = folder_statistics(folder, config)
    text = statistics_page("many", [train], config)
    assert train.boxes == 2400 and "most and least frequent" in text
