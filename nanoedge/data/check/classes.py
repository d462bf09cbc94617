"""What can be wrong with a split's classes: one without examples, one drowned by another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nanoedge.data.annotations import AnnotationSet, Problem

IMBALANCE = 100  # times as many boxes of the most frequent class


def class_problems(sets: Sequence[AnnotationSet]) -> Iterator[Problem]:
    """Over all splits together: classes without any box, and those that are drowned."""
    if not sets:
        return
    first = sets[0]
    counts = box_counts(sets)
    total = sum(counts.values())
    if not total:
        if any(picture.width for found in sets for picture in found.pictures):  # else they could not be read
            yield Problem("no-boxes", "error", first.source, "there is not a single box in any split",
                          "Annotate the pictures; check that the annotations lie where they are looked for.",
                          key=("no-boxes", str(first.source)))  # fmt: skip
        return
    yield from _same_names(first, list(counts))
    yield from _without_boxes(sets)
    yield from _never_learned(sets)
    for name, count in counts.items():
        if not count:
            yield Problem(
                "class-without-examples", "warning", first.source, f"the class {name!r} has no box in any split",
                "Take it out of the classes, or add examples.", id=name, key=("class-without-examples", name),
            )  # fmt: skip
    most = max(counts, key=lambda name: counts[name])
    rare = {name: count for name, count in counts.items() if 0 < count * IMBALANCE < counts[most]}
    if rare:
        fewest = sorted(rare, key=lambda name: rare[name])
        shown = ", ".join(f"{name} {rare[name]}" for name in fewest[:5])
        more = f" and {len(fewest) - 5} more classes" if len(fewest) > 5 else ""
        yield Problem(
            "class-imbalance", "warning", first.source,
            f"{most} has {counts[most]} boxes, more than {IMBALANCE} times as many as {shown}{more}",
            "Add pictures of the rare classes, or leave them out; expect low AP for them.",
            id=fewest[0], key=("class-imbalance", *fewest),
        )  # fmt: skip


def _same_names(found: AnnotationSet, names: Sequence[str]) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for name in names:
        plain = "".join(name.lower().split())
        if plain in seen:
            message = f"the classes {seen[plain]!r} and {name!r} differ in case or spaces only"
            yield Problem("similar-classes", "warning", found.source, message,
                          "If they are one class, give it one name.", id=name,
                          key=("similar-classes", name))  # fmt: skip
        seen.setdefault(plain, name)


def _without_boxes(sets: Sequence[AnnotationSet]) -> Iterator[Problem]:
    """Splits of which no picture has a box, beside others that have some: mostly their labels are not found."""
    for found in sets:
        if found.boxes or not any(picture.width for picture in found.pictures):
            continue
        message = f"none of the {len(found.pictures)} pictures of the split {found.split} has a box"
        yield Problem("split-without-boxes", "warning" if found.split == "test" else "error", found.source, message,
                      "Check that its labels lie where those of the other splits do.", id=found.split,
                      key=("split-without-boxes", str(found.source), found.split))  # fmt: skip


def _never_learned(sets: Sequence[AnnotationSet]) -> Iterator[Problem]:
    """Classes that are measured and cannot be learned: examples in other splits, none in `train`."""
    train = next((found for found in sets if found.split == "train"), None)
    if train is None:
        return
    learned = box_counts([train])
    if not any(learned.values()):
        return  # said already
    for found in sets:
        missing = [name for name, count in box_counts([found]).items() if count and not learned.get(name)]
        if missing:
            shown = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
            yield Problem("class-not-in-train", "warning", found.source,
                          f"classes of the split {found.split} without any box in train: {shown}",
                          "Move pictures, so that train has examples.", id=missing[0],
                          key=("class-not-in-train", found.split, *missing))  # fmt: skip


def box_counts(sets: Sequence[AnnotationSet]) -> dict[str, int]:
    """Class name to its number of boxes, in the order of the classes; unions of other splits must be left out."""
    counts = {name: 0 for found in sets for name in found.classes}
    for found in sets:
        for box in found.boxes:
            if box.class_id is not None and not box.crowd:
                counts[box.label] += 1
    return counts
