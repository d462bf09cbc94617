"""`nanoedge camera`, as a process: files, signals, bad input."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.conftest import run_nanoedge
from tests.video.conftest import FRAMES, write_clip


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4")


def test_a_file_goes_to_lines_a_recording_and_a_summary(small_bundle: Path, clip: Path, tmp_path: Path) -> None:
    lines, video, events = tmp_path / "found.jsonl", tmp_path / "out.mp4", tmp_path / "events"
    arguments = ["camera", str(small_bundle), "--source", str(clip), "--jsonl", str(lines), "--record", str(video)]
    done = run_nanoedge(*arguments, "--events", str(events), "--threads", "1", "--json")
    summary = json.loads(done.stdout)
    assert (summary["frames"], summary["detected"], summary["dropped"]) == (FRAMES, FRAMES, 0)
    assert set(summary["stages"]) == {"wait", "preprocess", "forward", "postprocess", "latency"}
    found = [json.loads(line) for line in lines.read_text().splitlines()]
    assert [item["frame"] for item in found] == list(range(FRAMES))
    assert video.stat().st_size > 1000 and events.is_dir()
    again = run_nanoedge(*arguments, expect=2)
    assert "--force" in again.stderr
    assert len(lines.read_text().splitlines()) == FRAMES


def test_lines_on_standard_output_are_alone_there(small_bundle: Path, clip: Path) -> None:
    done = run_nanoedge("camera", str(small_bundle), "--source", str(clip), "--jsonl", "-", "--threads", "1")
    assert [json.loads(line)["frame"] for line in done.stdout.splitlines()] == list(range(FRAMES))
    run_nanoedge("camera", str(small_bundle), "--source", str(clip), "--jsonl", "-", "--json", expect=2)


def test_it_ends_with_whoever_reads_its_lines(small_bundle: Path, clip: Path, tmp_path: Path) -> None:
    video = tmp_path / "out.mp4"
    command = [sys.executable, "-m", "nanoedge", "camera", str(small_bundle), "--source", str(clip), "--threads", "1"]
    process = subprocess.Popen(
        [*command, "--loop", "--jsonl", "-", "--record", str(video)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stderr is not None
    assert json.loads(process.stdout.readline())["frame"] == 0
    process.stdout.close()
    assert process.wait(timeout=60) == 0
    assert "failed" not in (said := process.stderr.read()) and "Exception" not in said
    assert video.stat().st_size > 1000


def test_it_ends_when_nobody_reads_its_log_either(small_bundle: Path, clip: Path) -> None:
    command = [sys.executable, "-m", "nanoedge", "camera", str(small_bundle), "--source", str(clip), "--threads", "1"]
    process = subprocess.Popen(
        [*command, "--loop", "--realtime", "--jsonl", "-"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    assert any(line.startswith("{") for line in process.stdout)
    process.stdout.close()
    process.wait(timeout=60)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_signals_end_it_cleanly(
    small_bundle: Path, clip: Path, tmp_path: Path, number: signal.Signals, status: int
) -> None:
    lines = tmp_path / "found.jsonl"
    command = [sys.executable, "-m", "nanoedge", "camera", str(small_bundle), "--source", str(clip), "--threads", "1"]
    process = subprocess.Popen(
        [*command, "--loop", "--realtime", "--jsonl", str(lines)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 60
    while time.monotonic() < end and not (lines.exists() and lines.read_text().count("\n") > 3):
        time.sleep(0.05)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == status, err
    assert "frames in" in out
    assert all(json.loads(line) for line in lines.read_text().splitlines())


def test_a_target_rate_leaves_frames_of_a_clip_out(small_bundle: Path, clip: Path) -> None:
    arguments = ["camera", str(small_bundle), "--source", str(clip), "--threads", "1", "--json"]
    done = run_nanoedge(*arguments, "--realtime", "--target-fps", "5", "--cool")
    summary = json.loads(done.stdout)
    assert summary["frames"] == FRAMES and summary["counters"]["skipped"] >= FRAMES / 2


def test_raw_frames_come_from_a_pipe(small_bundle: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "nanoedge", "camera", str(small_bundle), "--source", "-", "--json"]
    done = subprocess.run(
        [*command, "--raw", "64x48:i420", "--threads", "1"], input=bytes(64 * 72 * 5), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["detected"] == 5


def test_bad_input_is_a_sentence(small_bundle: Path, clip: Path, tmp_path: Path) -> None:
    bundle, picture = str(small_bundle), tmp_path / "damaged.jpg"
    picture.write_bytes(b"no picture")
    for arguments, sentence in (
        (["--source", str(tmp_path / "gone.mp4")], "does not exist"),
        (["--source", "-"], "--raw 640x480:i420"),
        (["--source", "rtsp://ann:secret@cam/x", "--loop"], "--loop is for files"),
        (["--source", str(clip), "--size", "big"], "--size is WIDTHxHEIGHT"),
        (["my clip.mp4"], "--source 'my clip.mp4'"),
        (["rtsp://ann:secret@cam/x"], "--source ADDRESS"),
        (["--source", str(clip), "--record", str(tmp_path / "a.gif")], "ends with .mp4 or .mkv"),
        (["--source", str(clip), "--classes", "unicorn"], "unicorn"),
        (["--source", "ftp://host/x"], "are not known"),
        (["--source", str(clip), "--target-fps", "3"], "a file needs --realtime"),
        (["--source", str(clip), "--cool"], "a file needs --realtime"),
        (["--source", str(clip), "--recordings", str(tmp_path)], "give --serve HOST:PORT too"),
        (["--source", "http:joe:secret@127.0.0.1/x"], "***@127.0.0.1/x does not exist"),
        (["--source", "rtsp://joe:sec/ret@cam/x"], "no whole address"),
        (["--source", "rtsp://cam[1]/x"], "no whole address"),
        (["--source", "http://"], "no whole address"),
        (["--source", str(clip), "--record", str(clip), "--force"], "--source and --record are the same file"),
        (["--source", str(clip), "--jsonl", str(clip)], "--source and --jsonl are the same file"),
        (["--source", str(clip), "--jsonl", str(picture)], "holds no lines of JSON"),
        (["--source", str(clip), "--raw", "640x480:i420"], "--raw is for --source -"),
        (["--source", str(clip), "--size", "640x480"], "--size is for cameras"),
        (["--source", str(clip), "--udp"], "--udp is for streams"),
        (["--source", "rpicam", "--size", "641x480"], "even sides"),
        (["--source", ""], "--source names nothing"),
        (["--source", str(clip), "--classes", " , "], "--classes names no class"),
        (["--source", str(clip), "--serve", "[::1:8080"], "--serve takes HOST:PORT"),
        (["--source", str(picture)], "No picture of"),
    ):
        done = run_nanoedge("camera", bundle, *arguments, expect=2)
        assert sentence in done.stderr and "Traceback" not in done.stderr
        assert "secret" not in done.stderr
    assert picture.read_bytes() == b"no picture"


def test_an_output_that_lost_something_of_a_file_is_told_by_the_status(small_bundle: Path, clip: Path) -> None:
    arguments = ["camera", str(small_bundle), "--source", str(clip), "--threads", "1", "--jsonl", "/dev/full"]
    done = run_nanoedge(*arguments, "--json", expect=1)
    assert "No space left on device" in done.stderr and "the output jsonl has failed" in done.stderr
    assert json.loads(done.stdout)["detected"] == FRAMES
    run_nanoedge(*arguments, "--realtime")  # a camera goes on, and says it in the log
