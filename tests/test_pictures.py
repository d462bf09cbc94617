"""Reading and writing pictures: always uint8 BGR, turned as EXIF says, and never half-written."""

from __future__ import annotations

import errno
import os
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from nanoedge.errors import NanoEdgeError, PictureError
from nanoedge.pictures import encode_picture, list_pictures, read_picture, write_picture

QUADRANTS = np.zeros((32, 48, 3), np.uint8)  # four flat colours, which JPEG keeps
QUADRANTS[:16, :24] = (250, 10, 10)
QUADRANTS[:16, 24:] = (10, 250, 10)
QUADRANTS[16:, :24] = (10, 10, 250)
QUADRANTS[16:, 24:] = (250, 250, 250)

# What a viewer does with each EXIF orientation to see the picture upright.
TURNS = {
    1: lambda picture: picture,
    2: np.fliplr,
    3: lambda picture: np.rot90(picture, 2),
    4: np.flipud,
    5: lambda picture: picture.transpose(1, 0, 2),
    6: lambda picture: np.rot90(picture, -1),
    7: lambda picture: np.rot90(picture, 2).transpose(1, 0, 2),
    8: np.rot90,
}


def jpeg_with_orientation(picture: np.ndarray, orientation: int) -> bytes:
    """A JPEG with an EXIF segment that holds the orientation (tag 0x0112, a short) and nothing else."""
    data = encode_picture(picture, ".jpg")
    tag = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
    tiff = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 1) + tag + struct.pack("<I", 0)
    exif = b"Exif\0\0" + tiff
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:]


def png(colour_type: int, depth: int, rows: list[bytes], *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG from raw rows; its width is that of a row."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour_type]
    width = len(rows[0]) * 8 // (depth * channels)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, len(rows), depth, colour_type, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    middle = b"".join(chunk(*one) for one in chunks)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + middle + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def read_bytes(folder: Path, data: bytes, name: str = "picture.png") -> np.ndarray:
    (folder / name).write_bytes(data)
    picture = read_picture(folder / name)
    assert picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3
    assert picture.flags.c_contiguous
    return picture


# --- reading -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", sorted(TURNS))
def test_a_picture_is_turned_as_its_exif_data_say(tmp_path: Path, orientation: int) -> None:
    picture = read_bytes(tmp_path, jpeg_with_orientation(QUADRANTS, orientation), "turned.jpg")
    upright = TURNS[orientation](QUADRANTS)
    assert picture.shape == upright.shape
    differing = (np.abs(picture.astype(int) - upright.astype(int)) > 40).any(axis=2)
    assert differing.mean() < 0.1  # JPEG smears the borders between the colours


def test_a_png_comes_back_exactly_with_blue_first(tmp_path: Path) -> None:
    red_green_blue = png(2, 8, [bytes([255, 0, 0, 0, 128, 0, 0, 0, 64])])
    assert read_bytes(tmp_path, red_green_blue).tolist() == [[[0, 0, 255], [0, 128, 0], [64, 0, 0]]]


def test_grey_is_read_as_three_equal_channels(tmp_path: Path) -> None:
    assert read_bytes(tmp_path, png(0, 8, [bytes([0, 77, 255])])).tolist() == [[[0] * 3, [77] * 3, [255] * 3]]


def test_black_and_white_of_one_bit_is_read_in_full_range(tmp_path: Path) -> None:
    assert read_bytes(tmp_path, png(0, 1, [b"\xa0"]))[0, :3].tolist() == [[255] * 3, [0] * 3, [255] * 3]


def test_16_bits_a_channel_become_8(tmp_path: Path) -> None:
    row = struct.pack(">HHH", 0, 0x8000, 0xFFFF)
    assert read_bytes(tmp_path, png(0, 16, [row])).tolist() == [[[0] * 3, [128] * 3, [255] * 3]]
    assert read_bytes(tmp_path, png(2, 16, [row])).tolist() == [[[255, 128, 0]]]


def test_a_palette_is_looked_up(tmp_path: Path) -> None:
    palette = (b"PLTE", bytes([255, 0, 0, 0, 0, 200]))
    assert read_bytes(tmp_path, png(3, 8, [bytes([1, 0])], palette)).tolist() == [[[200, 0, 0], [0, 0, 255]]]


def test_alpha_is_dropped_and_the_colours_stay(tmp_path: Path) -> None:
    assert read_bytes(tmp_path, png(6, 8, [bytes([10, 20, 30, 0, 40, 50, 60, 255])])).tolist() == [
        [[30, 20, 10], [60, 50, 40]]
    ]
    assert read_bytes(tmp_path, png(4, 8, [bytes([90, 128])])).tolist() == [[[90] * 3]]


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff", ".webp", ".jpg"])
def test_every_listed_format_can_be_read(tmp_path: Path, suffix: str) -> None:
    write_picture(tmp_path / f"a{suffix}", QUADRANTS)
    picture = read_picture(tmp_path / f"a{suffix}")
    assert picture.shape == QUADRANTS.shape
    assert np.abs(picture[4:12, 4:20].astype(int) - QUADRANTS[4:12, 4:20]).max() < 25


def test_a_path_may_be_text_and_hold_any_letters(tmp_path: Path) -> None:
    write_picture(tmp_path / "Käfer 甲虫.png", QUADRANTS)
    np.testing.assert_array_equal(read_picture(str(tmp_path / "Käfer 甲虫.png")), QUADRANTS)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r"picture .*gone\.jpg cannot be read: No such file"):
        read_picture(tmp_path / "gone.jpg")


def test_an_empty_file_is_named_as_empty(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r"empty\.jpg is empty \(0 bytes\)"):
        read_bytes(tmp_path, b"", "empty.jpg")


def test_a_folder_is_no_picture(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="cannot be read"):
        read_picture(tmp_path)


@pytest.mark.parametrize(
    "data",
    [b"no picture at all", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", encode_picture(QUADRANTS, ".png")[:60], b"\0" * 999],
)
def test_a_damaged_file_is_named(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(PictureError, match=r"damaged\.png"):
        read_bytes(tmp_path, data, "damaged.png")


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff", ".webp", ".jpg"])
def test_a_picture_that_lost_its_end_is_refused_not_read_by_half(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    data = encode_picture(noise, suffix)
    with pytest.raises(PictureError, match="cut"):
        read_bytes(tmp_path, data[: len(data) * 3 // 4], f"cut{suffix}")


def test_a_picture_too_large_to_decode_is_refused(tmp_path: Path) -> None:
    header = bytearray(png(2, 8, [bytes(3)]))
    header[16:24] = struct.pack(">II", 2_000_000, 2_000_000)
    header[29:33] = struct.pack(">I", zlib.crc32(bytes(header[12:29])))
    with pytest.raises(PictureError, match=r"bomb\.png"):
        read_bytes(tmp_path, bytes(header), "bomb.png")


# --- writing -------------------------------------------------------------------------------------------------------


def test_what_is_written_is_read_again_and_nothing_else_is_left(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", QUADRANTS)
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png"), QUADRANTS)
    write_picture(tmp_path / "a.png", QUADRANTS[::-1])
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png"), QUADRANTS[::-1])
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize("name", ["a.xyz", "a"])
def test_an_unknown_suffix_is_refused_and_nothing_is_left(tmp_path: Path, name: str) -> None:
    with pytest.raises(NanoEdgeError, match=r"use \.jpg or \.png"):
        write_picture(tmp_path / name, QUADRANTS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["gone/a.png", "file/a.png", "a" * 248 + ".png"], ids=["no folder", "below a file", "long name"]
)
def test_a_place_that_cannot_be_written_is_explained(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"a file")
    with pytest.raises(NanoEdgeError, match="could not be written"):
        write_picture(tmp_path / name, QUADRANTS)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_full_disk_leaves_the_old_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Stands in for a full disk, which a test cannot fill: syncing fails.
    write_picture(tmp_path / "a.png", QUADRANTS)

    def fail(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(NanoEdgeError, match=r"a\.png could not be written: No space left on device"):
        write_picture(tmp_path / "a.png", QUADRANTS[::-1])
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png"), QUADRANTS)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_an_interruption_leaves_no_half_written_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Stands in for Ctrl-C, which would have to come at exactly this moment.
    def interrupt(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_picture(tmp_path / "a.png", QUADRANTS)
    assert list(tmp_path.iterdir()) == []


def test_pictures_of_a_folder_are_listed_by_name_and_nothing_else(tmp_path: Path) -> None:
    for name in ("b.JPG", "a.png", "c.webp", "notes.txt", "d.jpeg.part"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "e.png").write_bytes(b"")
    assert [path.name for path in list_pictures(tmp_path)] == ["a.png", "b.JPG", "c.webp"]


def test_reading_agrees_with_opencvs_own(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    write_picture(tmp_path / "a.jpg", picture)
    np.testing.assert_array_equal(read_picture(tmp_path / "a.jpg"), cv2.imread(str(tmp_path / "a.jpg")))
