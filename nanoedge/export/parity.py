"""Parity: does a converted model, run in a fresh process, compute what the PyTorch model computes?

Two comparisons, both must hold. Boxes are compared with those of the model as it was trained. Raw outputs are
compared with the same network holding the weights that the files hold: rounding weights to fp16 alone moves single
outputs by more than the limit, and would hide what the comparison is for, an error of the conversion.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from nanoedge.bundle.manifest import EngineEntry
from nanoedge.config.interface import EVALUATION_POSTPROCESS, Interface
from nanoedge.detections import Detections
from nanoedge.errors import ParityError
from nanoedge.evaluation.agreement import (
    LOWEST_IOU,
    MAX_SCORE_DIFFERENCE,
    MAX_UNMATCHED_SHARE,
    SCORE_OF_TWIN,
    agreement,
)
from nanoedge.evaluation.box_iou import box_iou
from nanoedge.export.strip import WeightStorage
from nanoedge.pictures import read_picture
from nanoedge.runtime.decode import decode_boxes, make_priors, sigmoid
from nanoedge.runtime.postprocess import detections_of
from nanoedge.runtime.preprocess import Placement, to_tensor

FloatArray = npt.NDArray[np.float32]

MAX_RAW_DIFFERENCE = 1e-3
"""Largest difference of raw outputs as a share of the reference's range (0 included), in fp32."""
ENOUGH_BOXES = 50
SURE_SCORE = 0.3
BEST_PRIORS = 100
TIMEOUT_SECONDS = 300


@dataclass(frozen=True)
class Reference:
    """What the PyTorch model computes for some pictures.

    Attributes:
        pictures: the files.
        placements: where each picture lies in the input.
        outputs: float32 [pictures, priors, channels].
    """

    pictures: tuple[Path, ...]
    placements: tuple[Placement, ...]
    outputs: FloatArray


@dataclass(frozen=True)
class Converted:
    """One converted model, and what it should compute.

    Attributes:
        entry: of the manifest.
        storage: how its weights are stored.
        expected: float32 [pictures, priors, channels], outputs of the PyTorch network with these stored weights.
    """

    entry: EngineEntry
    storage: WeightStorage
    expected: FloatArray


@dataclass(frozen=True)
class EngineParity:
    """The verdict on one engine.

    Attributes:
        engine: its name.
        precision: which of its files.
        storage: how its weights are stored.
        raw_difference: largest difference of raw outputs over all pictures, as a share of the reference's range.
        compared: `boxes`, or `priors` when the pictures show too little.
        count: how many were compared.
        unmatched: how many did not agree.
        passed: whether both comparisons hold.
    """

    engine: str
    precision: str
    storage: str
    raw_difference: float
    compared: str
    count: int
    unmatched: int
    passed: bool


def reference_outputs(model: nn.Module, interface: Interface, pictures: Sequence[Path]) -> Reference:
    """Run the PyTorch model as it was trained, batch norms and all, over some pictures."""
    placements, outputs = [], []
    with torch.inference_mode():
        for picture in pictures:
            tensor, placed = to_tensor(read_picture(picture), interface.input)
            placements.append(placed)
            outputs.append(model(torch.from_numpy(tensor)).numpy()[0])
    return Reference(tuple(pictures), tuple(placements), np.stack(outputs).astype(np.float32))


def detections_of_reference(reference: Reference, interface: Interface, score_threshold: float) -> list[Detections]:
    """The reference's boxes, with the bundle's post-processing but for the threshold."""
    return _detections(reference.outputs, reference, interface, score_threshold)


def check_parity(
    folder: Path, converted: Sequence[Converted], reference: Reference, interface: Interface
) -> dict[str, Any]:
    """Run every engine of a bundle in the making and compare.

    Args:
        folder: the bundle, complete but for the report.
        converted: the models in it.
        reference: of the PyTorch model as it was trained.
        interface: of the bundle.

    Returns:
        The document of `parity.json`.

    Raises:
        ParityError: names engine, figure and limit.
    """
    verdicts = [_check_engine(folder, model, reference, interface) for model in converted]
    for verdict in verdicts:
        if not verdict.passed:
            raise ParityError(
                f"The {verdict.engine} model does not compute what the PyTorch model computes: raw outputs differ by "
                f"{verdict.raw_difference:.2g} of their range (limit {MAX_RAW_DIFFERENCE:g}), {verdict.unmatched} of "
                f"{verdict.count} {verdict.compared} disagree. Nothing was written."
            )
    return {
        "passed": True,
        "pictures": len(reference.pictures),
        "limits": {
            "raw_difference": MAX_RAW_DIFFERENCE,
            "iou": LOWEST_IOU,
            "score_difference": MAX_SCORE_DIFFERENCE["fp32"],
            "unmatched_share": MAX_UNMATCHED_SHARE,
        },
        "engines": [asdict(verdict) for verdict in verdicts],
    }


def _check_engine(folder: Path, model: Converted, reference: Reference, interface: Interface) -> EngineParity:
    entry = model.entry
    outputs = run_in_fresh_process(folder, entry, reference.pictures)
    if outputs.shape != reference.outputs.shape:
        raise ParityError(
            f"The {entry.engine} model gives {list(outputs.shape[1:])} a picture, the PyTorch model "
            f"{list(reference.outputs.shape[1:])}. Nothing was written."
        )
    spread = max(0.0, float(model.expected.max())) - min(0.0, float(model.expected.min()))
    difference = np.abs(outputs - model.expected)
    raw_difference = float(difference.max()) / spread if np.isfinite(difference).all() else float("inf")
    compared, count, unmatched = _compare_decoded(outputs, reference, interface)
    passed = raw_difference <= MAX_RAW_DIFFERENCE and unmatched <= MAX_UNMATCHED_SHARE * count
    return EngineParity(
        entry.engine, entry.precision, model.storage, raw_difference, compared, count, unmatched, passed
    )


def run_in_fresh_process(folder: Path, entry: EngineEntry, pictures: Sequence[Path]) -> FloatArray:
    """Raw outputs [pictures, priors, channels] of one engine in a process of its own.

    Raises:
        ParityError: when the process fails; its last line is quoted.
    """
    with tempfile.TemporaryDirectory(prefix="nanoedge-parity-") as work:
        output = Path(work) / "output.npz"
        command = [sys.executable, "-m", "nanoedge.export.raw_outputs", str(folder), entry.engine, entry.precision]
        command += [str(output), *(str(picture) for picture in pictures)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise ParityError(f"The {entry.engine} model did not finish within {TIMEOUT_SECONDS} s.") from error
        if done.returncode != 0 or not output.is_file():
            lines = done.stderr.strip().splitlines() or [f"the process ended with status {done.returncode}"]
            raise ParityError(f"The {entry.engine} model could not be run: {lines[-1]}")
        with np.load(output) as archive:
            return np.asarray(archive["output"], np.float32)


def _compare_decoded(outputs: FloatArray, reference: Reference, interface: Interface) -> tuple[str, int, int]:
    """(`boxes` or `priors`, how many were compared, how many disagree)."""
    sure = detections_of_reference(reference, interface, SURE_SCORE)
    if sum(len(found) for found in sure) >= ENOUGH_BOXES:
        ours = detections_of_reference(reference, interface, SCORE_OF_TWIN)
        theirs = _detections(outputs, reference, interface, SCORE_OF_TWIN)
        verdict = agreement(ours, theirs)
        return "boxes", verdict.boxes, verdict.unmatched
    pairs = zip(reference.outputs, outputs, strict=True)
    unmatched = sum(_disagreeing_priors(ours, theirs, interface) for ours, theirs in pairs)
    return "priors", BEST_PRIORS * len(outputs), unmatched


def _disagreeing_priors(ours: FloatArray, theirs: FloatArray, interface: Interface) -> int:
    """How many of the reference's 100 best priors differ in score or box."""
    classes = len(interface.classes)
    rows = np.argsort(-ours[:, :classes].max(axis=1), kind="stable")[:BEST_PRIORS]
    columns = ours[rows, :classes].argmax(axis=1)
    scores = np.abs(sigmoid(ours[rows, columns]) - sigmoid(theirs[rows, columns]))
    spec, decoder = interface.input, interface.decoder
    priors = make_priors(spec.width, spec.height, decoder.strides, decoder.prior_offset)[rows]
    our_boxes, their_boxes = decode_boxes(ours[rows, classes:], priors), decode_boxes(theirs[rows, classes:], priors)
    overlaps = np.array([box_iou(box, other[None])[0] for box, other in zip(our_boxes, their_boxes, strict=True)])
    agree = (scores <= MAX_SCORE_DIFFERENCE["fp32"]) & (overlaps >= LOWEST_IOU)
    return int(np.count_nonzero(~agree))


def _detections(
    outputs: FloatArray, reference: Reference, interface: Interface, score_threshold: float
) -> list[Detections]:
    postprocess = EVALUATION_POSTPROCESS.model_copy(update={"score_threshold": score_threshold})
    return [
        detections_of(output, placed, interface, postprocess)
        for output, placed in zip(outputs, reference.placements, strict=True)
    ]
