"""Writing files and folders so that their place holds the old content or the new one, never a part."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from nanoedge.errors import InputError, NanoEdgeError


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
        making = Path(tempfile.mkdtemp(prefix=f".{place.name}.", suffix=".part", dir=place.parent))
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


def _sync(folder: Path) -> None:
    for path in [*folder.rglob("*"), folder]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _move(making: Path, place: Path, force: bool, marker: str, kind: str) -> None:
    check_free(place, force, marker, kind)
    if not place.exists():
        os.rename(making, place)
        return
    old = making.with_suffix(".old")
    os.rename(place, old)
    try:
        os.rename(making, place)
    except OSError:
        os.rename(old, place)
        raise
    shutil.rmtree(old, ignore_errors=True)
