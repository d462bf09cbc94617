"""Loading a bundle: the manifest is checked first, then exactly the files that are needed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from nanoedge.bundle.manifest import FORMAT, MANIFEST_NAME, VERSION, EngineEntry, Manifest, digest_of
from nanoedge.config.explain import explain
from nanoedge.errors import BundleError

MAX_MANIFEST_BYTES = 4_000_000


@dataclass(frozen=True)
class Bundle:
    """A bundle whose manifest was read and found consistent.

    Attributes:
        folder: where it lies.
        manifest: its content.
    """

    folder: Path
    manifest: Manifest

    def path(self, name: str) -> Path:
        """The file of that name in the bundle."""
        return self.folder / name

    def entry(self, engine: str, precision: str = "float") -> EngineEntry:
        """The engine's entry.

        Raises:
            BundleError: when the bundle has no such entry; names those it has.
        """
        for entry in self.manifest.engines:
            if (entry.engine, entry.precision) == (engine, precision):
                return entry
        raise BundleError(
            f"{self.folder} has no {engine} model in {precision} precision; it has: {self.offers()}. "
            f"Export it again with --target {engine}, or choose another --engine."
        )

    def offers(self) -> str:
        """The models that it has, for messages."""
        return ", ".join(f"{entry.engine} ({entry.precision})" for entry in self.manifest.engines)

    def verify(self, names: Iterable[str]) -> None:
        """Check that files are plain, and have the size and sha256 that the manifest says.

        Raises:
            BundleError: names the first file that does not.
        """
        for name in names:
            problem = self._problem_of(name)
            if problem:
                raise BundleError(f"{self.path(name)} {problem}; the bundle is damaged. Copy or export it again.")

    def verify_all(self) -> None:
        """Check every listed file, and that nothing else lies in the folder.

        Raises:
            BundleError: names what does not fit.
        """
        self.verify(self.manifest.files)
        extra = sorted({path.name for path in self.folder.iterdir()} - set(self.manifest.files) - {MANIFEST_NAME})
        if extra:
            raise BundleError(f"{self.folder} holds files that its manifest does not list: {', '.join(extra)}.")

    def _problem_of(self, name: str) -> str | None:
        path, listed = self.path(name), self.manifest.files[name]
        if path.is_symlink():
            return "is a link"
        if not path.is_file():
            return "is missing"
        size = path.stat().st_size
        if size != listed.size:
            return f"has {size} bytes, not {listed.size}"
        digest = hashlib.sha256()
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
        return None if digest.hexdigest() == listed.sha256 else "was changed (its sha256 is not the manifest's)"


def load_bundle(folder: str | Path) -> Bundle:
    """Read and check a bundle's manifest; the models are checked by `Bundle.verify` when they are used.

    Raises:
        BundleError: when it is no bundle, damaged, or made by a newer version.
    """
    folder = Path(folder)
    path = folder / MANIFEST_NAME
    if not os.path.isdir(folder):  # Path.is_dir raises for a name that is too long
        if os.path.isfile(folder):
            raise BundleError(
                f"{folder} is a file, not a bundle; if it is a checkpoint, make a bundle of it with nanoedge export."
            )
        raise BundleError(f"There is no bundle {folder}; a bundle is a folder that nanoedge export makes.")
    try:
        if path.stat().st_size > MAX_MANIFEST_BYTES:
            raise BundleError(f"{path} is larger than any manifest ({path.stat().st_size} bytes).")
        document = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise BundleError(f"{folder} is no bundle: it has no {MANIFEST_NAME}.") from error
    except (OSError, ValueError, RecursionError) as error:
        raise BundleError(f"{path} cannot be read: {error}; copy or export the bundle again.") from error
    return Bundle(folder, _parse(document, path))


def _parse(document: Any, path: Path) -> Manifest:
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise BundleError(f"{path} is not the manifest of a NanoEdge bundle.")
    version = document.get("version")
    if isinstance(version, int) and version > VERSION:
        raise BundleError(
            f"{path} has version {version}, this NanoEdge reads up to {VERSION}; update NanoEdge: "
            "pip install --upgrade nanoedge."
        )
    try:
        computed = digest_of(document)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{path} holds values that no manifest has: {error}.") from error
    if document.get("digest") != computed:
        raise BundleError(
            f"{path} was changed after it was written (its digest does not fit); export the bundle again."
        )
    decoder = document.get("decoder")
    kind = decoder.get("type") if isinstance(decoder, dict) else None
    if kind != "nanodet-plus":
        raise BundleError(f"{path} asks for the decoder {kind!r}, which this NanoEdge does not know; update NanoEdge.")
    try:
        manifest = Manifest.model_validate_json(json.dumps(document), strict=True)
    except ValidationError as error:
        raise BundleError(f"{path}: {explain(error, Manifest)}") from error
    missing = _key_left_to_a_default(manifest)
    if missing:
        raise BundleError(f"{path}: The key {missing!r} is missing.")
    return manifest


def _key_left_to_a_default(model: BaseModel) -> str | None:
    """A key that the document does not spell out: what a model needs stands in its manifest, never in our code."""
    for name in type(model).model_fields:
        if name not in model.model_fields_set:
            return name
        value = getattr(model, name)
        parts = value if isinstance(value, tuple) else (value,)
        for number, part in enumerate(parts):
            inner = _key_left_to_a_default(part) if isinstance(part, BaseModel) else None
            if inner:
                return f"{name}.{number}.{inner}" if isinstance(value, tuple) else f"{name}.{inner}"
    return None
