"""Writing a file so that its place holds the old content or the new one, never a part."""

from __future__ import annotations

import os
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
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
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
        raise InputError(f"{path} exists already; choose another --out or replace it with --force.")


def make_folder(path: Path) -> None:
    """Make a folder and its parents; one that exists is fine.

    Raises:
        NanoEdgeError: when it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NanoEdgeError(f"The folder {path} cannot be made: {error.strerror or error}.") from error
