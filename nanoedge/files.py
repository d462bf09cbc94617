"""Writing files and folders so that their place holds the old content or the new one, never a part."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from nanoedge.errors import InputError, NanoEdgeError

_ASIDE = re.compile(r"\.(?P<name>.+)\.(?P<process>\d+)-[a-z0-9_]{8}\.(?P<kind>part|old)")


@contextmanager
def atomic_stream(path: Path) -> Iterator[BinaryIO]:
    """A stream to a temporary name beside `path`; when the block ends well it is synced and takes the place of `path`.

    Raises:
        NanoEdgeError: when the disk is full or not writable; nothing half-written is left.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        with aside.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(aside, path)
        _sync_entries(path.parent)
    except OSError as error:
        raise NanoEdgeError(f"{path} could not be written: {error.strerror or error}.") from error
    finally:
        with suppress(OSError):  # gone after the rename, or never made
            aside.unlink()


def write_atomically(path: Path, data: bytes) -> None:
    """Write a whole file through `atomic_stream`."""
    with atomic_stream(path) as stream:
        stream.write(data)


def refuse_existing(path: Path, force: bool) -> None:
    """Nothing is overwritten without `force`.

    Raises:
        InputError: when the file exists.
    """
    if path.exists() and not force:
        raise InputError(f"{path} exists already; choose another place or replace it with --force.")


def make_folder(path: Path) -> None:
    """Make a folder and its parents; one that exists is fine.

    Raises:
        NanoEdgeError: when it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NanoEdgeError(f"The folder {path} cannot be made: {error.strerror or error}.") from error


@contextmanager
def folder_in_the_making(place: Path, force: bool, marker: str, kind: str) -> Iterator[Path]:
    """A new folder that takes `place` when the block ends well, and vanishes when it does not.

    Args:
        place: where the folder will be.
        force: replace what is there; only a folder that holds the file `marker` is ever replaced.
        marker: name of the file that every such folder holds.
        kind: what such a folder is, for messages: "a bundle".

    Raises:
        InputError: when `place` exists and is not to be replaced.
        NanoEdgeError: when the disk is full or not writable.
    """
    try:
        check_free(place, force, marker, kind)
        place.parent.mkdir(parents=True, exist_ok=True)
        making = Path(tempfile.mkdtemp(prefix=f".{place.name}.{os.getpid()}-", suffix=".part", dir=place.parent))
    except OSError as error:
        raise NanoEdgeError(f"{place} cannot be made: {error.strerror or error}.") from error
    try:
        yield making
        making.chmod(0o755)
        _sync(making)
        _move(making, place, force, marker, kind)
    except OSError as error:
        raise NanoEdgeError(
            f"{place} could not be written: {error.strerror or error}. Nothing was left there."
        ) from error
    finally:
        shutil.rmtree(making, ignore_errors=True)


def check_free(place: Path, force: bool, marker: str, kind: str) -> None:
    """Refuse a place that is taken.

    Raises:
        InputError: says what is there and what to do.
    """
    if not (place.exists() or place.is_symlink()):
        return
    if not force:
        raise InputError(f"{place} exists already; choose another place or replace it with --force.")
    if place.is_symlink() or not (place / marker).is_file():
        raise InputError(f"{place} is not {kind}; it is not replaced even with --force.")


def is_leftover(path: Path) -> bool:
    """Whether a file or folder is named like one that is being written aside."""
    return _ASIDE.fullmatch(path.name) is not None


def remove_leftovers(folder: Path) -> None:
    """Delete what processes that were killed while they wrote into this folder left there.

    Args:
        folder: written by one process at a time, which is this one.
    """
    for path in folder.iterdir():
        if is_leftover(path) and path.is_file():
            path.unlink(missing_ok=True)


def restore_place(place: Path) -> None:
    """Put in order what a kill in the middle of `folder_in_the_making` left beside `place`.

    Folders half made vanish. A folder that had been put aside comes back when its successor did not arrive. What a
    process that still runs is making stays.
    """
    if not place.parent.is_dir():
        return
    for aside in sorted(place.parent.iterdir()):
        found = _ASIDE.fullmatch(aside.name)
        if not found or found["name"] != place.name or not aside.is_dir() or _runs(int(found["process"])):
            continue
        if found["kind"] == "old" and not place.exists():
            with suppress(FileNotFoundError):  # another process that resumes it was faster
                os.rename(aside, place)
        else:
            shutil.rmtree(aside, ignore_errors=True)


def _runs(process: int) -> bool:
    """Whether another process of that number is alive; one with our own number was an earlier container's."""
    if process == os.getpid() or os.name != "posix":
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _sync(folder: Path) -> None:
    for path in [*folder.rglob("*"), folder]:
        _sync_entries(path)


def _sync_entries(path: Path) -> None:
    """Write a file, or the names in a folder, through to the disk; a power cut does not undo a rename then."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _move(making: Path, place: Path, force: bool, marker: str, kind: str) -> None:
    check_free(place, force, marker, kind)
    if not place.exists():
        os.rename(making, place)
        _sync_entries(place.parent)
        return
    old = making.with_suffix(".old")
    os.rename(place, old)
    try:
        os.rename(making, place)
    except OSError:
        os.rename(old, place)
        raise
    _sync_entries(place.parent)
    os.rename(old, making)  # a name that `restore_place` never brings back; whoever made the new folder deletes it
