"""The compiled core against the readable reference: the same pixels in, the same boxes out."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nanoedge import Detector
from nanoedge.bundle import load_bundle
from nanoedge.bundle.manifest import digest_of
from nanoedge.errors import BundleError, EngineError, InputError
from nanoedge.evaluation.agreement import agreement
from nanoedge.pictures import read_picture
from tests.conftest import changed_bundle

CORE, REFERENCE = ("ncnn", "openvino"), {"ncnn": "python-ncnn", "openvino": "python-openvino"}


@pytest.fixture(scope="module")
def core(small_bundle: Path) -> Detector:
    return Detector(small_bundle, "ncnn", threads=1)


@pytest.fixture(scope="module")
def reference(small_bundle: Path) -> Detector:
    return Detector(small_bundle, "python-ncnn", threads=1)


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def smooth(height: int, width: int) -> np.ndarray:
    """A picture as a camera gives it: no single pixels of other colours."""
    return cv2.GaussianBlur(noise(height, width, 3, seed=3), (0, 0), 3) * np.uint8(1)


def levels(detector: Detector, tensor: np.ndarray) -> np.ndarray:
    """A tensor as grey levels 0..255."""
    spec = detector.interface.input
    return tensor * np.array(spec.std).reshape(1, 3, 1, 1) + np.array(spec.mean).reshape(1, 3, 1, 1)


# --- pixels ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(480, 640), (120, 160), (64, 96), (1, 1), (7, 1000), (1080, 1920), (33, 31)])
@pytest.mark.parametrize("pixel_format", ["bgr", "rgb"])
def test_resizing_is_within_one_grey_level_of_opencv_everywhere(
    core: Detector, reference: Detector, size: tuple[int, int], pixel_format: Any
) -> None:
    picture = noise(*size, 3)
    ours, placed = core.preprocess(picture, pixel_format)
    theirs, wanted = reference.preprocess(picture, pixel_format)
    assert np.abs(levels(core, ours) - levels(core, theirs)).max() <= 1.001
    np.testing.assert_allclose(
        (placed.scale_x, placed.scale_y, placed.shift_x, placed.shift_y),
        (wanted.scale_x, wanted.scale_y, wanted.shift_x, wanted.shift_y),
        rtol=1e-6,
    )


@pytest.mark.parametrize("pixel_format", ["nv12", "i420", "yuyv"])
@pytest.mark.parametrize("content", ["smooth", "noise"])
@pytest.mark.parametrize("size", [(480, 640), (120, 160), (720, 1280)])
def test_yuv_formats_are_close_to_opencv(
    core: Detector, reference: Detector, pixel_format: Any, content: str, size: tuple[int, int]
) -> None:
    height, width = size
    shape = (height, width, 2) if pixel_format == "yuyv" else (height * 3 // 2, width)
    picture = noise(*shape)
    if content == "smooth":
        yuv = cv2.cvtColor(smooth(height, width), cv2.COLOR_BGR2YUV_I420)
        luma, u, v = yuv[:height], yuv[height:].reshape(2, height // 2, width // 2)[0], yuv[height:].reshape(2, -1)[1]
        v = v.reshape(height // 2, width // 2)
        picture = {
            "i420": yuv,
            "nv12": np.concatenate([luma, np.stack([u, v], axis=2).reshape(height // 2, width)]),
            "yuyv": np.stack([luma, np.stack([u, v], axis=2).reshape(height // 2, width).repeat(2, axis=0)], axis=2),
        }[pixel_format]
    difference = np.abs(
        levels(core, core.preprocess(picture, pixel_format)[0])
        - levels(core, reference.preprocess(picture, pixel_format)[0])
    )
    assert difference.mean() <= 1 and difference.max() <= 8


def test_other_formats_are_those_of_opencv(core: Detector, reference: Detector) -> None:
    for pixel_format, shape in (("gray", (50, 70)), ("bgra", (50, 70, 4))):
        ours = levels(core, core.preprocess(noise(*shape), pixel_format)[0])  # type: ignore[arg-type]
        theirs = levels(core, reference.preprocess(noise(*shape), pixel_format)[0])  # type: ignore[arg-type]
        assert np.abs(ours - theirs).max() <= 1.001


@pytest.mark.parametrize(
    "view",
    [
        lambda p: p[10:90, 20:100],
        lambda p: p[::2],
        lambda p: p[:, ::2],
        lambda p: p[::-1],
        lambda p: p[:, :, ::-1],
        lambda p: np.asfortranarray(p),
        lambda p: p.transpose(1, 0, 2),
        lambda p: p[:1],
    ],
)
def test_views_of_an_array_give_what_their_copies_give(
    core: Detector, view: Callable[[np.ndarray], np.ndarray]
) -> None:
    picture = view(noise(100, 120, 3))
    given_view, _ = core.preprocess(picture)
    given_copy, _ = core.preprocess(np.ascontiguousarray(picture))
    np.testing.assert_array_equal(given_view, given_copy)


@pytest.mark.parametrize(
    ("picture", "pixel_format", "sentence"),
    [
        (noise(4, 4), "bgr", r"must be uint8 \[height, width, 3\].*not uint8 \[4, 4\]"),
        (noise(4, 4, 4), "bgr", r"not uint8 \[4, 4, 4\]"),
        (noise(4, 4, 3).astype(np.float32), "bgr", "not float32"),
        (noise(0, 4, 3), "bgr", r"\[0, 4, 3\]"),
        (noise(4, 4, 3), "gray", r"\[height, width\]"),
        (noise(7, 4), "nv12", r"\[height \* 3 / 2, width\]"),
        (noise(6, 3), "i420", "even width"),
        (noise(8, 4), "i420", r"\[height \* 3 / 2, width\]"),
        (noise(1, 20000, 3), "bgr", "too large"),
        (noise(4, 4, 3), "jpeg", "Unknown pixel format 'jpeg'"),
        (7, "bgr", "not int"),
        (None, "bgr", "must be a NumPy array or a path, not NoneType"),
        ([[1]], "bgr", "not list"),
    ],
)
def test_what_is_no_picture_is_refused(core: Detector, picture: Any, pixel_format: Any, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        core(picture, pixel_format)


# --- boxes -----------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32 - 1),
    spread=st.floats(0.1, 6),
    shift=st.floats(-9, 1),
    width=st.integers(1, 3000),
    height=st.integers(1, 3000),
    score=st.sampled_from([0.0, 0.05, 0.35, 0.9]),
    nms=st.sampled_from([0.0, 0.3, 0.6, 1.0]),
    limit=st.sampled_from([1, 10, 100, 5000]),
    class_aware=st.booleans(),
)
def test_post_processing_of_identical_tensors_is_exact(
    small_bundle: Path, seed, spread, shift, width, height, score, nms, limit, class_aware
) -> None:
    changes = {"score_threshold": score, "nms_iou": nms, "max_detections": limit, "class_aware": class_aware}
    ours = Detector(small_bundle, "ncnn", threads=1, **changes)
    theirs = Detector(small_bundle, "python-ncnn", threads=1, **changes)
    shape = (1, ours.interface.prior_count, ours.interface.output_channels)
    output = (np.random.default_rng(seed).normal(0, spread, shape)).astype(np.float32)
    output[:, :, : len(ours.class_names)] += np.float32(shift)
    _, placed = theirs.preprocess(np.zeros((height, width, 3), np.uint8))
    found, wanted = ours.postprocess(output, placed), theirs.postprocess(output, placed)
    compare(found, wanted)


def compare(found, wanted) -> None:
    """Equal to 1e-4; where two scores are one rounding apart, their order may differ."""
    assert len(found) == len(wanted)
    np.testing.assert_allclose(found.scores, wanted.scores, atol=1e-4)

    def rows(detections) -> np.ndarray:
        table = np.concatenate(
            [detections.scores[:, None].round(4), detections.class_ids[:, None], detections.boxes_xyxy], axis=1
        )
        return table[np.lexsort(table.T[::-1])]

    if not np.allclose(found.boxes_xyxy, wanted.boxes_xyxy, atol=1e-3, rtol=1e-4):
        np.testing.assert_allclose(rows(found), rows(wanted), atol=2e-3, rtol=1e-4)


@pytest.mark.parametrize("engine", CORE)
def test_the_core_finds_what_the_reference_finds(small_bundle: Path, shapes: Path, engine: str) -> None:
    ours, theirs = (
        Detector(small_bundle, name, threads=1, score_threshold=0.1) for name in (engine, REFERENCE[engine])
    )
    boxes = 0
    for file in sorted((shapes / "images" / "val").iterdir()):
        found, wanted = ours(file), theirs(file)
        assert len(found) == len(wanted)
        np.testing.assert_allclose(found.scores, wanted.scores, atol=0.01)
        np.testing.assert_allclose(found.boxes_xyxy, wanted.boxes_xyxy, atol=0.5)
        boxes += len(found)
    assert boxes > 10


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.parametrize("engine", CORE)
def test_the_core_agrees_with_the_reference_on_real_pictures(
    plus_m_320_bundle: Path, shared: Path, engine: str
) -> None:
    ours = Detector(plus_m_320_bundle, engine, threads=1, score_threshold=0.05)
    theirs = Detector(plus_m_320_bundle, REFERENCE[engine], threads=1, score_threshold=0.05)
    files = sorted((shared / "data" / "coco_open300" / "images").iterdir())[:60]
    pictures = [read_picture(file) for file in files]
    report = agreement([ours(p) for p in pictures], [theirs(p) for p in pictures])
    assert report.boxes > 150 and report.agrees, report


def test_the_stages_one_by_one_are_the_whole(core: Detector) -> None:
    picture = smooth(120, 160)
    tensor, placed = core.preprocess(picture)
    found = core.postprocess(core.forward(tensor), placed)
    whole, times = core.timed(picture)
    np.testing.assert_array_equal(found.boxes_xyxy, whole.boxes_xyxy)
    assert min(times) > 0 and sum(times) < 1000
    with pytest.raises(InputError, match="network's input is float32"):
        core.forward(tensor[:, :, 1:])


def test_letterboxed_bundles_are_placed_as_the_reference_does(small_bundle: Path, tmp_path: Path) -> None:
    bundle = changed_bundle(small_bundle, tmp_path, lambda m: m["input"].update(resize="letterbox", pad_value=114))
    ours, theirs = Detector(bundle, "ncnn", threads=1), Detector(bundle, "python-ncnn", threads=1)
    for size in ((480, 640), (100, 33), (3, 500)):
        (a, placed), (b, wanted) = ours.preprocess(noise(*size, 3)), theirs.preprocess(noise(*size, 3))
        assert np.abs(levels(ours, a) - levels(ours, b)).max() <= 1.001
        assert (placed.shift_x, placed.shift_y) == (wanted.shift_x, wanted.shift_y)


def test_several_threads_get_right_answers_from_one_detector_and_from_their_own(small_bundle: Path) -> None:
    shared_one = Detector(small_bundle, "ncnn", threads=1)
    pictures = [smooth(80 + 20 * i, 100) for i in range(4)]
    wanted = [shared_one(picture).boxes_xyxy for picture in pictures]
    wrong: list[str] = []

    def work(number: int) -> None:
        own = Detector(small_bundle, "ncnn", threads=1)
        for _ in range(10):
            for name, detector in (("shared", shared_one), ("own", own)):
                found = detector(pictures[number % 4]).boxes_xyxy
                if not np.array_equal(found, wanted[number % 4]):
                    wrong.append(name)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# --- bad input -------------------------------------------------------------------------------------------------------


MANIFEST_CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "width": lambda m: m["input"].update(width=31),
    "width as text": lambda m: m["input"].update(width="320"),
    "width as fraction": lambda m: m["input"].update(width=320.0),
    "width as truth": lambda m: m["input"].update(width=True),
    "no width": lambda m: m["input"].pop("width"),
    "no threshold": lambda m: m["postprocess"].pop("score_threshold"),
    "unknown key": lambda m: m["input"].update(widht=320),
    "unknown provenance": lambda m: m["provenance"].update(who="me"),
    "threshold": lambda m: m["postprocess"].update(score_threshold=1.01),
    "std": lambda m: m["input"].update(std=[1, 1, 0]),
    "two means": lambda m: m["input"].update(mean=[1, 1]),
    "decoder": lambda m: m["decoder"].update(type="yolox"),
    "strides": lambda m: m["decoder"].update(strides=[]),
    "huge stride": lambda m: m["decoder"].update(strides=[100000]),
    "classes": lambda m: m.update(classes=["a", "a"]),
    "no classes": lambda m: m.update(classes=[]),
    "class of another kind": lambda m: m.update(classes=["a", 1]),
    "path": lambda m: m["engines"][0].update(files=["../x", "y"]),
    "unlisted file": lambda m: m["engines"][0].update(files=["x.param", "y.bin"]),
    "engine twice": lambda m: m["engines"].append(m["engines"][0]),
    "layout": lambda m: m["engines"][0].update(layout="channels,priors"),
    "version": lambda m: m.update(version=2),
    "version 0": lambda m: m.update(version=0),
    "format": lambda m: m.update(format="zip"),
    "parity": lambda m: m["parity"].update(passed=False),
    "sample": lambda m: m["sample"].update(picture="nowhere.png"),
    "hash": lambda m: m["files"]["sample.png"].update(sha256="0"),
    "size": lambda m: m["files"]["sample.png"].update(size=-1),
    "name": lambda m: m.update(name="../x"),
    "null": lambda m: m.update(classes=None),
    "nested": lambda m: m.update(licence={"a": {"b": []}}),
}


@pytest.mark.parametrize("change", MANIFEST_CHANGES.values(), ids=MANIFEST_CHANGES.keys())
def test_the_core_refuses_the_manifests_that_python_refuses(small_bundle: Path, tmp_path: Path, change) -> None:
    from nanoedge import _runtime

    bundle = changed_bundle(small_bundle, tmp_path, change)
    with pytest.raises(BundleError):
        load_bundle(bundle)
    with pytest.raises(BundleError):
        _runtime.Detector(str(bundle), engine="ncnn")


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.update(licence="© Ünï \u2028 \x7f \t"),
        lambda m: m["postprocess"].update(score_threshold=1e-7, nms_iou=0.1 + 0.2),
        lambda m: m["input"].update(mean=[0, 1e-5, 123456789.123], std=[1, 1e15, 1e16]),
        lambda m: m["engines"].append({**m["engines"][0], "engine": "later"}),
    ],
)
def test_the_core_takes_the_manifests_that_python_takes(small_bundle: Path, tmp_path: Path, change) -> None:
    from nanoedge import _runtime

    bundle = changed_bundle(small_bundle, tmp_path, change)
    load_bundle(bundle)
    _runtime.check_manifest((bundle / "manifest.json").read_text(), "manifest.json")


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**63)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=12,
    )
)
def test_the_digest_is_computed_alike(value: Any) -> None:
    from nanoedge import _runtime

    document = {"format": "nanoedge-bundle", "version": 1, "x": value}
    try:
        document["digest"] = digest_of(document)
    except UnicodeEncodeError:
        return  # lone surrogates: no UTF-8, refused by both
    with pytest.raises(BundleError) as caught:
        _runtime.check_manifest(json.dumps(document), "m.json")
    assert "digest" not in str(caught.value) or "Unknown key 'digest'" in str(caught.value)


@pytest.mark.parametrize("name", ["model.ncnn.param", "model.ncnn.bin"])
@pytest.mark.parametrize("damage", ["one byte", "shorter", "longer", "missing", "link"])
def test_damaged_files_are_refused_before_ncnn_sees_them(
    small_bundle: Path, tmp_path: Path, name: str, damage: str
) -> None:
    bundle = tmp_path / "b.nanoedge"
    shutil.copytree(small_bundle, bundle)
    file = bundle / name
    data = bytearray(file.read_bytes())
    if damage == "one byte":
        data[len(data) // 2] ^= 1
        file.write_bytes(data)
    elif damage == "missing":
        file.unlink()
    elif damage == "link":
        file.rename(tmp_path / "elsewhere")
        file.symlink_to(tmp_path / "elsewhere")
    else:
        file.write_bytes(data[:-1] if damage == "shorter" else data + b"\0")
    with pytest.raises(BundleError, match=name):
        Detector(bundle, "ncnn")


def test_hostile_files_with_right_hashes_are_refused_too(small_bundle: Path, tmp_path: Path) -> None:
    import hashlib

    bundle = tmp_path / "b.nanoedge"
    shutil.copytree(small_bundle, bundle)
    param = bundle / "model.ncnn.param"
    param.write_text(param.read_text().replace("0=24", "0=2400000", 1))
    document = json.loads((bundle / "manifest.json").read_text())
    document["files"][param.name] = {
        "sha256": hashlib.sha256(param.read_bytes()).hexdigest(),
        "size": param.stat().st_size,
    }
    document["digest"] = digest_of(document)
    (bundle / "manifest.json").write_text(json.dumps(document))
    with pytest.raises(BundleError, match=r"model\.ncnn\.param, line \d+"):
        Detector(bundle, "ncnn")


def test_a_missing_openvino_costs_a_sentence(small_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NANOEDGE_OPENVINO", "/nowhere/libopenvino_c.so")
    with pytest.raises(EngineError, match="pip install openvino"):
        Detector(small_bundle, "openvino")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"threads": "2"}, "number of threads must be a whole number between 1 and 256, not '2'"),
        ({"threads": 1.5}, "not 1.5"),
        ({"max_detections": 1.5}, "number of detections must be a whole number from 1 on, not 1.5"),
        ({"score_threshold": "high"}, "score threshold must be between 0 and 1, not 'high'"),
        ({"classes": "disc"}, r"a list of names, such as \['disc'\]"),
        ({"classes": ["unicorn"]}, "does not know the class 'unicorn'"),
    ],
)
def test_settings_of_a_wrong_type_cost_a_sentence(small_bundle: Path, settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        Detector(small_bundle, "ncnn", **settings)


def test_kinds_of_cores_that_the_cpu_does_not_have_are_refused(small_bundle: Path) -> None:
    from nanoedge import _runtime

    if all_cores_are_alike():
        with pytest.raises(EngineError, match="all of one kind"):
            Detector(small_bundle, "ncnn", cores="big")
    with pytest.raises(EngineError, match="cannot choose between big and little"):
        Detector(small_bundle, "python-ncnn", cores="little")
    with pytest.raises(InputError, match="kind of cores"):
        _runtime.Detector(str(small_bundle), cores="tiny")


def all_cores_are_alike() -> bool:
    strengths = set()
    for cpu in os.sched_getaffinity(0):
        folder = Path(f"/sys/devices/system/cpu/cpu{cpu}")
        files = [folder / "cpu_capacity", folder / "cpufreq" / "cpuinfo_max_freq"]
        strengths.add(next((file.read_text() for file in files if file.is_file()), ""))
    return len(strengths) == 1
