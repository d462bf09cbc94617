"""What an annotation format says, as it stands: pictures, boxes and where each was read; nothing is judged here.

The readers make an `AnnotationSet`, the writers write one, `check` finds what is wrong with it, and `index.index_of`
makes the `DatasetIndex` that training uses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Format = Literal["coco", "voc", "yolo"]
FORMATS: tuple[Format, ...] = ("coco", "voc", "yolo")
Severity = Literal["error", "warning", "info"]
Corners = tuple[float, float, float, float]
"""x1, y1, x2, y2 in pixels of the (turned) picture."""


@dataclass(slots=True, eq=False)
class AnnotatedPicture:
    """One picture as annotated.

    Attributes:
        id: COCO's image id; in the other formats the picture's place in its split, from 1.
        name: as the annotations name it, relative to the set's picture folder.
        path: the file; it need not exist.
        width: pixels, or 0 where the format or the file does not say.
        height: likewise.
        file: where it is annotated.
        line: in that file.
        attributes: what else the format says, under the format's own names.
    """

    id: int
    name: str
    path: Path
    width: int
    height: int
    file: Path
    line: int | None = None
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class AnnotatedBox:
    """One box as annotated.

    Attributes:
        picture: whose it is; `None` when the annotations name no such picture.
        class_id: place in the set's classes; `None` for an unknown class.
        label: the class as the file names it.
        corners: x1, y1, x2, y2 in pixels; x2 may be smaller than x1.
        written: the numbers as they stand in the file, for messages.
        id: COCO's annotation id; VOC's place of the object in its file, from 1; YOLO has none.
        line: in the picture's file, where it is known.
        area: pixels squared, where the format says (COCO's is the mask's).
        crowd: a region of many objects, which is ignored.
        attributes: what else the format says, under the format's own names.
    """

    picture: AnnotatedPicture | None
    class_id: int | None
    label: str
    corners: Corners
    written: str
    id: int | None = None
    line: int | None = None
    area: float | None = None
    crowd: bool = False
    attributes: dict[str, Any] = field(default_factory=dict)

    @property
    def has_own_area(self) -> bool:
        """Whether the annotated area is another than the box's."""
        x1, y1, x2, y2 = self.corners
        return self.area is not None and abs(self.area - (x2 - x1) * (y2 - y1)) > 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """One defect.

    Attributes:
        kind: kebab-case, `zero-size-box` for example.
        severity: an error stops a training; a warning is worth a look; an info is good to know.
        file: the annotation file or the picture.
        message: what is wrong, without the file's name.
        cure: what to do.
        line: in `file`.
        id: of the picture, annotation or object, as its format counts.
        subject: what `--fix` changes or leaves out.
        key: equal for one defect that is seen in several annotation sets.
    """

    kind: str
    severity: Severity
    file: Path
    message: str
    cure: str
    line: int | None = None
    id: int | str | None = None
    subject: AnnotatedPicture | AnnotatedBox | None = None
    key: tuple[Any, ...] = ()

    @property
    def sentence(self) -> str:
        """As an error's text: file, line, what, cure."""
        line = f", line {self.line}" if self.line is not None else ""
        return f"{self.file}{line}: {self.message}. {self.cure}"

    def as_json(self) -> dict[str, Any]:
        """The contract's keys."""
        return {
            "kind": self.kind,
            "severity": self.severity,
            "file": str(self.file),
            "line": self.line,
            "id": self.id,
            "cure": f"{self.message}. {self.cure}",
        }


@dataclass(eq=False)
class AnnotationSet:
    """One split in one format.

    Attributes:
        format: coco, voc or yolo.
        split: train, val, test or another name.
        source: the annotation file, or the folder of many.
        images: the folder that picture names are relative to.
        classes: names in order.
        pictures: all, in order.
        boxes: all, in order.
        problems: what already hindered reading.
        files: all annotation files, for the fingerprint.
        attributes: what else the file says of the whole (COCO's info and licences).
        categories: COCO's category ids in the order of the classes.
    """

    format: Format
    split: str
    source: Path
    images: Path
    classes: tuple[str, ...]
    pictures: list[AnnotatedPicture] = field(default_factory=list)
    boxes: list[AnnotatedBox] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    attributes: dict[str, Any] = field(default_factory=dict)
    categories: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """For messages: the format and the split."""
        return f"{self.format} {self.split}"

    def boxes_of(self) -> dict[int, list[AnnotatedBox]]:
        """`id(picture)` to its boxes; boxes without a picture are left out."""
        grouped: dict[int, list[AnnotatedBox]] = {id(picture): [] for picture in self.pictures}
        for box in self.boxes:
            if box.picture is not None:
                grouped[id(box.picture)].append(box)
        return grouped


def box_title(box: AnnotatedBox, format: Format) -> str:
    """How messages call a box."""
    if format == "coco":
        image = f" (image {box.picture.id})" if box.picture is not None else ""
        return f"annotation {box.id}{image}"
    if format == "voc":
        return f"object {box.id} ({box.label})"
    return f"the box of class {box.label}"


def inside(folder: Path, name: str) -> Path | None:
    """The file of that name in the folder or below; `None` when the name, or a link, leads out of it."""
    if "\0" in name or not name:
        return None
    path = folder / name
    try:
        return path if path.resolve().is_relative_to(folder.resolve()) else None
    except (OSError, RuntimeError):  # a name that no file can have; a link to itself
        return path
    except ValueError:  # characters that no name can have
        return None


def without_unions(sets: Sequence[AnnotationSet]) -> list[AnnotationSet]:
    """The splits that are not just others put together, as VOC's trainval is."""
    names = [frozenset(str(picture.path) for picture in found.pictures) for found in sets]
    kept = []
    for found, own in zip(sets, names, strict=True):
        parts = [other for other in names if other < own]
        if len(set(parts)) < 2 or frozenset().union(*parts) != own:
            kept.append(found)
    return kept
