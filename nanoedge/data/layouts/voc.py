"""Where VOC's XML files lie: in `Annotations` with `JPEGImages` and `ImageSets`, or beside their pictures."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from nanoedge.data.layouts.found import FoundSet, folders_below, split_name
from nanoedge.data.readers import voc
from nanoedge.pictures import PICTURE_SUFFIXES

NEEDS = "VOC: a folder of XML files"


def find(folder: Path) -> list[FoundSet]:
    """The splits of a folder."""
    sets: list[FoundSet] = []
    for path, names in folders_below(folder):
        xml = [name for name in names if name.lower().endswith(".xml")]
        if not any(voc.looks_like_voc(path / name) for name in xml[:5]):
            continue
        images = _beside(path, ("JPEGImages", "images", "Images"))
        lists = sorted((path.parent / "ImageSets" / "Main").glob("*.txt"))
        chosen = [(split_name(file.stem), voc.read_split_names(file)) for file in lists]
        splits: list[tuple[str, list[str] | None]] = [(name, listed) for name, listed in chosen if listed is not None]
        if not splits:
            name = split_name(path.name) if path != folder else "all"
            splits = [(name if name in ("train", "val", "test", "trainval") else "all", None)]
        classes = voc.class_names(path)
        for name, listed in splits:
            sets.append(FoundSet("voc", name, path, partial(voc.read_voc_set, path, images, name, listed, classes)))
    return sets


def _beside(path: Path, names: Sequence[str]) -> Path:
    """A picture folder beside a folder of annotations, or that folder itself when pictures lie in it."""
    if any(file.suffix.lower() in PICTURE_SUFFIXES for file in path.iterdir()):
        return path
    return next((path.parent / name for name in names if (path.parent / name).is_dir()), path)
