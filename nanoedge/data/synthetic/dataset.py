"""Writing a synthetic set as a COCO data set: pictures, one annotation file a split, and a marker."""

from __future__ import annotations

import json
import math
import re
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nanoedge.data.synthetic.scene import Scene, draw_scene
from nanoedge.data.synthetic.shapes import CLASSES
from nanoedge.errors import InputError, NanoEdgeError
from nanoedge.pictures import opencv

MARKER = "synthetic.json"
JPEG_QUALITY = 92
_SPLIT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")

Progress = Callable[[int, int], None]
"""Called with (pictures written, pictures in all)."""


def write_synthetic_set(
    folder: Path,
    counts: Mapping[str, int],
    size: tuple[int, int] = (320, 240),
    seed: int = 0,
    negative_share: float = 0.1,
    force: bool = False,
    progress: Progress | None = None,
) -> dict[str, Path]:
    """Draw a data set into `folder/annotations/{split}.json` and `folder/images/{split}/000001.jpg`, ….

    A picture depends on the seed, its split, its number and whether it is a negative: a larger set begins with the
    pictures of a smaller one. The set is drawn beside `folder` and renamed at the end, so that an error leaves nothing
    behind.

    Args:
        folder: where the set goes; missing or empty.
        counts: split name to number of pictures.
        size: width and height of every picture, pixels, 64..4096.
        seed: of everything, 0 or more.
        negative_share: share of pictures without objects, 0..1.
        force: replace an earlier set in `folder`; it is kept until the new one is complete.
        progress: told about every picture.

    Returns:
        Split name to annotation file. Its `file_name`s are relative to `folder/images`.

    Raises:
        InputError: for values out of range, a folder that is not empty (without `force`), or one that holds anything
            else than an earlier synthetic set (with `force`).
        NanoEdgeError: when the disk is full or the folder cannot be written.
    """
    _check_request(counts, size, seed, negative_share)
    target = folder.resolve()
    try:
        _check_target(target, force)
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as temporary:
            fresh = Path(temporary) / "new"
            _write_files(fresh, counts, size, seed, negative_share, progress)
            _move_into_place(fresh, target, Path(temporary) / "old")
    except OSError as error:
        raise NanoEdgeError(
            f"The synthetic set cannot be written to {folder}: {error.strerror or error}. "
            "Nothing was left behind; free some space or choose another folder."
        ) from error
    return {split: folder / "annotations" / f"{split}.json" for split in counts}


def is_negative(number: int, negative_share: float) -> bool:
    """Whether picture `number` (from 1) shows no object: negatives are spread evenly, whatever the count."""
    tolerance = 1e-9  # so that ten times 0.1 is one
    return math.floor(number * negative_share + tolerance) > math.floor((number - 1) * negative_share + tolerance)


def _check_request(counts: Mapping[str, int], size: tuple[int, int], seed: int, negative_share: float) -> None:
    if not counts:
        raise InputError("A synthetic set needs at least one split, for example train with 400 pictures.")
    for split, count in counts.items():
        if not _SPLIT_NAME.fullmatch(split):
            raise InputError(f"{split!r} is no name for a split; use letters, digits, '-' and '_'.")
        if count < 1:
            raise InputError(f"The split {split} of a synthetic set needs at least 1 picture, not {count}.")
    if not all(64 <= side <= 4096 for side in size):
        raise InputError(f"Synthetic pictures have sides of 64 to 4096 pixels, not {size[0]}x{size[1]}.")
    if seed < 0:
        raise InputError(f"The seed of a synthetic set must be 0 or more, not {seed}.")
    if not 0 <= negative_share <= 1:
        raise InputError(f"The share of negatives must lie in 0..1, not {negative_share}.")


def _check_target(folder: Path, force: bool) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InputError(f"{folder} is a file; choose a folder for the synthetic set.")
    if not any(folder.iterdir()):
        return
    if not force:
        raise InputError(
            f"The folder {folder} is not empty; choose another one, or use force to replace an earlier set."
        )
    stranger = _find_stranger(folder)
    if stranger is not None:
        raise InputError(
            f"{folder} is not replaced: {stranger} does not belong to a synthetic set. Choose another folder, "
            "or remove it yourself."
        )


def _find_stranger(folder: Path) -> Path | None:
    """The first thing in a folder that its marker does not account for; the folder itself when there is no marker."""
    try:
        marker = json.loads((folder / MARKER).read_bytes())
        counts = {str(split): int(count) for split, count in marker["counts"].items()}
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError, AttributeError):
        return folder
    if not (folder / "annotations").is_dir() or not (folder / "images").is_dir():
        return folder
    expected = {folder / MARKER, folder / "annotations", folder / "images"}
    for split, count in counts.items():
        expected |= {folder / "annotations" / f"{split}.json", folder / "images" / split}
        expected |= {folder / "images" / _file_name(split, number) for number in range(1, count + 1)}
    return next((path for path in sorted(folder.rglob("*")) if path not in expected), None)


def _move_into_place(fresh: Path, folder: Path, retired: Path) -> None:
    """Rename `fresh` to `folder`; what was there goes to `retired`, or back where it was on an error."""
    if folder.exists():
        folder.rename(retired)
    try:
        fresh.rename(folder)
    except OSError:
        if retired.exists():
            retired.rename(folder)
        raise


def _write_files(
    folder: Path,
    counts: Mapping[str, int],
    size: tuple[int, int],
    seed: int,
    negative_share: float,
    progress: Progress | None,
) -> None:
    (folder / "annotations").mkdir(parents=True)
    total, done = sum(counts.values()), 0
    for split, count in counts.items():
        (folder / "images" / split).mkdir(parents=True)
        images: list[dict[str, Any]] = []
        annotations: list[dict[str, Any]] = []
        for number, scene in _draw_split(split, count, size, seed, negative_share):
            name = _file_name(split, number)
            (folder / "images" / name).write_bytes(_encode(scene))
            images.append({"id": number, "file_name": name, "width": size[0], "height": size[1]})
            annotations.extend(_annotations(scene, number, first_id=len(annotations) + 1))
            done += 1
            if progress is not None:
                progress(done, total)
        document = {
            "info": {"description": f"NanoEdge synthetic set, split {split}, seed {seed}"},
            "images": images,
            "annotations": annotations,
            "categories": [{"id": number, "name": name} for number, name in enumerate(CLASSES, start=1)],
        }
        (folder / "annotations" / f"{split}.json").write_text(json.dumps(document) + "\n", encoding="utf-8")
    marker = {
        "made_by": "nanoedge.data.synthetic",
        "seed": seed,
        "size": list(size),
        "counts": {split: int(count) for split, count in counts.items()},
        "negative_share": negative_share,
        "classes": list(CLASSES),
    }
    (folder / MARKER).write_text(json.dumps(marker, indent=2) + "\n", encoding="utf-8")


def _draw_split(
    split: str, count: int, size: tuple[int, int], seed: int, negative_share: float
) -> Iterator[tuple[int, Scene]]:
    split_number = zlib.crc32(split.encode())  # of the name, so that the order of the splits does not matter
    for number in range(1, count + 1):
        random = np.random.default_rng([seed, split_number, number])
        yield number, draw_scene(random, *size, negative=is_negative(number, negative_share))


def _annotations(scene: Scene, image_id: int, first_id: int) -> list[dict[str, Any]]:
    rows = []
    objects = zip(scene.boxes_xyxy.tolist(), scene.class_ids.tolist(), scene.visible_pixels.tolist(), strict=True)
    for number, ((x1, y1, x2, y2), class_id, visible) in enumerate(objects, start=first_id):
        rows.append(
            {
                "id": number,
                "image_id": image_id,
                "category_id": class_id + 1,
                "bbox": [x1, y1, x2 - x1, y2 - y1],
                "area": float(visible),
                "iscrowd": 0,
            }
        )
    return rows


def _file_name(split: str, number: int) -> str:
    return f"{split}/{number:06d}.jpg"


def _encode(scene: Scene) -> bytes:
    cv2 = opencv()
    _, data = cv2.imencode(".jpg", scene.picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return bytes(data.tobytes())
