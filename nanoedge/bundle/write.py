"""Writing a bundle: built in a folder beside its place, synced, then renamed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from nanoedge import files
from nanoedge.bundle.bundle import Bundle, load_bundle
from nanoedge.bundle.manifest import FORMAT, MANIFEST_NAME, VERSION, EngineEntry, Manifest, digest_of
from nanoedge.config.interface import Interface

SAMPLE, SAMPLE_DETECTIONS, PARITY = "sample.png", "sample.json", "parity.json"


def folder_in_the_making(place: Path, force: bool) -> AbstractContextManager[Path]:
    """`nanoedge.files.folder_in_the_making` for a bundle: only a folder with a manifest is ever replaced."""
    return files.folder_in_the_making(place, force, MANIFEST_NAME, "a bundle")


def check_free(place: Path, force: bool) -> None:
    """`nanoedge.files.check_free` for a bundle."""
    files.check_free(place, force, MANIFEST_NAME, "a bundle")


def write_manifest(folder: Path, document: dict[str, Any]) -> Manifest:
    """Add `files` (every file of the folder) and the digest, check the whole, write `manifest.json`.

    Args:
        folder: the bundle in the making, with all its other files.
        document: the manifest's other keys.
    """
    described = {path.name: _describe(path) for path in sorted(folder.iterdir()) if path.name != MANIFEST_NAME}
    complete = {"format": FORMAT, "version": VERSION, **document, "files": described, "digest": "0" * 64}
    plain = Manifest.model_validate(complete).model_dump(mode="json")
    plain["digest"] = digest_of(plain)
    text = json.dumps(plain, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / MANIFEST_NAME).write_text(text + "\n", encoding="utf-8")
    return Manifest.model_validate(plain)


def bundle_to_throw_away(folder: Path, interface: Interface, engines: Sequence[EngineEntry]) -> Bundle:
    """Make a bundle of models that only the calling process will run, because bundles are what engines read.

    Nothing has compared the models with PyTorch: sample and parity report are empty files. `nanoedge.export` makes the
    bundles that people get.

    Args:
        folder: with the models' files; an older manifest in it is written anew.
        interface: of every model.
        engines: the models.
    """
    for name in (SAMPLE, SAMPLE_DETECTIONS, PARITY):
        (folder / name).write_bytes(b"")
    document = {
        "name": "thrown_away",
        **interface.model_dump(mode="json"),
        "engines": [entry.model_dump(mode="json") for entry in engines],
        "sample": {"picture": SAMPLE, "detections": SAMPLE_DETECTIONS},
        "parity": {"report": PARITY, "passed": True},
        "provenance": {"nanoedge": ""},
    }
    write_manifest(folder, document)
    return load_bundle(folder)


def _describe(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    return {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
