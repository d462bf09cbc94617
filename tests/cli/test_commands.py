"""The command line as its users meet it: real processes, exit codes, what is printed where."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from nanoedge.runtime.load import preference

ENGINES = ("ncnn", "openvino", "onnx", "native")


@pytest.fixture(scope="session")
def picture(shapes: Path) -> Path:
    return sorted((shapes / "images" / "val").iterdir())[0]


def write_video(path: Path, shapes: Path, frames: int) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (160, 120))
    for file in sorted((shapes / "images" / "val").iterdir())[:frames]:
        writer.write(cv2.imread(str(file)))
    writer.release()
    return path


def test_the_version_is_printed(nanoedge) -> None:
    assert nanoedge("--version").stdout.strip() == "nanoedge 0.1.0"


def test_help_names_every_command(nanoedge) -> None:
    text = nanoedge("--help").stdout
    for command in (
        "train",
        "report",
        "eval",
        "export",
        "import-nanodet",
        "detect",
        "benchmark",
        "info",
        "data",
        "inspect",
        "demo",
        "camera",
        "doctor",
    ):
        assert command in text


@pytest.mark.parametrize("arguments", [["deploy"], ["data", "harvest"]])
def test_what_is_not_there_yet_is_refused_as_unknown(nanoedge, arguments: list[str]) -> None:
    assert "No such command" in nanoedge(*arguments, expect=2).stderr


def test_detect_prints_one_json_document_in_source_order(nanoedge, small_bundle: Path, shapes: Path) -> None:
    files = sorted((shapes / "images" / "val").iterdir())
    done = nanoedge("detect", str(small_bundle), str(files[3]), str(shapes / "images" / "val"), "--json")
    items = json.loads(done.stdout)
    assert [item["source"] for item in items] == [str(path) for path in [files[3], *files]]
    assert items[0].keys() == {"source", "width", "height", "detections"}
    assert (items[0]["width"], items[0]["height"]) == (160, 120)


def test_detect_writes_pictures_only_when_asked(nanoedge, small_bundle: Path, picture: Path, tmp_path: Path) -> None:
    nanoedge("detect", str(small_bundle), str(picture), cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []
    out = tmp_path / "found"
    nanoedge("detect", str(small_bundle), str(picture), "--out", str(out))
    assert [path.name for path in out.iterdir()] == [picture.name]
    before = (out / picture.name).read_bytes()
    assert "--force" in nanoedge("detect", str(small_bundle), str(picture), "--out", str(out), expect=2).stderr
    assert (out / picture.name).read_bytes() == before
    nanoedge("detect", str(small_bundle), str(picture), "--out", str(out), "--force")


def test_a_source_that_fails_does_not_stop_the_others(
    nanoedge, small_bundle: Path, picture: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(picture.read_bytes()[:300])
    done = nanoedge("detect", str(small_bundle), str(broken), str(picture), "nowhere.jpg", "--json", expect=1)
    assert [item["source"] for item in json.loads(done.stdout)] == [str(picture)]
    assert "broken.jpg" in done.stderr
    assert "nowhere.jpg does not exist" in done.stderr
    assert nanoedge("detect", str(small_bundle), "nowhere.jpg", expect=2).stdout == ""


def test_a_videos_frames_carry_number_and_time(nanoedge, small_bundle: Path, shapes: Path, tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.avi", shapes, frames=5)
    out = tmp_path / "found"
    items = json.loads(nanoedge("detect", str(small_bundle), str(path), "--out", str(out), "--json").stdout)
    assert [item["frame"] for item in items] == list(range(5))
    assert [item["time_ms"] for item in items] == [0, 100, 200, 300, 400]
    assert [written.name for written in out.iterdir()] == ["clip.mp4"]
    assert cv2.VideoCapture(str(out / "clip.mp4")).get(cv2.CAP_PROP_FRAME_COUNT) == 5


def test_a_video_is_summed_up_in_one_line(nanoedge, small_bundle: Path, shapes: Path, tmp_path: Path) -> None:
    video = write_video(tmp_path / "clip.avi", shapes, frames=3)
    [line] = nanoedge("detect", str(small_bundle), str(video)).stdout.splitlines()
    assert re.match(rf"{video}: 3 frames, [0-9.]+ a second; boxes: ", line)
    assert len(nanoedge("detect", str(small_bundle), str(video), "-v").stdout.splitlines()) == 4


def test_pictures_in_subfolders_only_are_not_searched_and_said_so(nanoedge, small_bundle: Path, shapes: Path) -> None:
    done = nanoedge("detect", str(small_bundle), str(shapes / "images"), expect=2)
    assert "Subfolders are not searched" in done.stderr


def test_an_export_without_a_target_lists_them(nanoedge, small_run: Path, tmp_path: Path) -> None:
    checkpoint = str(small_run / "checkpoints" / "best.ckpt")
    done = nanoedge("export", checkpoint, "--out", str(tmp_path / "x.nanoedge"), expect=2)
    assert "--target ncnn, openvino, onnx, native or all" in done.stderr


def test_thresholds_and_classes_narrow_what_is_found(nanoedge, small_bundle: Path, shapes: Path) -> None:
    def found(*options: str) -> list[dict[str, object]]:
        done = nanoedge("detect", str(small_bundle), str(shapes / "images" / "val"), "--json", *options)
        return [row for item in json.loads(done.stdout) for row in item["detections"]]

    everything = found("--score", "0.02")
    assert everything
    assert all(row["label"] == "star" for row in found("--score", "0.02", "--classes", "star"))
    assert len(found("--score", "0.02", "--max-detections", "1")) <= 16
    assert len(found("--score", "0.02", "--nms", "0.1")) < len(everything)
    assert (
        "knows: ring, star, cross, arrow"
        in nanoedge("detect", str(small_bundle), str(shapes / "images" / "val"), "--classes", "cat", expect=2).stderr
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_of_a_bundle_is_evaluated(nanoedge, small_bundle: Path, shapes: Path, engine: str) -> None:
    done = nanoedge("eval", str(small_bundle), *truth(shapes), "--engine", engine, "--json")
    document = json.loads(done.stdout)
    wanted = "AP AP50 AP75 AP_small AP_medium AP_large AR100 per_class images engine precision compute"
    assert document.keys() == set(wanted.split())
    assert (document["engine"], document["precision"], document["compute"]) == (engine, "float", "fp32")
    assert document["images"] == 16


def test_a_checkpoint_is_evaluated_in_pytorch(nanoedge, small_run: Path, small_bundle: Path, shapes: Path) -> None:
    checkpoint = str(small_run / "checkpoints" / "best.ckpt")
    document = json.loads(nanoedge("eval", checkpoint, *truth(shapes), "--json").stdout)
    assert document["engine"] == "torch"
    bundle = json.loads(nanoedge("eval", str(small_bundle), *truth(shapes), "--engine", "onnx", "--json").stdout)
    assert document["AP"] == pytest.approx(bundle["AP"], abs=0.002)
    assert "PyTorch only" in nanoedge("eval", checkpoint, *truth(shapes), "--engine", "ncnn", expect=2).stderr


def test_info_shows_and_verifies_a_bundle(nanoedge, small_bundle: Path) -> None:
    text = nanoedge("info", str(small_bundle), "--verify").stdout
    assert "ring, star, cross, arrow" in text
    assert "verified" in text
    document = json.loads(nanoedge("info", str(small_bundle), "--json").stdout)
    assert document["manifest"]["input"]["width"] == 96
    installed = json.loads(nanoedge("info", "--json").stdout)["engines"]
    assert installed == dict.fromkeys((*ENGINES, "python-ncnn", "python-openvino"), True)


@pytest.mark.parametrize("engine", ENGINES)
def test_one_changed_byte_is_noticed_before_an_engine_sees_it(
    nanoedge, small_bundle: Path, picture: Path, tmp_path: Path, engine: str
) -> None:
    bundle = tmp_path / "changed.nanoedge"
    bundle.mkdir()
    for file in small_bundle.iterdir():
        (bundle / file.name).write_bytes(file.read_bytes())
    name = {"ncnn": "model.ncnn.bin", "openvino": "model.bin", "onnx": "model.onnx", "native": "model.native.bin"}[
        engine
    ]
    data = bytearray((bundle / name).read_bytes())
    data[len(data) // 2] ^= 1
    (bundle / name).write_bytes(data)
    done = nanoedge("detect", str(bundle), str(picture), "--engine", engine, expect=2)
    assert name in done.stderr
    assert "damaged" in done.stderr
    assert name in nanoedge("info", str(bundle), "--verify", expect=2).stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["train", "nanodet-plus-m_32"], "Did you mean 'nanodet-plus-m_320'"),
        (["train", "demo", "training.epoch=3", "data.root=nowhere"], "Did you mean 'training.epochs'"),
        (["train", "demo", "training.epochs=many", "data.root=nowhere"], "training.epochs"),
        (["train", "demo", "data.root=nowhere"], "nowhere"),
        (["train"], "Give one CONFIG"),
        (["train", "--resume", "nowhere"], "no config.yaml"),
        (["export", "nowhere.ckpt", "--target", "ncnn", "--out", "x.nanoedge"], "nowhere.ckpt does not exist"),
        (["export", "nowhere.ckpt", "--target", "tflite", "--out", "x.nanoedge"], "Unknown target 'tflite'"),
        (["export", "nowhere.ckpt", "--target", "ncnn", "--out", "x", "--input-size", "320"], "WIDTHxHEIGHT"),
        (["detect", "nowhere.nanoedge", "x.jpg"], "no bundle nowhere.nanoedge"),
        (["info", "nowhere.nanoedge"], "no bundle nowhere.nanoedge"),
        (["info", "--verify"], "needs a BUNDLE"),
        (["eval", "nowhere.ckpt", "--annotations", "a.json", "--images", "i"], "nowhere.ckpt does not exist"),
        (["import-nanodet", "nowhere.ckpt", "--config", "demo", "--out", "x.ckpt"], "nowhere.ckpt does not exist"),
        (["data", "synth", "x", "--size", "12"], "WIDTHxHEIGHT"),
    ],
)
def test_bad_input_ends_with_2_and_one_sentence(nanoedge, tmp_path: Path, arguments: list[str], sentence: str) -> None:
    done = nanoedge(*arguments, expect=2, cwd=tmp_path)
    assert sentence in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_in_place_of_a_bundle_points_to_export(nanoedge, small_run: Path, picture: Path) -> None:
    checkpoint = str(small_run / "checkpoints" / "best.ckpt")
    assert "nanoedge export" in nanoedge("detect", checkpoint, str(picture), expect=2).stderr


def test_debug_shows_where_an_error_comes_from(nanoedge) -> None:
    assert "Traceback" in nanoedge("info", "nowhere.nanoedge", "--debug", expect=2).stderr


def test_unknown_engines_and_absent_models_are_told_apart(nanoedge, small_bundle: Path, picture: Path) -> None:
    bundle, source = str(small_bundle), str(picture)
    assert "Unknown engine 'tensorrt'" in nanoedge("detect", bundle, source, "--engine", "tensorrt", expect=2).stderr
    assert (
        "has no onnx model in int8"
        in nanoedge("detect", bundle, source, "--engine", "onnx", "--precision", "int8", expect=2).stderr
    )
    assert "fp32 only" in nanoedge("detect", bundle, source, "--engine", "onnx", "--compute", "bf16", expect=2).stderr


def test_a_picture_that_cannot_be_read_stops_training_with_its_name(
    nanoedge, shapes: Path, small_settings: list[str], tmp_path: Path
) -> None:
    import shutil

    broken = tmp_path / "broken"
    shutil.copytree(shapes, broken)
    (broken / "images" / "train" / "000002.jpg").write_bytes(b"no picture")
    for workers in ("0", "1"):
        settings = [*small_settings, f"data.root={broken}", f"data.workers={workers}", "training.epochs=1"]
        done = nanoedge("train", "demo", *settings, "--out", str(tmp_path / f"run{workers}"), expect=2)
        assert "000002.jpg" in done.stderr
        assert "Traceback" not in done.stderr


def test_a_full_disk_fails_the_export_and_leaves_nothing(small_run: Path, tmp_path: Path) -> None:
    """A limit on the size of files stands in for the full disk: writing fails in the same way."""
    import resource

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    checkpoint = str(small_run / "checkpoints" / "best.ckpt")
    command = [sys.executable, "-m", "nanoedge", "export", checkpoint, "--target", "onnx", "--out", "x.nanoedge"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, preexec_fn=limit, check=False)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_help_is_quick_and_detect_never_loads_torch(small_bundle: Path, picture: Path) -> None:
    code = (
        "import sys; from nanoedge.cli.main import app\n"
        "try: app(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'lightning', 'onnx', 'matplotlib'} & set(sys.modules)\n"
        "print(sorted(heavy), file=sys.stderr)"
    )
    for arguments in (["--help"], ["detect", str(small_bundle), str(picture)], ["info", str(small_bundle)]):
        done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
        assert done.stderr.strip().splitlines()[-1] == "[]"
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "nanoedge", "--help"], capture_output=True, check=True)
    assert time.perf_counter() - started < 5  # a generous bound: the figure itself is a benchmark


def test_the_benchmark_has_a_row_for_each_combination_that_exists(nanoedge, small_bundle: Path, picture: Path) -> None:
    words = ["benchmark", str(small_bundle), "--rounds", "3", "--threads", "1", "--threads", "2", "--json"]
    done = nanoedge(*words, "--engine", "onnx", "--engine", "ncnn", "--compute", "bf16", "--compute", "fp32")
    document = json.loads(done.stdout)
    rows = [(row["engine"], row["precision"], row["compute"], row["threads"]) for row in document["rows"]]
    fp32 = [(engine, "float", "fp32", threads) for engine in ("onnx", "ncnn") for threads in (1, 2)]
    assert rows == [*fp32, ("ncnn", "float", "bf16", 1), ("ncnn", "float", "bf16", 2)]
    assert "onnx float bf16" in done.stderr and "cores" in document["machine"]
    for row in document["rows"]:
        for stage in ("preprocess", "forward", "postprocess", "total"):
            assert 0 < row[stage]["p50"] <= row[stage]["p90"] <= row[stage]["p99"]
    table = nanoedge("benchmark", str(small_bundle), "--picture", str(picture), "--rounds", "2").stdout
    assert [line.split()[0] for line in table.splitlines()[2:6]] == list(preference())
    assert "Unknown engine 'magic'" in nanoedge(*words, "--engine", "magic", expect=2).stderr
    assert "Unknown compute" in nanoedge(*words, "--compute", "fp8", expect=2).stderr
    assert "None of the combinations" in nanoedge(*words, "--engine", "onnx", "--compute", "bf16", expect=2).stderr


def test_the_benchmark_names_a_precision_that_the_bundle_does_not_have(nanoedge, small_bundle: Path) -> None:
    words = ["benchmark", str(small_bundle), "--rounds", "1", "--precision", "int8"]
    done = nanoedge(*words, "--engine", "native", expect=2)
    assert "native: the bundle has no int8 model for it" in done.stderr
    assert "None of the combinations that were asked for exists" in done.stderr and "native (float)" in done.stderr
    assert "has no native model in int8 precision" in nanoedge(*words, "--layers", expect=2).stderr
    assert "Unknown precision 'fp32'" in nanoedge(*words[:-1], "fp32", expect=2).stderr


def test_the_benchmark_shows_each_layer_of_our_own_engine(nanoedge, small_bundle: Path) -> None:
    words = ["benchmark", str(small_bundle), "--layers", "--rounds", "3", "--threads", "1"]
    [row] = json.loads(nanoedge(*words, "--json").stdout)["rows"]
    assert (row["engine"], row["precision"], row["threads"]) == ("native", "float", 1)
    assert row["peak"].keys() == {"float32"}
    layers, kinds = row["layers"], row["kinds"]
    assert sum(kind["count"] for kind in kinds) == len(layers) > 100
    assert {"convolution 1x1", "depth-wise 5x5", "interleave"} <= {kind["kind"] for kind in kinds}
    for part in (layers, kinds):
        assert abs(sum(each["share"] for each in part) - 1) < 0.01
        for each in part:
            assert 0 <= each["time"]["p50"] <= each["time"]["p90"] <= each["time"]["p99"]
            assert (each["peak_share"] is None) == (each["multiply_adds"] == 0)
            assert 0 < (each["peak_share"] or 0.5) < 1.5
    assert sum(each["multiply_adds"] for each in layers) == sum(each["multiply_adds"] for each in kinds)
    text = nanoedge(*words).stdout
    assert "measured peak: " in text and "GMAC/s for float32" in text and "of peak" in text
    assert "NanoEdge's own engine alone" in nanoedge(*words, "--engine", "ncnn", expect=2).stderr
    assert "at least 1" in nanoedge(*words[:3], "--rounds", "0", expect=2).stderr


def test_python_users_get_boxes_that_iterate(small_bundle: Path, picture: Path) -> None:
    from nanoedge import Detector

    detector = Detector(small_bundle, score_threshold=0.02)
    found = detector(picture)
    assert len(found) == len(list(found))
    for label, score, (x1, y1, x2, y2) in found:
        assert label in detector.class_names
        assert 0.02 < score <= 1
        assert 0 <= x1 < x2 <= 160
        assert 0 <= y1 < y2 <= 120
    array = cv2.imread(str(picture))
    np.testing.assert_array_equal(detector(array).boxes_xyxy, found.boxes_xyxy)
    assert len(detector.batch([picture, array])) == 2


def truth(shapes: Path) -> list[str]:
    return ["--annotations", str(shapes / "annotations" / "val.json"), "--images", str(shapes / "images")]


def test_the_environment_of_these_tests_is_the_checkouts() -> None:
    import nanoedge as package

    assert Path(package.__file__).resolve().parent.parent == Path(__file__).resolve().parents[2]
