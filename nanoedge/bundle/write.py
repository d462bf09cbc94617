"""Writing a bundle: built in a folder beside its place, synced, then renamed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nanoedge.bundle.manifest import FORMAT, MANIFEST_NAME, VERSION, Manifest, digest_of
from nanoedge.errors import InputError, NanoEdgeError


@contextmanager
def folder_in_the_making(place: Path, force: bool) -> Iterator[Path]:
    """A new folder that takes `place` when the block ends well, and vanishes when it does not.

    Args:
        place: where the folder will be.
        force: replace what is there; only a bundle (a folder with a manifest) is ever replaced.

    Raises:
        InputError: when `place` exists and is not to be replaced.
        NanoEdgeError: when the disk is full or not writable.
    """
    try:
        check_free(place, force)
        place.parent.mkdir(parents=True, exist_ok=True)
        making = Path(tempfile.mkdtemp(prefix=f".{place.name}.", suffix=".part", dir=place.parent))
    except OSError as error:
        raise NanoEdgeError(f"{place} cannot be made: {error.strerror or error}.") from error
    try:
        yield making
        making.chmod(0o755)
        _sync(making)
        _move(making, place, force)
    except OSError as error:
        raise NanoEdgeError(
            f"{place} could not be written: {error.strerror or error}. Nothing was left there."
        ) from error
    finally:
        shutil.rmtree(making, ignore_errors=True)


def check_free(place: Path, force: bool) -> None:
    """Refuse a place that is taken.

    Raises:
        InputError: says what is there and what to do.
    """
    if not (place.exists() or place.is_symlink()):
        return
    if not force:
        raise InputError(f"{place} exists already; choose another --out or replace it with --force.")
    if place.is_symlink() or not (place / MANIFEST_NAME).is_file():
        raise InputError(f"{place} is not a bundle; it is not replaced even with --force.")


def write_manifest(folder: Path, document: dict[str, Any]) -> Manifest:
    """Add `files` (every file of the folder) and the digest, check the whole, write `manifest.json`.

    Args:
        folder: the bundle in the making, with all its other files.
        document: the manifest's other keys.
    """
    files = {path.name: _describe(path) for path in sorted(folder.iterdir()) if path.name != MANIFEST_NAME}
    complete = {"format": FORMAT, "version": VERSION, **document, "files": files, "digest": "0" * 64}
    plain = Manifest.model_validate(complete).model_dump(mode="json")
    plain["digest"] = digest_of(plain)
    text = json.dumps(plain, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / MANIFEST_NAME).write_text(text + "\n", encoding="utf-8")
    return Manifest.model_validate(plain)


def _describe(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    return {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}


def _sync(folder: Path) -> None:
    for path in [*folder.iterdir(), folder]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _move(making: Path, place: Path, force: bool) -> None:
    check_free(place, force)
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
