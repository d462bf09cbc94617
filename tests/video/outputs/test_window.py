"""The window, on a real X server."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from nanoedge.errors import InputError
from nanoedge.video.outputs.window import check_screen
from tests.screen import window


def camera(bundle: Path, clip: Path, display: str, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "nanoedge", "camera", str(bundle), "--source", str(clip), "--threads", "1"]
    return subprocess.Popen(
        [*command, "--loop", "--realtime", "--window"],
        env={**os.environ, "DISPLAY": display, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("key", ["q", "Escape"])
def test_the_picture_is_shown_until_a_key_ends_everything(
    small_bundle: Path, clip: Path, tmp_path: Path, key: str
) -> None:
    with window(tmp_path, lambda display: camera(small_bundle, clip, display), most=0.99) as (shown, process):
        out, err = shown.press_until_it_ends(key, process)
    assert process.returncode == 0, err
    assert "frames in" in out and "failed" not in err


@pytest.mark.parametrize("rules", [None, "*.debug=true"])
def test_qt_says_nothing_unless_the_user_has_asked_it_to(
    small_bundle: Path, clip: Path, tmp_path: Path, rules: str | None
) -> None:
    environment = {} if rules is None else {"QT_LOGGING_RULES": rules}
    with window(tmp_path, lambda display: camera(small_bundle, clip, display, **environment), most=0.99) as found:
        shown, process = found
        _, err = shown.press_until_it_ends("q", process)
    lines = [line for line in err.splitlines() if not line.startswith(str(clip))]
    assert bool(lines) == (rules is not None), err


def test_without_a_screen_it_is_refused_with_a_way_out(
    small_bundle: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(InputError, match=r"there is no screen.*--serve"):
        check_screen()
    process = camera(small_bundle, clip, ":987")
    _, err = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "the screen :987 cannot be reached" in err and "Traceback" not in err


def test_the_window_answers_while_the_camera_is_silent(small_bundle: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "nanoedge", "camera", str(small_bundle), "--source", "-", "--raw", "96x64:i420"]

    def start(display: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [*command, "--window", "--threads", "1"],
            env={**os.environ, "DISPLAY": display},
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdin is not None
        process.stdin.write(bytes([200]) * (96 * 96))
        process.stdin.flush()
        return process

    with window(tmp_path, start, most=0.99) as (shown, process):
        shown.press_until_it_ends("q", process)
        assert process.returncode == 0
