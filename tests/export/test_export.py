"""An export proves that each engine computes what PyTorch computes, or leaves nothing."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from nanoedge.bundle import load_bundle
from nanoedge.errors import ExportError, InputError, ParityError
from nanoedge.export import targets
from nanoedge.export.export import export_bundle
from nanoedge.export.strip import Census, census, check_census, strip
from nanoedge.runtime.detector import Detector
from nanoedge.training.checkpoints import load_checkpoint

ENGINES = ("ncnn", "openvino", "onnx", "native")


def best_of(run: Path) -> Path:
    return run / "checkpoints" / "best.ckpt"


def test_stripping_removes_the_agm_and_keeps_the_function(small_run: Path) -> None:
    model = load_checkpoint(best_of(small_run)).model()
    stripped = strip(model)
    pictures = torch.rand(2, 3, 64, 96) * 4 - 2
    with torch.no_grad():
        torch.testing.assert_close(stripped(pictures), model(pictures), rtol=1e-4, atol=1e-4)
    assert not any("agm" in name for name, _ in stripped.named_modules())
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in stripped.modules())
    assert model.agm_head is not None


def test_a_graph_with_more_or_less_than_the_network_is_refused(small_run: Path) -> None:
    model = load_checkpoint(best_of(small_run)).model()
    expected = census(strip(model))
    with pytest.raises(ExportError, match="not to be trusted"):
        check_census(census(model), expected, "onnx")
    check_census(Census(expected.convolutions, expected.weights), expected, "onnx")


def test_a_bundle_verifies_and_says_what_it_is(small_bundle: Path) -> None:
    bundle = load_bundle(small_bundle)
    bundle.verify_all()
    manifest = bundle.manifest
    assert [entry.engine for entry in manifest.engines] == list(ENGINES)
    assert manifest.classes == ("ring", "star", "cross", "arrow")
    assert (manifest.input.width, manifest.input.height) == (96, 64)
    assert manifest.provenance.data_fingerprint
    assert manifest.provenance.torch
    parity = json.loads((small_bundle / "parity.json").read_text())
    assert [row["engine"] for row in parity["engines"]] == list(ENGINES)
    assert all(row["raw_difference"] <= 1e-3 for row in parity["engines"])


def test_the_sample_shows_what_pytorch_found_and_every_engine_finds(small_bundle: Path) -> None:
    sample = json.loads((small_bundle / "sample.json").read_text())
    for engine in ENGINES:
        found = Detector(small_bundle, engine)(small_bundle / "sample.png")
        assert len(found) == len(sample["detections"])
        for row, (label, score, box) in zip(sample["detections"], found, strict=True):
            assert row["label"] == label
            assert row["score"] == pytest.approx(score, abs=0.01)
            np.testing.assert_allclose(row["box"], box, atol=1.0)


def test_weights_are_stored_as_asked(tmp_path: Path, small_run: Path) -> None:
    sizes = {}
    for storage in ("fp16", "fp32"):
        out = tmp_path / f"{storage}.nanoedge"
        result = export_bundle(best_of(small_run), ["all"], out, weights=storage)
        sizes[storage] = {name: entry.size for name, entry in result.manifest.files.items()}
        half = any(
            part.data_type == onnx.TensorProto.FLOAT16 for part in onnx.load(out / "model.onnx").graph.initializer
        )
        assert half == (storage == "fp16")
    for name in ("model.ncnn.bin", "model.bin", "model.onnx"):
        assert sizes["fp16"][name] < 0.75 * sizes["fp32"][name]


def test_a_non_square_size_other_than_the_trainings_can_be_exported(tmp_path: Path, small_run: Path) -> None:
    out = tmp_path / "wide.nanoedge"
    export_bundle(best_of(small_run), ["all"], out, input_size=(160, 96))
    for engine in ENGINES:
        detector = Detector(out, engine)
        assert detector.forward(np.zeros((1, 3, 96, 160), np.float32)).shape == (1, 240 + 60 + 15 + 6, 36)


@pytest.mark.parametrize("size", [(100, 96), (96, 90), (0, 64), (8192, 64)])
def test_sizes_that_the_network_cannot_take_are_refused(tmp_path: Path, small_run: Path, size: tuple[int, int]) -> None:
    with pytest.raises(InputError, match="size"):
        export_bundle(best_of(small_run), ["onnx"], tmp_path / "x.nanoedge", input_size=size)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_target_is_refused(tmp_path: Path, small_run: Path) -> None:
    with pytest.raises(InputError, match="Unknown target 'tflite'; known: ncnn, openvino, onnx, native, all"):
        export_bundle(best_of(small_run), ["tflite"], tmp_path / "x.nanoedge")


def test_an_existing_place_is_kept_and_force_replaces_only_bundles(tmp_path: Path, small_run: Path) -> None:
    out = tmp_path / "x.nanoedge"
    out.mkdir()
    (out / "precious").write_text("x")
    for force in (False, True):
        with pytest.raises(InputError):
            export_bundle(best_of(small_run), ["onnx"], out, force=force)
    assert [item.name for item in out.iterdir()] == ["precious"]


def test_a_failed_parity_check_fails_the_export_and_leaves_nothing(
    tmp_path: Path, small_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The converter is made to lose precision: it exports a network whose weights were nudged."""
    honest = targets.TARGETS["onnx"]

    def nudged(network, spec, folder, half):
        with torch.no_grad():
            network.head.predict[0].bias[0] += 0.5
        return honest.convert(network, spec, folder, half)

    monkeypatch.setitem(targets.TARGETS, "onnx", dataclasses.replace(honest, convert=nudged))
    with pytest.raises(ParityError, match="does not compute what the PyTorch model computes"):
        export_bundle(best_of(small_run), ["onnx"], tmp_path / "x.nanoedge")
    assert list(tmp_path.iterdir()) == []


def test_a_graph_that_still_holds_the_agm_is_refused(
    tmp_path: Path, small_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = targets.TARGETS["onnx"]
    model = load_checkpoint(best_of(small_run)).model()

    class WithAgm(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, pictures):
            output = self.model.forward_training(pictures, False)
            return output.head + 0 * output.agm

    def with_agm(network, spec, folder, half):
        return honest.convert(WithAgm(), spec, folder, half)

    monkeypatch.setitem(targets.TARGETS, "onnx", dataclasses.replace(honest, convert=with_agm))
    with pytest.raises(ExportError, match="not to be trusted"):
        export_bundle(best_of(small_run), ["onnx"], tmp_path / "x.nanoedge")
    assert list(tmp_path.iterdir()) == []


def test_pictures_of_ones_own_make_the_sample(tmp_path: Path, small_run: Path, shapes: Path) -> None:
    out = tmp_path / "x.nanoedge"
    result = export_bundle(best_of(small_run), ["onnx"], out, pictures=shapes / "images" / "val")
    assert result.parity["pictures"] == 16
    with pytest.raises(InputError, match="no pictures"):
        export_bundle(best_of(small_run), ["onnx"], tmp_path / "y.nanoedge", pictures=tmp_path)
