"""The int8 file of a bundle in the making: made, measured on the engine, kept or left out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import nn

from nanoedge.bundle.manifest import EngineEntry
from nanoedge.bundle.write import write_manifest
from nanoedge.config.interface import Interface
from nanoedge.evaluation.bundles import evaluate_bundle
from nanoedge.evaluation.evaluate import Progress
from nanoedge.export.int8.calibration import Calibration, tensors_of
from nanoedge.export.int8.native.candidates import ENTRY, FILE, Candidate, int8_candidates
from nanoedge.export.int8.report import MAX_OUTPUT_ERROR, Accuracy, Int8Report
from nanoedge.export.int8.request import Truth
from nanoedge.export.native.compile import census_of_native
from nanoedge.export.output_error import output_error
from nanoedge.export.parity import FloatArray, reference_outputs, run_in_fresh_process
from nanoedge.export.strip import census, check_census
from nanoedge.runtime.detector import PRECISIONS

Say = Callable[[str], None]


def add_int8(
    making: Path,
    document: dict[str, Any],
    network: nn.Module,
    interface: Interface,
    calibration: Calibration,
    truth: Truth | None,
    say: Say = lambda text: None,
    progress: Progress | None = None,
) -> tuple[EngineEntry | None, Int8Report]:
    """Make `model.native.int8.bin`, with the range method whose outputs are closest to the float network's.

    Args:
        making: a bundle that is complete without int8; its manifest is written again, and by the caller once more.
        document: of the manifest, without int8.
        network: stripped, with its weights as they were trained.
        interface: of the bundle.
        calibration: pictures.
        truth: what AP is measured with; `None` leaves that out.
        say: receives sentences for the user.
        progress: called with (pictures done, pictures in all).

    Returns:
        The manifest's entry, `None` when int8 loses too much and its file is gone again; and what was measured.

    Raises:
        ExportError: when the network cannot be compiled, or the engine refuses the file.
        DataError: when AP cannot be measured.
    """
    best, errors = _best_candidate(making, document, network, interface, calibration, say, progress)
    _write(making, document, best)
    check_census(census_of_native(making / FILE), census(network), f"{ENTRY.engine} int8")
    report = Int8Report(
        engine=ENTRY.engine,
        method=best.method,
        errors=errors,
        pictures_for_ranges=len(calibration.for_ranges),
        pictures_for_errors=len(calibration.for_errors),
        is_kept_apart=calibration.is_kept_apart,
        skipped=len(calibration.skipped),
    )
    report = _judged(making, report, truth, say, progress)
    if report.refusal:
        (making / FILE).unlink()
        return None, report
    return ENTRY, report


def _best_candidate(
    making: Path,
    document: dict[str, Any],
    network: nn.Module,
    interface: Interface,
    calibration: Calibration,
    say: Say,
    progress: Progress | None,
) -> tuple[Candidate, dict[str, float]]:
    """The candidate with the least error on the engine, and every method's error."""
    expected: FloatArray = reference_outputs(network, interface, calibration.for_errors).outputs
    say(f"int8: measuring the network's ranges on {len(calibration.for_ranges)} pictures")
    tensors = tensors_of(calibration.for_ranges, interface.input, progress)
    best: Candidate | None = None
    errors: dict[str, float] = {}
    for candidate in int8_candidates(network, interface.input, tensors, len(calibration.for_ranges)):
        say(f"int8: running {candidate.method} ranges on {len(calibration.for_errors)} pictures")
        _write(making, document, candidate)
        outputs = run_in_fresh_process(making, ENTRY, calibration.for_errors)
        errors[candidate.method] = output_error(outputs, expected, len(interface.classes))
        if best is None or errors[candidate.method] < errors[best.method]:
            best = candidate
    assert best is not None
    return best, errors


def _write(making: Path, document: dict[str, Any], candidate: Candidate) -> None:
    """Put a candidate into the bundle, so that the engine can load it."""
    (making / FILE).write_bytes(candidate.data)
    write_manifest(making, {**document, "engines": [*document["engines"], ENTRY.model_dump(mode="json")]})


def _judged(making: Path, report: Int8Report, truth: Truth | None, say: Say, progress: Progress | None) -> Int8Report:
    """The report with AP, and with the reason where int8 is to be left out."""
    if not report.error <= MAX_OUTPUT_ERROR:
        refusal = (
            f"int8 was left out: its outputs differ from float's by {report.error:.0%} of their range (limit "
            f"{MAX_OUTPUT_ERROR:.0%}). Calibrate it with more pictures, like those that the network was trained on."
        )
        return dataclasses.replace(report, refusal=refusal)
    if truth is None:
        return report
    found = {}
    for precision in PRECISIONS:
        say(f"int8: measuring the AP of {precision} on the engine {ENTRY.engine}")
        found[precision] = evaluate_bundle(
            making, truth.annotations, truth.images, ENTRY.engine, precision, progress=progress
        ).metrics
    accuracy = Accuracy(found["float"].images, found["float"].AP, found["int8"].AP, truth.max_drop)
    refusal = ""
    if accuracy.drop > truth.max_drop:
        refusal = (
            f"int8 was left out: its AP of {accuracy.int8_ap:.4f} is {accuracy.drop:.4f} lower than float's "
            f"{accuracy.float_ap:.4f}, and --max-drop allows {truth.max_drop:g}. Calibrate it with more pictures, like "
            "those in use, or allow more."
        )
    return dataclasses.replace(report, accuracy=accuracy, refusal=refusal)
