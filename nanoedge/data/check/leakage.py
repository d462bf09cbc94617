"""Pictures that are in two splits: the same file, the same content, or nearly the same picture.

Near duplicates are found by a perceptual hash, the signs of a picture's 8 x 8 lowest frequencies (Zauner,
Implementation and Benchmarking of Perceptual Image Hash Functions, 2010), and held to be one only when the small
pictures themselves agree.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nanoedge.data.annotations import AnnotatedPicture, AnnotationSet, Problem
from nanoedge.data.check.pictures import Looked
from nanoedge.pictures import opencv

HASH_SIDE = 8
MOST_DIFFERENT_BITS = 10  # of 63
LEAST_CORRELATION = 0.95  # of two small grey pictures
_COMPARED_AT_ONCE = 2**22  # pairs


def leaks(sets: Sequence[AnnotationSet], looked: Mapping[Path, Looked]) -> Iterator[Problem]:
    """Pictures of one split that are also in another; each pair once, named at the split that should lose it.

    Args:
        sets: all splits, without unions of others.
        looked: what was seen of their files.
    """
    splits = _splits_of(sets)
    seen_files = {path.resolve(): seen for path, seen in looked.items()}
    for path, places in splits.items():
        named = list(dict.fromkeys(split for split, _ in places))
        if len(named) > 1:
            yield _problem("leak", path, path, places[0][1], f"is in the splits {' and '.join(named)}", exact=True)
    greys = {path: grey for path in splits if path in seen_files and (grey := seen_files[path].grey) is not None}
    paths = list(greys)
    seen: set[frozenset[Path]] = set()
    boxes = Counter(box.picture.path.resolve() for found in sets for box in found.boxes if box.picture is not None)
    for one, other in _same_content(sorted(paths, key=lambda path: -boxes[path])):  # the one with most boxes stays
        seen.add(frozenset((one, other)))
        yield from _between(one, other, splits, "has the same content as", "leak", exact=True)
    if not paths:
        return
    groups = [tuple(sorted({split for split, _ in splits[path]})) for path in paths]
    known = list(dict.fromkeys(groups))
    numbers = np.array([known.index(group) for group in groups])
    for first, second, likeness in near_duplicates(np.stack(list(greys.values())), numbers):
        one, other = paths[first], paths[second]
        if frozenset((one, other)) not in seen:
            words = f"is nearly the same (correlation {likeness:.2f}) as"
            yield from _between(one, other, splits, words, "near-duplicate", exact=False)


Places = dict[Path, list[tuple[str, AnnotatedPicture]]]


def _splits_of(sets: Sequence[AnnotationSet]) -> Places:
    places: Places = {}
    for found in sets:
        for picture in found.pictures:
            places.setdefault(picture.path.resolve(), []).append((found.split, picture))
    return places


def _between(one: Path, other: Path, splits: Places, words: str, kind: str, exact: bool) -> Iterator[Problem]:
    own, others = ({split for split, _ in splits[path]} for path in (one, other))
    if own == others and exact and len(own) == 1:
        message = f"{words} {one} of the same split {next(iter(own))}"
        yield _problem("duplicate-picture", other, one, splits[other][0][1], message, exact=False)
    elif own != others:
        if "train" in others and "train" not in own:
            one, other, own, others = other, one, others, own
        message = f"(split {', '.join(sorted(own))}) {words} {other} (split {', '.join(sorted(others))})"
        yield _problem(kind, one, other, splits[one][0][1], message, exact)


def _problem(kind: str, one: Path, other: Path, picture: AnnotatedPicture, message: str, exact: bool) -> Problem:
    cure = "Keep it in one split only: what is measured on a picture that was learned from says nothing."
    if kind == "duplicate-picture":
        cure = "Delete one of the two; --fix leaves this one out."
    return Problem(
        kind, "error" if exact else "warning", picture.path, message, cure,
        id=picture.id, subject=picture, key=(kind, *sorted((str(one), str(other)))),
    )  # fmt: skip


def _same_content(paths: Sequence[Path]) -> Iterator[tuple[Path, Path]]:
    """Pairs of files with equal bytes, each with the first of its kind."""
    sizes: dict[int, list[Path]] = {}
    for path in paths:
        sizes.setdefault(path.stat().st_size, []).append(path)
    for alike in sizes.values():
        if len(alike) < 2:
            continue
        first: dict[bytes, Path] = {}
        for path in alike:
            digest = hashlib.sha256(path.read_bytes()).digest()
            if digest in first:
                yield first[digest], path
            else:
                first[digest] = path


def near_duplicates(greys: npt.NDArray[np.uint8], groups: npt.NDArray[np.int64]) -> Iterator[tuple[int, int, float]]:
    """Pairs of small grey pictures [N, S, S] of different groups [N] that show the same, with their correlation.

    Of each picture only the best partner is given, so that the frames of a camera do not make a pair each.
    """
    hashes = perceptual_hashes(greys)
    plain = greys.reshape(len(greys), -1).astype(np.float32)
    plain -= plain.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(plain, axis=1)
    plain /= np.maximum(norms, 1e-6)[:, None]
    textured = norms >= 1  # not of one colour
    step = max(1, _COMPARED_AT_ONCE // max(1, len(hashes)))
    for start in range(0, len(hashes), step):
        rows = slice(start, start + step)
        alike = np.bitwise_count(hashes[rows, None] ^ hashes[None, start:]) <= MOST_DIFFERENT_BITS
        alike &= (groups[rows, None] != groups[None, start:]) & textured[rows, None] & textured[None, start:]
        for row in np.flatnonzero(alike.any(axis=1)):
            first = start + int(row)
            partners = start + np.flatnonzero(alike[row])
            partners = partners[partners > first]
            if not len(partners):
                continue
            likeness = plain[partners] @ plain[first]
            best = int(likeness.argmax())
            if likeness[best] >= LEAST_CORRELATION:
                yield first, int(partners[best]), float(likeness[best])


def perceptual_hashes(greys: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    """One hash a picture [N, S, S]: which of its lowest frequencies are above their median, the mean left out."""
    cv2 = opencv()
    hashes = np.zeros(len(greys), np.uint64)
    for number, grey in enumerate(greys):
        lowest = cv2.dct(grey.astype(np.float32))[:HASH_SIDE, :HASH_SIDE].ravel()[1:]
        bits = lowest > np.median(lowest)
        hashes[number] = np.packbits(np.append(bits, False)).view(np.uint64)[0]
    return hashes
