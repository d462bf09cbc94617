"""Where training pictures come from: reduced decoding, memory and disk give the same pictures."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from nanoedge.data import picture_source
from nanoedge.data.index import DatasetIndex, Sample
from nanoedge.data.picture_source import PictureSource, reduction
from nanoedge.errors import DataError, PictureError
from nanoedge.pictures import read_picture, write_picture
from PIL import Image
from tests.data.folders import picture

NONE = np.zeros((0, 4), np.float32)


def sample_of(path: Path, size: tuple[int, int]) -> Sample:
    return Sample(1, path, *size, NONE, np.zeros(0, np.int64), NONE[:, 0], NONE, np.zeros(0, np.int64))


@pytest.fixture
def index(tmp_path: Path) -> DatasetIndex:
    sizes = [(640, 480), (641, 479), (100, 75)]
    for number, size in enumerate(sizes):
        write_picture(tmp_path / f"{number}.jpg", picture(number, size))
    return DatasetIndex("test", ("a",), tuple(sample_of(tmp_path / f"{n}.jpg", size) for n, size in enumerate(sizes)))


@pytest.mark.parametrize(
    ("need", "factors"), [(None, [1, 1, 1]), ((320, 200), [2, 2, 1]), ((321, 100), [1, 1, 1]), ((80, 59), [8, 8, 1])]
)
def test_a_picture_is_reduced_as_far_as_what_is_needed_allows(
    index: DatasetIndex, need: tuple[int, int] | None, factors: list[int]
) -> None:
    assert [reduction(sample, need) for sample in index.samples] == factors
    source = PictureSource(index, need)
    for number, (sample, factor) in enumerate(zip(index.samples, factors, strict=True)):
        found, by = source.read(number)
        assert by == factor and found.shape[:2] == (-(-sample.height // factor), -(-sample.width // factor))


def test_only_jpegs_are_reduced(tmp_path: Path) -> None:
    assert reduction(sample_of(tmp_path / "a.png", (6400, 4800)), (320, 320)) == 1


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_a_reduced_picture_shows_the_same_at_the_same_place(index: DatasetIndex, factor: int) -> None:
    whole = read_picture(index.samples[0].path)
    reduced = read_picture(index.samples[0].path, factor)
    small = cv2.resize(whole, (reduced.shape[1], reduced.shape[0]), interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - reduced).mean() < 2


@pytest.mark.parametrize("orientation", [3, 6])
def test_a_reduced_picture_is_turned_too(tmp_path: Path, orientation: int) -> None:
    image = Image.fromarray(picture(2, (640, 480)))
    exif = image.getexif()
    exif[0x0112] = orientation
    image.save(tmp_path / "a.jpg", exif=exif)
    whole, half = read_picture(tmp_path / "a.jpg"), read_picture(tmp_path / "a.jpg", 2)
    small = cv2.resize(whole, (half.shape[1], half.shape[0]), interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - half).mean() < 2


@pytest.mark.parametrize("need", [None, (320, 200)])
@pytest.mark.parametrize("cache", ["memory", "disk"])
def test_a_cache_gives_the_same_pictures(index: DatasetIndex, tmp_path: Path, cache: str, need: tuple | None) -> None:
    plain, kept = PictureSource(index, need), PictureSource(index, need, cache, tmp_path / "cache")
    for _ in range(2):
        for number in range(len(index)):
            (one, factor), (other, again) = plain.read(number), kept.read(number)
            assert factor == again
            np.testing.assert_array_equal(one, other)


SHARED = """
import os, sys
import numpy as np
from pathlib import Path
from nanoedge.data.index import DatasetIndex, Sample
from nanoedge.data.picture_source import PictureSource
from nanoedge.pictures import read_picture
path, none = Path(sys.argv[1]), np.zeros((0, 4), np.float32)
sample = Sample(1, path, 640, 480, none, np.zeros(0, np.int64), none[:, 0], none, np.zeros(0, np.int64))
source = PictureSource(DatasetIndex("test", ("a",), (sample,)), cache="memory")
wanted = read_picture(path)
child = os.fork()
if child == 0:  # a worker
    source.read(0)
    os._exit(0)
os.waitpid(child, 0)
path.unlink()
sys.exit(0 if source.in_memory == 1 and np.array_equal(source.read(0)[0], wanted) else 1)
"""


def test_memory_is_read_once_and_shared_with_forked_workers(index: DatasetIndex) -> None:
    command = [sys.executable, "-c", SHARED, str(index.samples[0].path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    with pytest.raises(PictureError):
        PictureSource(index).read(0)


def test_what_does_not_fit_into_memory_is_read_every_time(index: DatasetIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_source, "free_memory", lambda: 2_000_000)
    source = PictureSource(index, cache="memory")
    assert source.in_memory == 1
    for number in (0, 1, 2, 1):
        np.testing.assert_array_equal(source.read(number)[0], read_picture(index.samples[number].path))


def test_the_cache_on_disk_notices_a_changed_file_and_a_damaged_entry(index: DatasetIndex, tmp_path: Path) -> None:
    source = PictureSource(index, cache="disk", folder=tmp_path / "cache")
    source.read(0)
    (entry,) = (tmp_path / "cache").iterdir()
    write_picture(index.samples[0].path, picture(50, (640, 480)))
    os.utime(index.samples[0].path, ns=(1, 1))
    np.testing.assert_array_equal(source.read(0)[0], read_picture(index.samples[0].path))
    for path in (tmp_path / "cache").iterdir():
        path.write_bytes(b"PK\x03\x04" + entry.read_bytes()[:1000])
    np.testing.assert_array_equal(source.read(0)[0], read_picture(index.samples[0].path))


@pytest.mark.parametrize("cache", ["none", "memory", "disk"])
def test_a_picture_of_another_size_is_refused_with_its_own_size(tmp_path: Path, cache: str) -> None:
    write_picture(tmp_path / "a.jpg", picture(1, (640, 480)))
    index = DatasetIndex("test", ("a",), (sample_of(tmp_path / "a.jpg", (480, 640)),))
    with pytest.raises(DataError, match=r"a\.jpg is 640x480 pixels .*annotated as 480x640"):
        PictureSource(index, (240, 200), cache, tmp_path / "cache").read(0)


def test_free_memory_is_measured() -> None:
    assert 2**20 < picture_source.free_memory() < 2**50


def test_a_picture_of_another_kind_than_its_name_is_read_reduced_all_the_same(tmp_path: Path) -> None:
    pixels = picture(5, (1001, 801))
    (tmp_path / "x.jpg").write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    index = DatasetIndex("test", ("a",), (sample_of(tmp_path / "x.jpg", (1001, 801)),))
    found, factor = PictureSource(index, (500, 400)).read(0)
    assert factor == 2 and found.shape == (401, 501, 3)
