"""Finding the annotation sets of a folder: which formats and splits lie there, and reading them."""

from __future__ import annotations

from pathlib import Path

from nanoedge.data.annotations import FORMATS, AnnotationSet
from nanoedge.data.layouts import LAYOUTS, FoundSet
from nanoedge.data.readers import coco, voc
from nanoedge.errors import DataError, InputError


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
    if folder.is_file():
        raise InputError(f"{folder} is a file; give the folder of the data set.")
    if not folder.is_dir():
        raise InputError(f"The data folder {folder} does not exist; check the path (data.root=PATH in a training).")
    wanted = [name for name in FORMATS if format in (None, name)]
    return [found for name in wanted for found in sorted(LAYOUTS[name][0](folder), key=_order)]


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
            f"{folder} has no split {split!r}; it has {listed}. Take another by data.train=NAME and data.val=NAME, or "
            f"split one: nanoedge data convert {folder} --to {sets[0].format} --val 0.2 --out NEW_FOLDER."
        )
    formats = {found.format for found in fitting}
    cure = (
        f"Choose one: data.format={fitting[0].format}"
        if len(formats) > 1
        else "Choose by data.NAME.annotations and data.NAME.images"
    )
    listed = "; ".join(f"{found.format} ({found.annotations})" for found in fitting)
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
        lists = annotations.resolve().parents
        if len(lists) < 3:
            raise DataError(f"{annotations} is not in ImageSets/Main of a VOC folder.")
        return voc.read_voc_set(lists[2] / "Annotations", images, split, names)
    if annotations.suffix.lower() in (".yaml", ".yml"):
        raise DataError(
            f"{annotations} describes several splits; set {settings[0].split('.annot')[0]}={split} instead."
        )
    return coco.read_coco_set(annotations, images, split, settings)


def what_is_looked_for(format: str | None = None) -> str:
    """A sentence on what each format needs."""
    return "; ".join(needs for name, (_, needs) in LAYOUTS.items() if format in (None, name)) + "."
