"""Files that belong to nothing: pictures that no annotation names, annotations that no split or picture has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from nanoedge.data.annotations import AnnotationSet, Problem
from nanoedge.data.readers.yolo import label_file
from nanoedge.pictures import list_pictures

MOST_NAMED = 3


def stray_files(sets: Sequence[AnnotationSet]) -> Iterator[Problem]:
    """Strays of one format's splits, a problem a folder and kind."""
    if not sets:
        return
    used = {picture.path for found in sets for picture in found.pictures}
    annotated = {picture.file for found in sets for picture in found.pictures}
    annotated |= {file for found in sets for file in found.files}
    format = sets[0].format
    if format == "voc":
        for folder in dict.fromkeys(found.source for found in sets):
            unused = [path for path in sorted(folder.glob("*.xml")) if path not in annotated]
            yield from _problem("unlisted-annotation", folder, unused, "stand in no list of ImageSets/Main",
                                "Add them to a split, or leave them: they are not used.")  # fmt: skip
            annotated |= set(unused)
    if format == "yolo":
        expected = {label_file(picture.path, found.images) for found in sets for picture in found.pictures} | annotated
        for folder in sorted({path.parent for path in expected if path.suffix == ".txt"}):
            unused = [path for path in sorted(folder.glob("*.txt")) if path not in expected]
            lists = ("classes.txt", "notes.txt", "train.txt", "val.txt", "test.txt")
            unused = [path for path in unused if path.name not in lists and not path.name.lower().startswith("readme")]
            yield from _problem("annotation-without-picture", folder, unused, "belong to no picture",
                                "Add the pictures, or delete these files.")  # fmt: skip
        return
    named = {path.stem for path in annotated} if format == "voc" else set()
    for folder in dict.fromkeys(path.parent for path in sorted(used)):
        unused = [path for path in list_pictures(folder) if path not in used and path.stem not in named]
        yield from _problem("picture-without-annotation", folder, unused, "have no annotation, and are left out",
                            "Annotate them, as negatives if they show nothing.")  # fmt: skip


def _problem(kind: str, folder: Path, files: Iterable[Path], what: str, cure: str) -> Iterator[Problem]:
    names = [path.name for path in files]
    if names:
        shown = ", ".join(names[:MOST_NAMED]) + (
            f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        )
        message = f"{len(names)} files {what}: {shown}"
        yield Problem(kind, "warning", folder, message, cure, id=names[0], key=(kind, str(folder), names[0]))
