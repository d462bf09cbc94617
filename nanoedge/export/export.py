"""Export as one function: from a checkpoint to a bundle whose parity is proven."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError
from torch import nn

from nanoedge import __version__
from nanoedge.bundle import Manifest
from nanoedge.bundle.write import PARITY, SAMPLE, SAMPLE_DETECTIONS, check_free, folder_in_the_making, write_manifest
from nanoedge.config.interface import Interface
from nanoedge.config.schema import check_input_size
from nanoedge.detections import Detections
from nanoedge.errors import ExportError, InputError
from nanoedge.evaluation.bundles import check_truth
from nanoedge.evaluation.evaluate import Progress
from nanoedge.export.int8.add import add_int8
from nanoedge.export.int8.calibration import Calibration, choose_calibration, pictures_of
from nanoedge.export.int8.report import Int8Report
from nanoedge.export.int8.request import Int8Request
from nanoedge.export.parity import (
    Converted,
    FloatArray,
    Reference,
    check_parity,
    detections_of_reference,
    reference_outputs,
)
from nanoedge.export.strip import WeightStorage, strip, with_stored_weights
from nanoedge.export.targets import TARGETS, check_int8_targets, choose_targets, convert, storage_of
from nanoedge.models.nanodet_plus import NanoDetPlus
from nanoedge.pictures import Picture, list_pictures, opencv, read_picture, write_picture
from nanoedge.training.checkpoints import Checkpoint, load_checkpoint

Say = Callable[[str], None]

MAX_PARITY_PICTURES = 50
MAX_SAMPLE_SIDE = 640


@dataclass(frozen=True)
class ExportResult:
    """What was written, and how well the engines agree with PyTorch.

    Attributes:
        bundle: the folder.
        manifest: of it.
        parity: the document of `parity.json`.
        int8: what was measured of the int8 file, also where it was left out; `None` where none was asked for.
    """

    bundle: Path
    manifest: Manifest
    parity: dict[str, Any]
    int8: Int8Report | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "bundle": str(self.bundle),
            "engines": [entry.model_dump(mode="json") for entry in self.manifest.engines],
            "files": {name: entry.size for name, entry in self.manifest.files.items()},
            "parity": self.parity,
            "int8": None if self.int8 is None else self.int8.as_json(),
        }


def export_bundle(
    checkpoint: Path,
    targets: Sequence[str],
    out: Path,
    input_size: tuple[int, int] | None = None,
    weights: WeightStorage | None = None,
    pictures: Path | None = None,
    licence: str = "",
    force: bool = False,
    int8: Int8Request | None = None,
    say: Say = lambda text: None,
    progress: Progress | None = None,
) -> ExportResult:
    """Make a bundle.

    Args:
        checkpoint: one of our checkpoints.
        targets: names from `TARGETS`, or `all`.
        out: the bundle's folder.
        input_size: width and height in pixels, multiples of 32; `None` takes the training's.
        weights: how weights are stored; `None` is fp16 for ncnn and OpenVINO and fp32 for ONNX.
        pictures: folder of pictures for the parity check and the sample; `None` takes synthetic ones that ship.
        licence: of the weights, written into the manifest.
        force: replace a bundle that is there.
        int8: add an int8 file for `native`, which must be among the targets; `None` leaves that out.
        say: receives sentences for the user.
        progress: called with (pictures done, pictures in all) where many are looked at.

    Raises:
        InputError: for an unknown target, a bad size, an existing place, a folder without pictures, annotations that
            AP cannot be measured with.
        CheckpointError: when the checkpoint cannot be read.
        ExportError: when a conversion fails or parity does not hold; nothing is left behind. An int8 file that loses
            too much is no error: it is left out, and the report says why.
    """
    chosen = choose_targets(targets)
    check_free(out, force)
    if int8 is not None:
        check_int8_targets(chosen, say)
        pictures_of(int8.calibration)
    source = load_checkpoint(checkpoint)
    model = source.model()
    interface = _interface(source, input_size)
    calibration = None if int8 is None else _calibration(int8, interface, say, progress)
    width, height = interface.input.width, interface.input.height
    with folder_in_the_making(out, force) as making:
        files = _parity_pictures(pictures)
        reference = reference_outputs(model, interface, files)
        _write_sample(making, model, interface, reference)
        network = strip(model)
        stored: dict[WeightStorage, tuple[nn.Module, FloatArray]] = {}
        converted = []
        for target in chosen:
            say(f"converting to {target} ({width}x{height})")
            storage = storage_of(target, weights)
            if storage not in stored:
                as_stored = with_stored_weights(network, storage)
                stored[storage] = as_stored, reference_outputs(as_stored, interface, files).outputs
            as_stored, expected = stored[storage]
            entry = convert(target, as_stored, interface.input, making, storage)
            converted.append(Converted(entry, storage, expected))
        document = {
            "name": _bundle_name(out),
            "licence": licence,
            **interface.model_dump(mode="json"),
            "engines": [model.entry.model_dump(mode="json") for model in converted],
            "sample": {"picture": SAMPLE, "detections": SAMPLE_DETECTIONS},
            "parity": {"report": PARITY, "passed": True},
            "provenance": _provenance(source),
        }
        say(f"checking parity on {len(files)} pictures")
        parity = _prove_parity(making, document, converted, reference, interface)
        report = None
        if int8 is not None and calibration is not None:
            added, report = add_int8(making, document, network, interface, calibration, int8.truth, say, progress)
            if added is not None:
                document["engines"].append(added.model_dump(mode="json"))
                parity["int8"] = report.as_json()
                _write_parity(making, parity)
        manifest = write_manifest(making, document)
    return ExportResult(out, manifest, parity, report)


def _interface(source: Checkpoint, input_size: tuple[int, int] | None) -> Interface:
    interface = source.config.interface(source.classes)
    if input_size is None:
        return interface
    width, height = input_size
    try:
        check_input_size(width, height)
        spec = type(interface.input).model_validate({**interface.input.model_dump(), "width": width, "height": height})
    except ValidationError as error:
        raise InputError(f"The input size {width}x{height} is out of range: {error.errors()[0]['msg']}.") from error
    except ValueError as error:
        raise InputError(f"{error}.".replace("..", ".")) from error
    return interface.model_copy(update={"input": spec})


def _prove_parity(
    making: Path, document: dict[str, Any], converted: Sequence[Converted], reference: Reference, interface: Interface
) -> dict[str, Any]:
    """Run the engines on the folder in the making; a stand-in report completes it for the fresh processes only."""
    report = making / PARITY
    report.write_text("{}\n")
    write_manifest(making, document)
    parity = check_parity(making, converted, reference, interface)
    _write_parity(making, parity)
    return parity


def _write_parity(making: Path, parity: dict[str, Any]) -> None:
    (making / PARITY).write_text(json.dumps(parity, indent=2, allow_nan=False) + "\n")


def _calibration(int8: Int8Request, interface: Interface, say: Say, progress: Progress | None) -> Calibration:
    """The calibration pictures, after the annotations were found usable: both before any long work."""
    if int8.truth is not None:
        check_truth(int8.truth.annotations, int8.truth.images, interface.classes)
    say(f"int8: reading the calibration pictures of {int8.calibration}")
    return choose_calibration(int8.calibration, int8.calibration_images, say, progress)


def _parity_pictures(folder: Path | None) -> list[Path]:
    """The pictures of the parity check; they must all be readable."""
    if folder is None:
        folder = shipped_pictures()
    if not folder.is_dir():
        raise InputError(f"The picture folder {folder} does not exist.")
    files = list_pictures(folder)
    if not files:
        raise InputError(f"The folder {folder} has no pictures (.jpg, .png, …) in it.")
    if len(files) > MAX_PARITY_PICTURES:
        step = len(files) / MAX_PARITY_PICTURES
        files = [files[int(number * step)] for number in range(MAX_PARITY_PICTURES)]
    return files


def shipped_pictures() -> Path:
    """The folder of synthetic pictures that comes with NanoEdge: inside the package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    for assets in (package / "assets", package.parent / "assets"):
        if (assets / "pictures").is_dir():
            return assets / "pictures"
    raise ExportError("The pictures that come with NanoEdge are missing; install it again, or give --pictures.")


def _write_sample(making: Path, model: NanoDetPlus, interface: Interface, reference: Reference) -> None:
    """The picture in which the model is surest, with its boxes at the bundle's own thresholds."""
    threshold = interface.postprocess.score_threshold
    found = detections_of_reference(reference, interface, threshold)
    best = max(range(len(found)), key=lambda number: float(found[number].scores.sum()))
    picture = _shrink(read_picture(reference.pictures[best]))
    write_picture(making / SAMPLE, picture)
    again = reference_outputs(model, interface, [making / SAMPLE])
    detections: Detections = detections_of_reference(again, interface, threshold)[0]
    height, width = picture.shape[:2]
    document = {"source": SAMPLE, "width": width, "height": height, "detections": detections.as_json()}
    (making / SAMPLE_DETECTIONS).write_text(json.dumps(document, indent=2) + "\n")


def _shrink(picture: Picture) -> Picture:
    height, width = picture.shape[:2]
    scale = min(1.0, MAX_SAMPLE_SIDE / max(height, width))
    if scale == 1.0:
        return picture
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    smaller: Picture = opencv().resize(picture, size, interpolation=opencv().INTER_AREA)
    return np.ascontiguousarray(smaller)


def _bundle_name(out: Path) -> str:
    name = out.name.removesuffix(".nanoedge")
    cleaned = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "_" for letter in name)
    return cleaned.lstrip(".-") or "model"


def _provenance(source: Checkpoint) -> dict[str, str]:
    versions = {"nanoedge": __version__}
    for package in ("torch", "onnx", "onnxruntime", "openvino", "ncnn", "pnnx"):
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {**versions, "run": source.config.name, "data_fingerprint": source.data_fingerprint}


__all__ = ["TARGETS", "ExportResult", "WeightStorage", "export_bundle"]
