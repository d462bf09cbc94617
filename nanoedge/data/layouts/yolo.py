"""Where YOLO's text files lie: as `data.yaml` says, or beside the pictures with a list of classes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from nanoedge.data.annotations import Problem, Severity, inside
from nanoedge.data.layouts.found import FoundSet, folders_below
from nanoedge.data.readers import yolo
from nanoedge.errors import DataError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_OWN_KEYS = ("path", "names", "nc", "download")
NEEDS = "YOLO: data.yaml with names, or classes.txt beside text files"


def find(folder: Path) -> list[FoundSet]:
    """The splits of a folder."""
    for path, names in folders_below(folder, 2):
        for name in names:
            if name.lower().endswith((".yaml", ".yml")):
                text = (path / name).read_bytes()
                if b"names" not in text:
                    continue  # of some other program
                document = yolo.read_data_yaml(path / name)
                if "names" in document and (found := list(_yaml_splits(path / name, document, folder))):
                    return found
    for path, names in folders_below(folder, 2):
        for name in ("classes.txt", "obj.names", "_darknet.labels"):
            if name in names and (listed := _listed_yolo(path / name, folder)) is not None:
                return [listed]
    return []


def _yaml_splits(path: Path, document: dict[str, object], folder: Path) -> Iterator[FoundSet]:
    classes = yolo.read_names(path)
    count = document.get("nc", len(classes))
    if count != len(classes):
        raise DataError(f"{path}: nc is {count}, but there are {len(classes)} names; correct one of them.")
    splits: dict[str, list[str]] = {}
    settings: dict[str, object] = {}
    for key, entry in ((str(key), entry) for key, entry in document.items() if key not in _OWN_KEYS):
        entries = [text for text in (entry if isinstance(entry, list) else [entry]) if isinstance(text, str)]
        leads = any(_place_of(text, str(document.get("path") or "."), path.parent, folder) for text in entries)
        if _NAME.fullmatch(key) and (leads or key in ("train", "val", "test")):
            splits[key] = entries
        else:
            settings[key] = entry
    for key, entries in splits.items():
        pictures: list[Path] = []
        problems: list[Problem] = []
        for text in entries:
            place = _place_of(str(text), str(document.get("path") or "."), path.parent, folder)
            if place is None:
                problems.append(_missing_split(path, folder, str(key), str(text)))
            elif os.path.isdir(place):
                pictures += yolo.pictures_below(place)
            else:
                listed, lost = _listed_pictures(place, folder)
                pictures += listed
                problems += lost
        if entries:
            unique = tuple(dict.fromkeys(pictures))
            reader = partial(yolo.read_yolo_set, unique, folder, classes, key, path, settings)
            yield FoundSet("yolo", key, path, reader, tuple(problems))


def _missing_split(path: Path, folder: Path, split: str, text: str) -> Problem:
    """An error, but for a test split that was never exported; a training does without."""
    elsewhere = Path(text).is_absolute() or any(os.path.exists(base / text) for base in (path.parent, folder))
    what = f"which is not below {folder}" if elsewhere else "and there is no such folder or file"
    cure = "Write the path relative to this file." if elsewhere else "Add it, or take the line out."
    key = ("missing-split", str(path), split)
    severity: Severity = "warning" if split == "test" and not elsewhere else "error"
    return Problem(
        "missing-split", severity, path, f"the split {split} names {text!r}, {what}", cure, id=split, key=key
    )


def _place_of(text: str, base: str, beside: Path, folder: Path) -> Path | None:
    """Where an entry of `data.yaml` leads; exporters write it relative to different folders."""
    plain = re.sub(r"^(\.\./)+", "", text)
    for place in (beside / base / text, beside / text, beside / plain, folder / plain):
        if os.path.exists(place) and place.resolve().is_relative_to(folder.resolve()):
            return place
    return None


def _listed_pictures(path: Path, folder: Path) -> tuple[list[Path], list[Problem]]:
    """The pictures of a text file with a path a line."""
    pictures, problems = [], []
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        text = line.strip()
        if not text:
            continue
        places = [place for base in (folder, path.parent) if (place := inside(base, text)) is not None]
        found = next((place for place in places if os.path.isfile(place)), None)
        if found is not None:
            pictures.append(found)
            continue
        kind, what = (
            ("path-outside-folder", "leads out of the folder") if not places else ("missing-picture", "is missing")
        )
        key = (kind, str(path), number)
        cure = "Correct the path or take the line out."
        problems.append(Problem(kind, "error", path, f"{text!r} {what}", cure, line=number, id=text, key=key))
    return pictures, problems


def _listed_yolo(names: Path, folder: Path) -> FoundSet | None:
    """A folder with `classes.txt` and text files beside the pictures, as LabelImg writes."""
    pictures = [path for path in yolo.pictures_below(folder) if yolo.label_file(path, folder).is_file()]
    if not pictures:
        return None
    everything = tuple(yolo.pictures_below(folder))
    classes = yolo.read_names(names)
    return FoundSet("yolo", "all", names, partial(yolo.read_yolo_set, everything, folder, classes, "all", names))
