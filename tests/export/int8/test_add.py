"""An export with int8: what is written, what is left out, and that float is always whole."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nanoedge.bundle import load_bundle
from nanoedge.errors import DataError, InputError
from nanoedge.export.export import ExportResult, export_bundle
from nanoedge.export.int8 import add
from nanoedge.export.int8.native import candidates
from nanoedge.export.int8.native.candidates import Candidate
from nanoedge.export.int8.native.ranges import METHODS
from nanoedge.export.int8.request import Int8Request, Truth
from nanoedge.export.native.serialise import Quantized
from nanoedge.pictures import write_picture
from nanoedge.runtime.detector import Detector


def best_of(run: Path) -> Path:
    return run / "checkpoints" / "best.ckpt"


@pytest.fixture(scope="session")
def calibration(shapes: Path) -> Path:
    return shapes / "images" / "train"


@pytest.fixture(scope="session")
def truth(shapes: Path) -> Truth:
    return Truth(shapes / "annotations" / "val.json", shapes / "images", 1.0)


def files_of(result: ExportResult) -> set[str]:
    return {path.name for path in result.bundle.iterdir()}


def test_a_bundle_has_float_and_int8_and_says_how_int8_was_made(
    tmp_path: Path, small_run: Path, calibration: Path, truth: Truth
) -> None:
    said: list[str] = []
    out = tmp_path / "x.nanoedge"
    result = export_bundle(
        best_of(small_run), ["native"], out, int8=Int8Request(calibration, 30, truth), say=said.append
    )
    bundle = load_bundle(out)
    bundle.verify_all()
    assert [(entry.engine, entry.precision) for entry in bundle.manifest.engines] == [
        ("native", "float"),
        ("native", "int8"),
    ]
    assert bundle.entry("native", "int8").files == ("model.native.int8.bin",)
    files = bundle.manifest.files
    assert files["model.native.int8.bin"].size < 0.8 * files["model.native.bin"].size
    report = json.loads((out / "parity.json").read_text())["int8"]
    assert report == result.as_json()["int8"]
    assert report["written"] and report["refusal"] == ""
    assert set(report["output_errors"]) == set(METHODS)
    assert report["output_errors"][report["ranges"]] == min(report["output_errors"].values()) < 0.05
    assert (report["pictures_for_ranges"], report["pictures_for_errors"], report["kept_apart"]) == (24, 6, True)
    accuracy = report["accuracy"]
    assert accuracy["pictures"] == 16 and accuracy["float_ap"] > 0
    assert accuracy["drop"] == pytest.approx(accuracy["float_ap"] - accuracy["int8_ap"], abs=2e-5)
    assert any("measuring the network's ranges on 24 pictures" in line for line in said)


def test_the_bytes_that_are_written_are_those_of_the_best_method(
    tmp_path: Path, small_run: Path, calibration: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: dict[str, bytes] = {}

    def noted(*arguments: Any) -> Iterator[Candidate]:
        for candidate in candidates.int8_candidates(*arguments):
            made[candidate.method] = candidate.data
            yield candidate

    monkeypatch.setattr(add, "int8_candidates", noted)
    out = tmp_path / "x.nanoedge"
    result = export_bundle(best_of(small_run), ["native"], out, int8=Int8Request(calibration, 12))
    assert result.int8 is not None and result.int8.accuracy is None
    assert (out / "model.native.int8.bin").read_bytes() == made[result.int8.method]
    assert len(set(made.values())) > 1


@pytest.fixture
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scales are made 64 times as large: two bits are left of eight, and no AP to speak of."""
    honest = candidates.choose_scales

    def coarser(*arguments: Any) -> dict[str, Quantized]:
        chosen = honest(*arguments)
        return {
            name: each if each == Quantized(1.0, 0) else Quantized(each.scale * 64, each.zero_point // 64)
            for name, each in chosen.items()
        }

    monkeypatch.setattr(candidates, "choose_scales", coarser)


@pytest.mark.usefixtures("coarse")
def test_int8_that_loses_too_much_ap_is_left_out_and_float_stays(
    tmp_path: Path, small_run: Path, calibration: Path, truth: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(add, "MAX_OUTPUT_ERROR", float("inf"))
    out = tmp_path / "x.nanoedge"
    strict = Int8Request(calibration, 12, dataclasses.replace(truth, max_drop=0.0))
    result = export_bundle(best_of(small_run), ["native"], out, int8=strict)
    assert result.int8 is not None and result.int8.accuracy is not None
    assert result.int8.accuracy.drop > 0
    assert "lower than float's" in result.int8.refusal and "--max-drop allows 0" in result.int8.refusal
    assert_float_alone(result)
    assert result.as_json()["int8"]["written"] is False


@pytest.mark.usefixtures("coarse")
def test_int8_that_calculates_something_else_is_left_out(
    tmp_path: Path, small_run: Path, calibration: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(add, "MAX_OUTPUT_ERROR", 0.001)
    out = tmp_path / "x.nanoedge"
    result = export_bundle(best_of(small_run), ["native"], out, int8=Int8Request(calibration, 12))
    assert result.int8 is not None and "its outputs differ from float's by" in result.int8.refusal
    assert_float_alone(result)


def assert_float_alone(result: ExportResult) -> None:
    bundle = load_bundle(result.bundle)
    bundle.verify_all()
    assert [(entry.engine, entry.precision) for entry in bundle.manifest.engines] == [("native", "float")]
    assert "model.native.int8.bin" not in files_of(result)
    assert "int8" not in json.loads((result.bundle / "parity.json").read_text())
    assert Detector(result.bundle, "native").engine == "native"


def test_targets_without_int8_stay_float_and_are_named(tmp_path: Path, small_run: Path, calibration: Path) -> None:
    said: list[str] = []
    result = export_bundle(
        best_of(small_run),
        ["onnx", "native"],
        tmp_path / "x.nanoedge",
        int8=Int8Request(calibration, 10),
        say=said.append,
    )
    kinds = [(entry.engine, entry.precision) for entry in result.manifest.engines]
    assert kinds == [("onnx", "float"), ("native", "float"), ("native", "int8")]
    assert "int8 is made for native; float alone for onnx" in said


def test_int8_for_no_engine_that_has_it_is_refused(tmp_path: Path, small_run: Path, calibration: Path) -> None:
    with pytest.raises(InputError, match="--int8 cannot be made for ncnn, onnx: only native has int8 as yet"):
        export_bundle(best_of(small_run), ["onnx", "ncnn"], tmp_path / "x.nanoedge", int8=Int8Request(calibration, 10))
    assert list(tmp_path.iterdir()) == []


def test_annotations_are_checked_before_the_long_work(
    tmp_path: Path, small_run: Path, calibration: Path, shapes: Path
) -> None:
    empty = tmp_path / "empty.json"
    document = json.loads((shapes / "annotations" / "val.json").read_text())
    empty.write_text(json.dumps({**document, "annotations": []}))
    for file, sentence in ((tmp_path / "nowhere.json", "does not exist"), (empty, "has no boxes")):
        said: list[str] = []
        wanted = Int8Request(calibration, 10, Truth(file, shapes / "images"))
        with pytest.raises(DataError, match=sentence):
            export_bundle(best_of(small_run), ["native"], tmp_path / "x.nanoedge", int8=wanted, say=said.append)
        assert said == []
    assert [path.name for path in tmp_path.iterdir()] == ["empty.json"]


def test_pictures_of_another_size_and_one_alone_calibrate(tmp_path: Path, small_run: Path) -> None:
    folder = tmp_path / "one"
    folder.mkdir()
    levels = np.random.default_rng(0).integers(0, 256, (37, 501, 3)).astype(np.uint8)
    write_picture(folder / "wide.png", levels)
    result = export_bundle(best_of(small_run), ["native"], tmp_path / "x.nanoedge", int8=Int8Request(folder))
    assert result.int8 is not None
    assert (result.int8.pictures_for_ranges, result.int8.is_kept_apart) == (1, False)
