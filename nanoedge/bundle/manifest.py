"""The manifest of a bundle: its schema and its digest."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from nanoedge.config.base import StrictModel
from nanoedge.config.interface import ClassNames, DecoderSpec, InputSpec, Interface, PostprocessSpec

FORMAT = "nanoedge-bundle"
VERSION = 1
MANIFEST_NAME = "manifest.json"

FilePrecision = Literal["float", "int8"]
PlainName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*$", max_length=128)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class FileEntry(StrictModel):
    """Size and hash of one file of the bundle."""

    sha256: Sha256
    size: Annotated[int, Field(ge=0)]


class EngineEntry(StrictModel):
    """The network as files for one engine.

    `engine` is a plain string, so that a bundle made by a later version with one more engine can still be read by this
    one for the engines that it knows.
    """

    engine: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    precision: FilePrecision
    files: Annotated[tuple[PlainName, ...], Field(min_length=1)]
    input: Annotated[str, Field(min_length=1)]
    outputs: Annotated[tuple[str, ...], Field(min_length=1)]
    layout: Literal["priors,channels"] = "priors,channels"


class SampleEntry(StrictModel):
    """One picture and the boxes that the PyTorch model found in it."""

    picture: PlainName
    detections: PlainName


class ParityEntry(StrictModel):
    """The report of the parity check; a bundle without a passed one is not written."""

    report: PlainName
    passed: Literal[True]


class Provenance(StrictModel):
    """Where the bundle comes from: versions, run, data."""

    nanoedge: str
    torch: str = ""
    onnx: str = ""
    onnxruntime: str = ""
    openvino: str = ""
    ncnn: str = ""
    pnnx: str = ""
    run: str = ""
    data_fingerprint: str = ""


class Manifest(StrictModel):
    """`manifest.json`: everything that a runtime must know; no constant about a model lives anywhere else."""

    format: Literal["nanoedge-bundle"] = "nanoedge-bundle"
    version: Literal[1] = 1
    name: PlainName
    task: Literal["detect"] = "detect"
    licence: str = ""
    classes: ClassNames
    input: InputSpec
    decoder: DecoderSpec
    postprocess: PostprocessSpec
    engines: Annotated[tuple[EngineEntry, ...], Field(min_length=1)]
    files: dict[PlainName, FileEntry]
    sample: SampleEntry
    parity: ParityEntry
    provenance: Provenance
    digest: Sha256

    @field_validator("files")
    @classmethod
    def _manifest_is_not_listed(cls, files: dict[str, FileEntry]) -> dict[str, FileEntry]:
        if MANIFEST_NAME in files:
            raise ValueError(f"{MANIFEST_NAME} cannot list itself")
        return files

    @model_validator(mode="after")
    def _named_files_are_listed(self) -> Manifest:
        named = {self.sample.picture, self.sample.detections, self.parity.report}
        named.update(name for entry in self.engines for name in entry.files)
        missing = sorted(named - set(self.files))
        if missing:
            raise ValueError(f"the files {', '.join(missing)} are used but not listed under 'files'")
        pairs = [(entry.engine, entry.precision) for entry in self.engines]
        if len(set(pairs)) != len(pairs):
            raise ValueError("an engine stands twice with the same precision")
        return self

    @property
    def interface(self) -> Interface:
        """Input, decoder, post-processing and classes, as the runtime takes them."""
        return Interface(classes=self.classes, input=self.input, decoder=self.decoder, postprocess=self.postprocess)


def digest_of(document: dict[str, Any]) -> str:
    """sha256 of the document without its `digest`: keys sorted, no spaces, UTF-8 characters as they are."""
    rest = {key: value for key, value in document.items() if key != "digest"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def manifest_schema() -> dict[str, Any]:
    """The JSON Schema of `manifest.json`."""
    return Manifest.model_json_schema()
