"""Reading training pictures: at the size that is worth decoding, and kept in memory or on disk if asked."""

from __future__ import annotations

import hashlib
import mmap
import multiprocessing
import os
from pathlib import Path
from typing import Literal

import numpy as np

from nanoedge.data.index import DatasetIndex, Sample
from nanoedge.errors import DataError, NanoEdgeError, PictureError
from nanoedge.files import make_folder, write_atomically
from nanoedge.pictures import Picture, opencv, read_picture

CacheKind = Literal["none", "memory", "disk"]
REDUCTIONS = (8, 4, 2)  # what a JPEG decoder can leave out on its way
SHARE_OF_MEMORY = 0.5  # of what is free now may be used for pictures


class PictureSource:
    """The pictures of an index, each with the factor by which it is larger than what was read.

    Args:
        index: the data set.
        need: width and height that a read picture must have at least, in pixels; `None` reads all as they are.
        cache: where decoded pictures are kept.
        folder: of the cache on disk.
    """

    def __init__(
        self,
        index: DatasetIndex,
        need: tuple[float, float] | None = None,
        cache: CacheKind = "none",
        folder: Path | None = None,
    ) -> None:
        self.index = index
        self.reductions = [reduction(sample, need) for sample in index.samples]
        self.memory = (
            _SharedMemory([self._shape(number) for number in range(len(index))]) if cache == "memory" else None
        )
        self.folder = (folder or default_folder()) if cache == "disk" else None
        if self.folder is not None:
            make_folder(self.folder)

    @property
    def in_memory(self) -> int:
        """How many pictures have a place in memory."""
        return 0 if self.memory is None else self.memory.places

    def read(self, number: int) -> tuple[Picture, int]:
        """Picture `number` as uint8 BGR [height, width, 3], and by which factor it is reduced (1, 2, 4 or 8).

        Raises:
            DataError: when it cannot be read or its size is not the annotated one.
        """
        factor = self.reductions[number]
        if self.memory is not None:
            kept = self.memory.get(number)
            if kept is None:
                kept = self._decode(number)
                self.memory.put(number, kept)
            return kept, factor
        if self.folder is not None:
            return self._from_disk(number, self.folder), factor
        return self._decode(number), factor

    def _shape(self, number: int) -> tuple[int, int, int]:
        sample, factor = self.index.samples[number], self.reductions[number]
        return -(-sample.height // factor), -(-sample.width // factor), 3

    def _decode(self, number: int) -> Picture:
        sample, factor = self.index.samples[number], self.reductions[number]
        picture = read_picture(sample.path, factor)
        if factor > 1 and picture.shape != self._shape(number):  # no JPEG, whatever its name says
            whole = read_picture(sample.path)
            if whole.shape[:2] == (sample.height, sample.width):
                height, width, _ = self._shape(number)
                picture = opencv().resize(whole, (width, height), interpolation=opencv().INTER_AREA)
        if picture.shape != self._shape(number):
            height, width = read_picture(sample.path).shape[:2]
            raise DataError(
                f"{sample.path} is {width}x{height} pixels (turned as its EXIF data say), but image {sample.image_id} "
                f"is annotated as {sample.width}x{sample.height}; the boxes would lie in the wrong place."
            )
        return picture

    def _from_disk(self, number: int, folder: Path) -> Picture:
        sample, factor = self.index.samples[number], self.reductions[number]
        try:
            state = os.stat(sample.path)
        except OSError as error:
            raise PictureError(f"The picture {sample.path} cannot be read: {error.strerror or error}.") from error
        words = f"{sample.path.resolve()} {state.st_size} {state.st_mtime_ns} {factor}"
        place = folder / f"{hashlib.sha256(os.fsencode(words)).hexdigest()[:32]}.bgr"
        shape = self._shape(number)
        try:
            kept: Picture = np.fromfile(place, np.uint8)
        except OSError:
            kept = np.empty(0, np.uint8)
        if kept.size != shape[0] * shape[1] * shape[2]:
            kept = self._decode(number)
            try:
                write_atomically(place, kept.tobytes())
            except NanoEdgeError as error:
                raise NanoEdgeError(f"{error} That is the picture cache; data.cache=none goes without.") from error
        return kept.reshape(shape)


def reduction(sample: Sample, need: tuple[float, float] | None) -> int:
    """The largest factor that leaves a picture at least `need` wide and high."""
    if need is None or sample.path.suffix.lower() not in (".jpg", ".jpeg"):
        return 1
    fits = (factor for factor in REDUCTIONS if sample.width >= need[0] * factor and sample.height >= need[1] * factor)
    return next(fits, 1)


def default_folder() -> Path:
    """The cache on disk, unless told otherwise."""
    base = os.environ.get("NANOEDGE_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "nanoedge"
    return Path(base).expanduser() / "pictures"


def free_memory() -> int:
    """Bytes that can be taken without swapping; Linux's estimate, a container's limit, elsewhere the free pages."""
    limit = _limit_of_container()
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return min(limit, int(line.split()[1]) * 1024)
    except OSError:
        pass
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 2**31


def _limit_of_container() -> int:
    """What a control group leaves of its memory; a very large number without one."""
    try:
        group = Path("/sys/fs/cgroup")
        return int((group / "memory.max").read_text()) - int((group / "memory.current").read_text())
    except (OSError, ValueError):  # none, or "max"
        return 2**62


class _SharedMemory:
    """Decoded pictures in memory that forked workers share. Two workers may write one place: they write the same."""

    def __init__(self, shapes: list[tuple[int, int, int]]) -> None:
        ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
        self.places = int(np.searchsorted(ends, free_memory() * SHARE_OF_MEMORY, side="right"))
        self.shapes = shapes
        self.starts = [0, *(int(end) for end in ends)]
        size = self.starts[self.places]
        self._bytes = np.frombuffer(mmap.mmap(-1, max(1, size)), np.uint8)
        self._filled = np.frombuffer(mmap.mmap(-1, max(1, self.places)), np.uint8)
        self._lock = multiprocessing.Lock()  # so that whoever sees a mark also sees the pixels, on ARM too

    def get(self, number: int) -> Picture | None:
        if number >= self.places:
            return None
        with self._lock:
            filled = bool(self._filled[number])
        if not filled:
            return None
        kept: Picture = self._bytes[self.starts[number] : self.starts[number + 1]].reshape(self.shapes[number])
        return kept

    def put(self, number: int, picture: Picture) -> None:
        if number < self.places:
            self._bytes[self.starts[number] : self.starts[number + 1]] = picture.reshape(-1)
            with self._lock:
                self._filled[number] = 1
