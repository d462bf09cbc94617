"""Where COCO JSON lies: one file a split, its pictures in one of several usual folders."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from nanoedge.data.layouts.found import FoundSet, folders_below, split_name
from nanoedge.data.readers import coco

NEEDS = "COCO: a JSON file with images, annotations and categories"
_MOST_TRIED = 50  # pictures that decide which folder is meant


def find(folder: Path) -> list[FoundSet]:
    """The splits of a folder."""
    files = [
        path / name
        for path, names in folders_below(folder)
        for name in names
        if name.lower().endswith(".json") and coco.looks_like_coco(path / name)
    ]
    instances = [path for path in files if path.name.startswith("instances_")]
    others = [path for path in files if path.name.startswith(("person_keypoints_", "panoptic_", "stuff_"))]
    if instances:
        files = [path for path in files if path not in others]  # COCO's own folder: the same pictures again
    return [_found(path, folder) for path in files]


def _found(path: Path, folder: Path) -> FoundSet:
    split = _split_of(path, folder)
    return FoundSet("coco", split, path, partial(coco.read_coco_set, path, _picture_folder(path, folder), split))


def _split_of(path: Path, folder: Path) -> str:
    for text in (path.stem, path.parent.name if path.parent != folder else ""):
        name = split_name(text)
        if text and name != text.lower():
            return name
        if name in ("train", "val", "test", "trainval"):
            return name
    return path.stem.removeprefix("instances_").strip("_.").lower() or "all"


def _picture_folder(annotations: Path, folder: Path) -> Path:
    """The folder in which most of a file's pictures are."""
    tried = coco.some_file_names(annotations, _MOST_TRIED)
    split = _split_of(annotations, folder)
    near = [annotations.parent, annotations.parent.parent, folder]
    inner = ["", "images", "JPEGImages", split, f"images/{split}", f"{split}/images", "data"]
    years = [path.name for path in folder.iterdir() if path.is_dir() and split_name(path.name) == split]
    places = [base / name for base in near for name in [*inner, *years, *(f"images/{year}" for year in years)]]
    existing = [place for place in dict.fromkeys(places) if place.is_dir() and place.is_relative_to(folder)]
    counts = {place: sum(os.path.isfile(place / name) for name in tried if "\0" not in name) for place in existing}
    best = max(counts.values(), default=0)
    if best:
        return next(place for place, count in counts.items() if count == best)
    usual = next((place for place in existing if place.name in ("images", "JPEGImages", *years, split)), None)
    return usual or annotations.parent
