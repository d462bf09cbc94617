"""Which pictures calibrate: always the same ones, those that can be read, turned as they are everywhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from nanoedge.config.interface import InputSpec
from nanoedge.errors import InputError
from nanoedge.export.int8.calibration import choose_calibration, tensors_of
from nanoedge.pictures import write_picture
from nanoedge.runtime.preprocess import to_tensor
from PIL import Image


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (6, 8, 3)).astype(np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """23 pictures and a text."""
    for number in range(23):
        write_picture(tmp_path / f"{number:02}.png", noise(number))
    (tmp_path / "notes.txt").write_text("no picture")
    return tmp_path


def names(files: tuple[Path, ...]) -> list[str]:
    return [file.stem for file in files]


def test_pictures_are_spread_over_the_folder_and_every_fifth_is_kept_apart(folder: Path) -> None:
    chosen = choose_calibration(folder, 10)
    assert names(chosen.for_ranges) == ["00", "02", "04", "06", "11", "13", "16", "18"]
    assert names(chosen.for_errors) == ["09", "20"]
    assert chosen.is_kept_apart
    assert chosen == choose_calibration(folder, 10)


def test_few_pictures_serve_both_ends(folder: Path) -> None:
    chosen = choose_calibration(folder, 9)
    assert chosen.for_ranges == chosen.for_errors and len(chosen.for_ranges) == 9
    assert not chosen.is_kept_apart


def test_at_most_forty_pictures_measure_the_error(tmp_path: Path) -> None:
    for number in range(220):
        write_picture(tmp_path / f"{number:03}.png", noise(number))
    chosen = choose_calibration(tmp_path, 220)
    assert (len(chosen.for_ranges), len(chosen.for_errors)) == (176, 40)


def test_fewer_pictures_than_asked_for_are_said(folder: Path) -> None:
    said: list[str] = []
    done: list[tuple[int, int]] = []
    chosen = choose_calibration(folder, 200, said.append, lambda *numbers: done.append(numbers))
    assert len(chosen.for_ranges) + len(chosen.for_errors) == 23
    assert said == [f"{folder} has 23 pictures, fewer than the 200 asked for; all of them are used"]
    assert done[-1] == (23, 23)


def test_pictures_that_cannot_be_read_are_named_and_skipped(folder: Path) -> None:
    (folder / "03.png").write_bytes(b"no picture")
    (folder / "07.png").write_bytes(b"")
    said: list[str] = []
    chosen = choose_calibration(folder, 23, said.append)
    assert names(chosen.skipped) == ["03", "07"]
    assert not set(chosen.skipped) & {*chosen.for_ranges, *chosen.for_errors}
    assert "03.png is no picture that can be decoded" in said[0] and said[0].endswith("It is skipped.")
    assert "07.png is empty" in said[1]


def test_many_broken_pictures_are_counted(folder: Path) -> None:
    for number in range(20):
        (folder / f"{number:02}.png").write_bytes(b"")
    said: list[str] = []
    assert len(choose_calibration(folder, 23, said.append).skipped) == 20
    assert len(said) == 6 and said[-1].startswith("15 more pictures")


def test_a_folder_without_a_readable_picture_is_refused(folder: Path, tmp_path: Path) -> None:
    for file in folder.glob("*.png"):
        file.write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"None of the 23 pictures of .* can be used\. .*00\.png is no picture"):
        choose_calibration(folder, 200)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InputError, match=r"has no pictures .* subfolders are not searched"):
        choose_calibration(empty, 200)
    with pytest.raises(InputError, match="does not exist; --calibration"):
        choose_calibration(tmp_path / "nowhere", 200)


def test_pictures_of_one_colour_are_skipped(folder: Path) -> None:
    generator = np.random.default_rng(0)
    write_picture(folder / "05.png", np.full((6, 8, 3), (10, 200, 90), np.uint8))
    write_picture(folder / "06.png", generator.normal(90, 1, (48, 64, 3)).round().astype(np.uint8))  # a camera's noise
    said: list[str] = []
    chosen = choose_calibration(folder, 23, said.append)
    assert names(chosen.skipped) == ["05", "06"]
    assert "05.png is of one colour" in said[0] and said[0].endswith("It is skipped.")


def test_a_folder_of_pictures_of_one_colour_is_refused(tmp_path: Path) -> None:
    for level in (0, 110, 255):
        write_picture(tmp_path / f"{level:03}.png", np.full((120, 160, 3), level, np.uint8))
    with pytest.raises(InputError, match=r"None of the 3 pictures .*000\.png is of one colour.* Give pictures like"):
        choose_calibration(tmp_path, 200)


def test_pictures_are_turned_as_their_exif_data_say(tmp_path: Path) -> None:
    upright = np.random.default_rng(0).integers(0, 256, (64, 32, 3)).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side: shown turned clockwise
    Image.fromarray(np.rot90(upright).copy()).save(tmp_path / "turned.png", exif=exif)
    spec = InputSpec(width=64, height=64)
    [tensor] = tensors_of([tmp_path / "turned.png"], spec)
    np.testing.assert_array_equal(tensor, to_tensor(upright[:, :, ::-1].copy(), spec)[0])
