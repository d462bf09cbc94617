"""Finding the annotation sets of a folder: which formats and splits lie there, and reading them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nanoedge.data.annotations import FORMATS, AnnotationSet, Format, Problem, inside
from nanoedge.data.readers import coco, voc, yolo
from nanoedge.errors import DataError, InputError
from nanoedge.pictures import PICTURE_SUFFIXES

DEPTH = 4  # folders below the given one that are searched
_USUAL = {"valid": "val", "validation": "val", "training": "train", "testing": "test", "dev": "val"}
_MOST_TRIED = 50  # pictures that decide which folder is meant


@dataclass(frozen=True)
class FoundSet:
    """One split that can be read.

    Attributes:
        format: coco, voc or yolo.
        split: train, val, test, or as its file or folder is called.
        annotations: COCO's file, VOC's folder of XML files, YOLO's `data.yaml` or folder.
        images: the folder of the pictures.
        names: VOC: those of the split's list; `None` takes all.
        pictures: YOLO: those of the split.
        classes: VOC and YOLO: in order.
        problems: what already the search found.
    """

    format: Format
    split: str
    annotations: Path
    images: Path
    names: tuple[str, ...] | None = None
    pictures: tuple[Path, ...] = ()
    classes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = field(default=())

    def read(self) -> AnnotationSet:
        """The split as it stands.

        Raises:
            DataError: when it cannot be read at all.
        """
        if self.format == "coco":
            found = coco.read_coco_set(self.annotations, self.images, self.split)
        elif self.format == "voc":
            found = voc.read_voc_set(self.annotations, self.images, self.split, self.names, self.classes)
        else:
            found = yolo.read_yolo_set(self.pictures, self.images, self.classes, self.split, self.annotations)
        found.problems[:0] = self.problems
        return found


def find_sets(folder: Path, format: str | None = None) -> list[FoundSet]:
    """All splits of a folder, of one format or of all, each once.

    Args:
        folder: of the data set.
        format: coco, voc or yolo; `None` looks for all.

    Raises:
        InputError: when the folder does not exist or the format is unknown.
        DataError: when a list of classes or splits cannot be read.
    """
    if format is not None and format not in FORMATS:
        raise InputError(f"The format {format!r} is unknown; there are {', '.join(FORMATS)}.")
    if not folder.is_dir():
        raise InputError(f"The data folder {folder} does not exist.")
    searches = {"coco": _coco_sets, "voc": _voc_sets, "yolo": _yolo_sets}
    wanted = [format] if format is not None else list(FORMATS)
    return [found for name in wanted for found in sorted(searches[name](folder), key=_order)]


def _order(found: FoundSet) -> int:
    """Parts of a data set before their unions, as trainval is one."""
    return ("train", "val", "test").index(found.split) if found.split in ("train", "val", "test") else 3


def choose_set(folder: Path, split: str, format: str | None = None) -> FoundSet:
    """The one set of that split.

    Raises:
        InputError: when there is none or several; names what is there and how to choose.
    """
    sets = find_sets(folder, format)
    if not sets:
        raise InputError(f"{folder} holds no annotations that can be read: {what_is_looked_for(format)}")
    fitting = [found for found in sets if found.split == split]
    if len(fitting) == 1:
        return fitting[0]
    listed = "; ".join(f"{found.format} {found.split} ({found.annotations})" for found in sets)
    if not fitting:
        raise InputError(
            f"{folder} has no split {split!r}; it has {listed}. Name another, or make one: "
            f"nanoedge data convert {folder} --to coco --val 0.2 --out NEW_FOLDER."
        )
    formats = {found.format for found in fitting}
    cure = "Choose by data.format" if len(formats) > 1 else "Choose by data.NAME.annotations and data.NAME.images"
    raise InputError(f"{folder} has several sets for the split {split!r}: {listed}. {cure}.")


def read_paths(annotations: Path, images: Path, split: str, settings: tuple[str, str]) -> AnnotationSet:
    """A split whose files are named: COCO JSON, VOC's folder of XML files, or a list of VOC's `ImageSets/Main`.

    Args:
        annotations: the file or folder.
        images: the folder of the pictures.
        split: its name.
        settings: what the user calls `annotations` and `images`, for messages.

    Raises:
        DataError: when it cannot be read.
    """
    if annotations.is_dir():
        return voc.read_voc_set(annotations, images, split)
    if annotations.suffix.lower() == ".txt" and annotations.is_file():
        names = voc.read_split_names(annotations)
        if names is None:
            raise DataError(f"{annotations} lists one class; take the list without a class in its name.")
        return voc.read_voc_set(annotations.parents[2] / "Annotations", images, split, names)
    if annotations.suffix.lower() in (".yaml", ".yml"):
        raise DataError(
            f"{annotations} describes several splits; set {settings[0].split('.annot')[0]}={split} instead."
        )
    return coco.read_coco_set(annotations, images, split, settings)


def what_is_looked_for(format: str | None = None) -> str:
    """A sentence on what each format needs."""
    needs = {
        "coco": "COCO: a JSON file with images, annotations and categories",
        "voc": "VOC: a folder of XML files",
        "yolo": "YOLO: data.yaml with names, or classes.txt beside text files",
    }
    return "; ".join(needs[name] for name in FORMATS if format in (None, name)) + "."


def split_name(text: str) -> str:
    """The usual name of a split: `instances_train2017` is train, `valid` is val."""
    words = [word for word in re.split(r"[^a-z0-9]+", text.lower()) if word]
    for word in words:
        plain = word.rstrip("0123456789")
        if plain in ("train", "val", "test", "trainval", "minival"):
            return plain
        if plain in _USUAL:
            return _USUAL[plain]
    return text.lower()


def _folders(folder: Path, depth: int = DEPTH) -> Iterator[tuple[Path, list[str]]]:
    """Each folder with its file names, hidden ones left out."""
    base = len(folder.parts)
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        path = Path(place)
        if len(path.parts) - base >= depth:
            folders.clear()
        yield path, sorted(name for name in files if not name.startswith("."))


# --- COCO -------------------------------------------------------------------------------------------------------------


def _coco_sets(folder: Path) -> list[FoundSet]:
    files = [
        path / name
        for path, names in _folders(folder)
        for name in names
        if name.lower().endswith(".json") and coco.looks_like_coco(path / name)
    ]
    instances = [path for path in files if path.name.startswith("instances_")]
    others = [path for path in files if path.name.startswith(("person_keypoints_", "panoptic_", "stuff_"))]
    if instances:
        files = [path for path in files if path not in others]  # COCO's own folder: the same pictures again
    return [FoundSet("coco", _coco_split(path, folder), path, _picture_folder(path, folder)) for path in files]


def _coco_split(path: Path, folder: Path) -> str:
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
    split = _coco_split(annotations, folder)
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


# --- Pascal VOC -------------------------------------------------------------------------------------------------------


def _voc_sets(folder: Path) -> list[FoundSet]:
    sets: list[FoundSet] = []
    for path, names in _folders(folder):
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
            sets.append(FoundSet("voc", name, path, images, None if listed is None else tuple(listed), classes=classes))
    return sets


def _beside(path: Path, names: Sequence[str]) -> Path:
    """A picture folder beside a folder of annotations, or that folder itself when pictures lie in it."""
    if any(file.suffix.lower() in PICTURE_SUFFIXES for file in path.iterdir()):
        return path
    return next((path.parent / name for name in names if (path.parent / name).is_dir()), path)


# --- YOLO -------------------------------------------------------------------------------------------------------------


def _yolo_sets(folder: Path) -> list[FoundSet]:
    for path, names in _folders(folder, 2):
        for name in names:
            if name.lower().endswith((".yaml", ".yml")):
                document = yolo.read_data_yaml(path / name)
                if "names" in document and (found := list(_yaml_splits(path / name, document, folder))):
                    return found
    for path, names in _folders(folder, 2):
        for name in ("classes.txt", "obj.names", "_darknet.labels"):
            if name in names and (listed := _listed_yolo(path / name, folder)) is not None:
                return [listed]
    return []


def _yaml_splits(path: Path, document: dict[str, object], folder: Path) -> Iterator[FoundSet]:
    classes = yolo.read_names(path)
    for key, entry in document.items():
        if key in ("path", "names", "nc", "download"):
            continue
        entries = entry if isinstance(entry, list) else [entry] if isinstance(entry, str) else []
        if key not in ("train", "val", "test") and not any(
            _yolo_place(str(text), str(document.get("path") or "."), path.parent, folder) for text in entries
        ):
            continue  # some other setting
        pictures: list[Path] = []
        problems: list[Problem] = []
        for text in entries:
            place = _yolo_place(str(text), str(document.get("path") or "."), path.parent, folder)
            if place is None:
                problems.append(
                    Problem(
                        "missing-split", "error", path, f"the split {key} names {text!r}, which is not below {folder}",
                        "Write the path relative to this file.", id=key, key=("missing-split", str(path), key),
                    )
                )  # fmt: skip
            elif place.is_dir():
                pictures += yolo.pictures_below(place)
            else:
                listed, lost = _listed_pictures(place, folder)
                pictures += listed
                problems += lost
        if entries:
            unique = tuple(dict.fromkeys(pictures))
            yield FoundSet("yolo", key, path, folder, pictures=unique, classes=classes, problems=tuple(problems))


def _yolo_place(text: str, base: str, beside: Path, folder: Path) -> Path | None:
    """Where an entry of `data.yaml` leads; exporters write it relative to different folders."""
    plain = re.sub(r"^(\.\./)+", "", text)
    for place in (beside / base / text, beside / text, beside / plain, folder / plain):
        if place.exists() and place.resolve().is_relative_to(folder.resolve()):
            return place
    return None


def _listed_pictures(path: Path, folder: Path) -> tuple[list[Path], list[Problem]]:
    """The pictures of a text file with a path a line."""
    pictures, problems = [], []
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        text = line.strip()
        if not text:
            continue
        found = next(
            (place for base in (folder, path.parent) if (place := inside(base, text)) is not None and place.is_file()),
            None,
        )
        if found is not None:
            pictures.append(found)
            continue
        leaves = inside(folder, text) is None and inside(path.parent, text) is None
        kind, what = ("path-outside-folder", "leads out of the folder") if leaves else ("missing-picture", "is missing")
        key = (kind, str(path), number)
        cure = "Correct the path or take the line out."
        problems.append(Problem(kind, "error", path, f"{text!r} {what}", cure, line=number, id=text, key=key))
    return pictures, problems


def _listed_yolo(names: Path, folder: Path) -> FoundSet | None:
    """A folder with `classes.txt` and text files beside the pictures, as LabelImg writes."""
    pictures = [path for path in yolo.pictures_below(folder) if yolo.label_file(path).is_file()]
    if not pictures:
        return None
    everything = tuple(yolo.pictures_below(folder))
    return FoundSet("yolo", "all", names, folder, pictures=everything, classes=yolo.read_names(names))
