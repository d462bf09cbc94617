"""Writing a corrected copy of a data set; the original is never touched."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from nanoedge.data.annotations import (
    AnnotatedBox,
    AnnotatedPicture,
    AnnotationSet,
    Corners,
    Problem,
    without_unions,
)
from nanoedge.data.boxes import clipped
from nanoedge.data.check.duplicates import without_doubles
from nanoedge.data.check.pictures import look_at
from nanoedge.data.check.report import CheckResult
from nanoedge.data.convert import Conversion, refuse_overlap, write_sets
from nanoedge.data.picture_header import PictureHeader
from nanoedge.errors import InputError

Progress = Callable[[int, int], None]
SAME_ASPECT = 0.01  # relative: a picture whose sides changed by one factor was only resized

WITHOUT_BOX = frozenset({"zero-size-box", "box-outside-picture", "unknown-picture", "duplicate-box"})
WITHOUT_PICTURE = frozenset(
    {"missing-picture", "unreadable-picture", "truncated-picture", "leak", "near-duplicate", "duplicate-picture"}
)
LEFT_OUT_ON_READING = frozenset(
    {"malformed-annotation", "path-outside-folder", "missing-annotation", "unreadable-annotation"}
)


@dataclasses.dataclass(frozen=True)
class Fixed:
    """What was written, and what became of each problem.

    Attributes:
        copy: the corrected copy.
        before: split to pictures and boxes of the original.
        done: kind of problem to how many were mended.
        left: problems that a person has to decide.
    """

    copy: Conversion
    before: dict[str, tuple[int, int]]
    done: dict[str, int]
    left: tuple[Problem, ...]


def write_fixed(
    result: CheckResult, out: Path, link: bool = False, force: bool = False, progress: Progress | None = None
) -> Fixed:
    """Write a copy in the same format without what can be mended by rule.

    Boxes that cannot be used or are drawn twice, pictures that cannot be read or are also in another split, and rows
    that mean nothing are left out; boxes beyond the edge are clipped; boxes of a turned or resized picture are moved
    along; duplicate annotation ids are counted anew.

    Args:
        result: what the check found, of one format.
        out: the new folder.
        link: hard links to the pictures instead of copies.
        force: replace an earlier copy.
        progress: called with (pictures copied, pictures in all).

    Raises:
        InputError: when several formats were checked.
    """
    formats = list(dict.fromkeys(found.format for found in result.sets))
    if len(formats) != 1:
        choice = f"choose with --format {formats[0]}" if formats else "none could be read"
        raise InputError(f"--fix writes one format; {choice}.")
    refuse_overlap(result.folder, out)
    mender = _Mender(result.sets)
    done: dict[str, int] = {}
    left = []
    for problem in result.problems:
        if mender.mend(problem):
            done[problem.kind] = done.get(problem.kind, 0) + 1
        else:
            left.append(problem)
    mended = mender.sets()
    if not mended:
        raise InputError(
            f"Nothing would be left of {result.folder}: no picture can be used. Is it the right folder, and are the "
            "pictures where the annotations say?"
        )
    losses = []
    if mender.without_boxes:
        losses.append(f"{mender.without_boxes} pictures none of whose boxes could be used; they are no negatives")
    if mender.unknown_classes:
        losses.append(f"{mender.unknown_classes} boxes of unknown classes; correct their names, or add the classes")
    if mender.moved_masks:
        losses.append(f"masks and keypoints of {mender.moved_masks} boxes that were turned or scaled")
    copy = write_sets(mended, formats[0], out, link, force, progress, losses)
    before = {found.split: (len(found.pictures), len(found.boxes)) for found in result.sets}
    return Fixed(copy, before, done, tuple(left))


_IN_PIXELS = ("segmentation", "keypoints", "num_keypoints")  # of COCO; they do not move along


class _Mender:
    """Collects what is left out and what is moved, then makes new sets."""

    def __init__(self, sets: Iterable[AnnotationSet]) -> None:
        self._sets = tuple(sets)
        self._no_boxes: set[tuple[Path, str, Corners]] = set()
        self._no_box_objects: set[int] = set()
        self._no_pictures: set[tuple[str | None, Path]] = set()
        self._clip = False
        self._undouble = False
        self.moved_masks = 0
        self._lost: set[Path] = set()  # pictures that lose boxes
        self.without_boxes = 0
        self.unknown_classes = 0
        self._moved: dict[Path, tuple[int, int, Callable[[Corners], Corners]]] = {}
        self._set_of = {id(picture): found for found in self._sets for picture in found.pictures}
        self._boxes_of = {key: boxes for found in self._sets for key, boxes in found.boxes_of().items()}
        paths = [picture.path for found in self._sets for picture in found.pictures]
        self._headers: Mapping[Path, PictureHeader | None] = {
            path: seen.header for path, seen in look_at(paths, decode=False).items()
        }

    def mend(self, problem: Problem) -> bool:
        """Note what is to be done; whether something can be."""
        subject, kind = problem.subject, problem.kind
        if kind == "unknown-class" and isinstance(subject, AnnotatedBox):
            if known_class(subject.label, self._set_of[id(subject.picture)]) is None:
                self.unknown_classes += 1
                self._leave_out(subject, kind)
                return False  # the copy has no place for it, but only a person knows what it should be
        elif kind in WITHOUT_BOX and isinstance(subject, AnnotatedBox):
            self._leave_out(subject, kind)
        elif kind in WITHOUT_PICTURE and isinstance(subject, AnnotatedPicture):
            split = self._set_of[id(subject)].split if kind in ("leak", "near-duplicate") else None
            self._no_pictures.add((split, subject.path))
        elif kind == "box-beyond-edge":
            self._clip = True
        elif kind == "not-normalised":
            return True  # the reader has taken the pixels already
        elif kind in ("exif-turn", "size-disagreement") and isinstance(subject, AnnotatedPicture):
            return problem.severity == "error" and self._move(subject)
        else:
            by_reading = kind in LEFT_OUT_ON_READING or kind == "duplicate-entry"
            if by_reading and isinstance(subject, AnnotatedPicture):
                self._lost.add(subject.path)
            return by_reading or (kind == "duplicate-id" and "annotation" in problem.message)
        return True

    def _leave_out(self, box: AnnotatedBox, kind: str) -> None:
        """One box in every set that has it; of those drawn twice `without_doubles` keeps the first."""
        x1, y1, x2, y2 = box.corners
        if kind == "zero-size-box" and x2 < x1 and y2 < y1 and self._sets[0].format == "voc":
            return  # only its corners are exchanged
        if kind == "duplicate-box":
            self._undouble = True
        elif box.picture is None:
            self._no_box_objects.add(id(box))
        else:
            self._no_boxes.add((box.picture.path, box.label, box.corners))
            self._lost.add(box.picture.path)

    def _move(self, picture: AnnotatedPicture) -> bool:
        header = self._headers.get(picture.path)
        if header is None:
            return False
        width, height = picture.width, picture.height
        if (width, height) == header.stored_size and header.orientation != 1:
            orientation = header.orientation
            self._moved[picture.path] = (header.width, header.height,
                                         lambda corners: turned(corners, width, height, orientation))  # fmt: skip
            return True
        if (height, width) == (header.width, header.height) and self._fit(picture, header):
            self._moved[picture.path] = (header.width, header.height, lambda corners: corners)
            return True
        scale_x, scale_y = header.width / width, header.height / height
        if abs(scale_x / scale_y - 1) > SAME_ASPECT:
            return False
        self._moved[picture.path] = (header.width, header.height,
                                     lambda corners: scaled(corners, scale_x, scale_y))  # fmt: skip
        return True

    def _fit(self, picture: AnnotatedPicture, header: PictureHeader) -> bool:
        """Whether all boxes of a picture lie in the file as it is; then only its sides were written in exchange."""
        corners = [box.corners for box in self._boxes_of[id(picture)]]
        return all(x2 <= header.width + 1 and y2 <= header.height + 1 for _, _, x2, y2 in corners)

    def sets(self) -> list[AnnotationSet]:
        """The corrected sets; a split that lost all pictures is left out."""
        parts = without_unions(self._sets)
        mended = {id(found): self._mended(found) for found in self._sets}
        left = {picture.path for found in parts for picture in mended[id(found)].pictures}
        for found in self._sets:
            if found not in parts:  # a union keeps what its parts keep
                whole = mended[id(found)]
                pictures = [picture for picture in whole.pictures if picture.path in left]
                kept = {id(picture) for picture in pictures}
                boxes = [box for box in whole.boxes if id(box.picture) in kept]
                mended[id(found)] = dataclasses.replace(whole, pictures=pictures, boxes=boxes)
        return [found for found in mended.values() if found.pictures]

    def _mended(self, found: AnnotationSet) -> AnnotationSet:
        kept: dict[int, AnnotatedPicture] = {}
        for picture in found.pictures:
            if (None, picture.path) in self._no_pictures or (found.split, picture.path) in self._no_pictures:
                continue
            width, height, _ = self._moved.get(picture.path, (picture.width, picture.height, None))
            if width and height:
                kept[id(picture)] = dataclasses.replace(picture, width=width, height=height)
        boxes = []
        for box in found.boxes:
            own = box.picture
            if own is None or id(own) not in kept:
                continue
            if box.class_id is None:
                place = known_class(box.label, found)
                if place is None:
                    continue
                box = dataclasses.replace(box, class_id=place, label=found.classes[place])
            if id(box) in self._no_box_objects or (own.path, box.label, box.corners) in self._no_boxes:
                continue
            moved = self._moved.get(own.path)
            corners = box.corners if moved is None else moved[2](box.corners)
            x1, y1, x2, y2 = corners
            corners = min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)
            picture = kept[id(own)]
            if self._clip:
                corners = clipped(corners, picture)
            attributes, area = box.attributes, box.area
            if corners != box.corners:
                attributes = {key: value for key, value in attributes.items() if key != "polygon"}
            if moved is not None:
                self.moved_masks += "segmentation" in attributes or "keypoints" in attributes
                attributes = {key: value for key, value in attributes.items() if key not in _IN_PIXELS}
                area = None
            boxes.append(dataclasses.replace(box, picture=picture, corners=corners, attributes=attributes, area=area))
        if self._undouble:
            boxes = without_doubles(boxes)
        busy = {id(box.picture) for box in boxes}
        pictures = [picture for picture in kept.values() if id(picture) in busy or picture.path not in self._lost]
        self.without_boxes += len(kept) - len(pictures)
        return dataclasses.replace(found, pictures=pictures, boxes=boxes, problems=[])


def known_class(label: str, found: AnnotationSet) -> int | None:
    """The one class of a set that an unknown name means: it differs in upper and lower case only.

    Only VOC writes names into boxes; what COCO and YOLO write are numbers, which are never taken for a name.
    """
    alike = [number for number, name in enumerate(found.classes) if name.casefold() == label.casefold()]
    return alike[0] if found.format == "voc" and len(alike) == 1 else None


def scaled(corners: Corners, scale_x: float, scale_y: float) -> Corners:
    """A box after its picture was resized."""
    x1, y1, x2, y2 = corners
    return x1 * scale_x, y1 * scale_y, x2 * scale_x, y2 * scale_y


def turned(corners: Corners, width: int, height: int, orientation: int) -> Corners:
    """A box on the stored picture (width x height) as it lies on the picture that EXIF's orientation makes of it."""
    x1, y1, x2, y2 = corners
    turns: dict[int, Callable[[float, float], tuple[float, float]]] = {
        1: lambda x, y: (x, y),
        2: lambda x, y: (width - x, y),
        3: lambda x, y: (width - x, height - y),
        4: lambda x, y: (x, height - y),
        5: lambda x, y: (y, x),
        6: lambda x, y: (height - y, x),
        7: lambda x, y: (height - y, width - x),
        8: lambda x, y: (y, width - x),
    }
    (ax, ay), (bx, by) = turns[orientation](x1, y1), turns[orientation](x2, y2)
    return min(ax, bx), min(ay, by), max(ax, bx), max(ay, by)
