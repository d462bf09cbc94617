"""Pascal VOC XML: one file a picture, splits as lists of names in `ImageSets/Main`.

Numbers are read as they stand: a box from 1 to 100 is 99 pixels wide. Files are parsed by defusedxml, which refuses
entities and external references.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from nanoedge.data.annotations import AnnotatedBox, AnnotatedPicture, AnnotationSet, Problem, inside
from nanoedge.data.boxes import shares_problem
from nanoedge.data.picture_header import read_header
from nanoedge.errors import DataError, NanoEdgeError, PictureError
from nanoedge.pictures import PICTURE_SUFFIXES

_SIDES = ("xmin", "ymin", "xmax", "ymax")
_USUAL = ("0", "Unspecified", "Unknown")  # marks that say nothing
_READ_OTHERWISE = ("filename", "path", "size", "object", "name", "bndbox")


def read_voc_set(
    annotations: Path,
    images: Path,
    split: str = "all",
    names: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
) -> AnnotationSet:
    """Read a folder of XML files, or those of its files that a split names.

    Args:
        annotations: the folder of the XML files.
        images: the folder of the pictures.
        split: its name.
        names: file names without suffix; `None` takes all.
        classes: in order; `None` takes the names found in all XML files of the folder, sorted.

    Raises:
        DataError: when a folder does not exist.
    """
    for folder, what in ((annotations, "annotation"), (images, "picture")):
        if not folder.is_dir():
            raise DataError(f"The {what} folder {folder} does not exist.")
    found = AnnotationSet("voc", split, annotations, images, ())
    reader = _Reader(found)
    for name in sorted(path.stem for path in annotations.glob("*.xml")) if names is None else names:
        reader.read(name)
    known = tuple(classes) if classes is not None else class_names(annotations)
    found.classes = known
    place = {name: number for number, name in enumerate(known)}
    for box in found.boxes:
        box.class_id = place.get(box.label)
    found.problems += shares_problem(found)
    return found


def class_names(annotations: Path) -> tuple[str, ...]:
    """The class names of a VOC folder: those of `classes.txt` beside or in it, else all that occur, sorted."""
    for place in (annotations.parent / "classes.txt", annotations / "classes.txt"):
        if place.is_file():
            lines = (line.strip() for line in place.read_text(encoding="utf-8", errors="replace").splitlines())
            return tuple(dict.fromkeys(line for line in lines if line))
    names: set[str] = set()
    for path in annotations.glob("*.xml"):
        try:
            root = parse_xml(path)
        except DataError:
            continue
        names.update(text for item in root.iter("object") if (text := _text(item, "name")))
    return tuple(sorted(names))


def looks_like_voc(path: Path) -> bool:
    """Whether an XML file's root is an annotation."""
    try:
        return parse_xml(path).tag == "annotation"
    except DataError:
        return False


def read_split_names(path: Path) -> list[str] | None:
    """The names in a list of `ImageSets/Main`; `None` for a list of one class (name and 1, 0 or -1)."""
    lines = [line.split() for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    if lines and all(len(words) == 2 and words[1] in ("1", "0", "-1") for words in lines):
        return None
    return list(dict.fromkeys(" ".join(words) for words in lines))


def parse_xml(path: Path) -> Element:
    """The root of an XML file; every element has its line under the attribute `_line`.

    Raises:
        DataError: when the file cannot be read, is no XML, or uses entities.
    """
    try:
        from defusedxml.common import DefusedXmlException
        from defusedxml.ElementTree import DefusedXMLParser
    except ImportError as error:
        raise NanoEdgeError("VOC files are read with defusedxml: pip install 'nanoedge[train]'.") from error

    class LineBuilder(TreeBuilder):
        def start(self, tag: str, attributes: Mapping[Any, Any]) -> Element:
            element: Element = super().start(tag, dict(attributes))
            element.set("_line", str(parser.parser.CurrentLineNumber))
            return element

    parser = DefusedXMLParser(target=LineBuilder(), forbid_dtd=False)
    try:
        parser.feed(path.read_bytes())
        root: Element = parser.close()
    except DefusedXmlException as error:
        raise DataError(
            f"{path} is refused: it defines XML entities ({type(error).__name__}), which annotations have no use for."
        ) from error
    except (ParseError, ValueError, LookupError) as error:
        raise DataError(f"{path} is not valid XML: {error}.") from error
    except OSError as error:
        raise DataError(f"The annotation file {path} cannot be read: {error.strerror or error}.") from error
    return root


class _Reader:
    """Takes one file after the other into the set."""

    def __init__(self, target: AnnotationSet) -> None:
        self.set = target
        self.named: dict[str, AnnotatedPicture] = {}

    def read(self, name: str) -> None:
        """The file of one picture."""
        path = inside(self.set.source, f"{name}.xml")
        if path is None:
            self._problem("path-outside-folder", self.set.source, f"the split {self.set.split} names {name!r}, which "
                          "leads out of its folder", "Use plain file names.", id=name)  # fmt: skip
            return
        if not path.is_file():
            self._problem(
                "missing-annotation", path, f"the split {self.set.split} names {name}, which has no XML file",
                "Annotate the picture (a file without objects is fine) or take it out of the list.", id=name,
            )  # fmt: skip
            return
        self.set.files.append(path)
        try:
            root = parse_xml(path)
        except DataError as error:
            text = str(error).removeprefix(f"{path} ").removesuffix(".")
            self._problem("unreadable-annotation", path, text, "Write it anew with an annotation tool.", id=name)
            return
        if root.tag != "annotation":
            self._problem("unreadable-annotation", path, f"is no VOC annotation: its root is <{root.tag}>",
                          "Write it anew with an annotation tool.", id=name)  # fmt: skip
            return
        picture = self._picture(path, root)
        if picture is None:
            return
        if (first := self.named.get(os.path.normpath(picture.path))) is not None:
            message = f"names the picture {picture.name}, as {first.file.name} does"
            self._problem("duplicate-entry", path, message, "Keep one, with the boxes of both, as --fix does.", id=name)
            picture = first
        else:
            self.named[os.path.normpath(picture.path)] = picture
            self.set.pictures.append(picture)
        for number, item in enumerate(root.iter("object"), 1):
            self._object(picture, number, item)

    def _picture(self, path: Path, root: Element) -> AnnotatedPicture | None:
        written = _text(root, "filename") or ""
        found = find_picture(self.set.images, path.stem, written)
        if found is None and written and inside(self.set.images, written) is None:
            self._problem("path-outside-folder", path, f"points out of its picture folder: {written!r}",
                          f"Move the picture below {self.set.images}.", id=path.stem)  # fmt: skip
            return None
        file = found or self.set.images / (written or f"{path.stem}.jpg")
        size = root.find("size")
        width, height = (_whole(size, side) for side in ("width", "height"))
        if not (width and height) and os.path.isfile(file):
            try:
                header = read_header(file)
                width, height = header.width, header.height
            except PictureError:
                width = height = 0  # the picture itself is the problem, and is reported as such
        number = len(self.set.pictures) + 1
        base = Path(os.path.abspath(self.set.images))
        absolute = Path(os.path.abspath(file))
        name = absolute.relative_to(base).as_posix() if absolute.is_relative_to(base) else file.name
        return AnnotatedPicture(number, name, file, width, height, path, attributes=_others(root))

    def _object(self, picture: AnnotatedPicture, number: int, item: Element) -> None:
        line, label = int(item.get("_line", 0)) or None, _text(item, "name") or ""
        if not label:
            self._problem("malformed-annotation", picture.file, f"object {number} has no name", "Name its class.",
                          line=line, id=number, picture=picture)  # fmt: skip
            return
        box = item.find("bndbox")
        sides = [_number(box, side) for side in _SIDES]
        if box is None or any(side is None for side in sides):
            message = f"object {number} ({label}) has no bndbox of four numbers ({', '.join(_SIDES)})"
            self._problem("malformed-annotation", picture.file, message, "Draw the box anew or delete the object.",
                          line=line, id=number, picture=picture)  # fmt: skip
            return
        x1, y1, x2, y2 = (side for side in sides if side is not None)
        self.set.boxes.append(
            AnnotatedBox(
                picture, None, label, (x1, y1, x2, y2), ", ".join(f"{value:g}" for value in (x1, y1, x2, y2)),
                id=number, line=int(box.get("_line", 0)) or line, attributes=_others(item),
            )
        )  # fmt: skip

    def _problem(
        self,
        kind: str,
        file: Path,
        message: str,
        cure: str,
        line: int | None = None,
        id: int | str | None = None,
        picture: AnnotatedPicture | None = None,
    ) -> None:
        key = (kind, str(file), line, id)
        self.set.problems.append(Problem(kind, "error", file, message, cure, line, id, picture, key))


def find_picture(folder: Path, stem: str, written: str = "") -> Path | None:
    """The picture that belongs to an annotation: of its file's name, else of the name that it states."""
    for suffix in (Path(written).suffix, *sorted(PICTURE_SUFFIXES)):
        for variant in (suffix, suffix.upper()):
            path = inside(folder, f"{stem}{variant}") if variant else None
            if path is not None and os.path.isfile(path):
                return path
    path = inside(folder, written)
    return path if path is not None and os.path.isfile(path) else None


def _others(parent: Element) -> dict[str, Any]:
    """What else an element says: texts, and elements as mappings; what stands several times as a list.

    Marks that say nothing are left out.
    """
    others: dict[str, Any] = {}
    for child in parent:
        if child.tag in _READ_OTHERWISE:
            continue
        value = _plain(child)
        if value in ("", {}, *_USUAL):
            continue
        if child.tag in others:
            before = others[child.tag]
            others[child.tag] = [*(before if isinstance(before, list) else [before]), value]
        else:
            others[child.tag] = value
    if others.get("folder") in ("JPEGImages", "images"):
        del others["folder"]
    return others


def _plain(element: Element) -> Any:
    """The text of an element, or a mapping of the elements in it."""
    if not len(element):
        return (element.text or "").strip()
    inner: dict[str, Any] = {}
    for child in element:
        value = _plain(child)
        if value in ("", {}, *_USUAL):
            continue
        inner[child.tag] = (
            [*inner[child.tag], value]
            if isinstance(inner.get(child.tag), list)
            else ([inner[child.tag], value] if child.tag in inner else value)
        )
    return inner


def _text(parent: Element, tag: str) -> str | None:
    text = parent.findtext(tag)
    return text.strip() if text is not None and text.strip() else None


def _number(parent: Element | None, tag: str) -> float | None:
    try:
        value = float(_text(parent, tag) or "") if parent is not None else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) and abs(value) <= 1e30 else None


def _whole(parent: Element | None, tag: str) -> int:
    value = _number(parent, tag)
    return int(value) if value is not None and value >= 1 else 0
