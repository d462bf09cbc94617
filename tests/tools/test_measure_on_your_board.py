"""The line that people with a board send back. Files and `vcgencmd` stand for boards that are not here."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "tools" / "measure_on_your_board.sh"
PI_5 = {
    "proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0",
    "proc/cpuinfo": "".join(
        f"processor\t: {number}\nCPU implementer\t: 0x41\nCPU part\t: 0xd0b\n\n" for number in range(4)
    ),
    "proc/meminfo": "MemTotal:        4131016 kB\nMemFree:         2931248 kB\n",
    "sys/devices/system/cpu/cpufreq/policy0/scaling_governor": "ondemand\n",
    "sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq": "1500000\n",
    "sys/devices/system/cpu/cpufreq/policy0/cpuinfo_max_freq": "2400000\n",
    "sys/class/thermal/thermal_zone0/temp": "52095\n",
}
FIELD = re.compile(r"(native|ncnn)-(float|int8)-(fp32|fp16)-\d+t")


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    root.mkdir(exist_ok=True)
    return root


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """`nanoedge` as a wheel installs it."""
    return program(tmp_path / "bin" / "nanoedge", f'exec "{sys.executable}" -m nanoedge "$@"')


def run(bench: Path, bundle: Path, root: Path, rounds: int = 2, **variables: str) -> subprocess.CompletedProcess[str]:
    command = ["sh", str(SCRIPT), str(bench), str(bundle), str(rounds)]
    environment = {**os.environ, "NANOEDGE_SYSTEM": str(root), **variables}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


def fields_of(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """The line's fields. Nothing else is on standard output."""
    assert done.returncode == 0, done.stderr
    line = done.stdout.removesuffix("\n")
    assert line.startswith("nanoedge-board 1; ") and "\n" not in line and line.isprintable()
    return dict(part.split("=", 1) for part in line.split("; ")[1:])


@pytest.mark.slow
def test_one_line_says_what_the_board_is_and_how_fast(small_bundle: Path, wheel: Path, tmp_path: Path) -> None:
    program(wheel.parent / "vcgencmd", "echo throttled=0x50000")
    path = f"{wheel.parent}{os.pathsep}{os.environ['PATH']}"
    found = fields_of(run(wheel, small_bundle, write(tmp_path / "pi", PI_5), PATH=path))
    assert found["board"] == "Raspberry Pi 5 Model B Rev 1.0"
    assert (found["cpu"], found["memory"], found["governor"]) == ("Cortex-A76 x4", "4034 MB", "ondemand")
    assert (found["MHz"], found["celsius"]) == ("1500 to 1500 of 2400", "52.1 to 52.1")
    assert (found["throttled"], found["bundle"], found["rounds"]) == ("0x50000", "small.nanoedge", "2")
    assert found["kernel"] == f"{platform.release()} {platform.machine()}"
    rows = {name: value for name, value in found.items() if FIELD.fullmatch(name)}
    assert {"native-float-fp32-1t", "ncnn-float-fp32-1t"} <= set(rows)
    if len(os.sched_getaffinity(0)) > 1:
        assert f"native-float-fp32-{len(os.sched_getaffinity(0))}t" in rows
    for value in rows.values():
        forward, frame = map(float, value.split("/"))
        assert 0 < forward < frame


@pytest.mark.slow
def test_what_a_machine_does_not_tell_is_a_dash(small_bundle: Path, wheel: Path, tmp_path: Path) -> None:
    found = fields_of(run(wheel, small_bundle, write(tmp_path / "nothing", {})))
    assert (found["board"], found["cpu"], found["governor"], found["throttled"]) == ("-", "-", "-", "-")
    assert (found["MHz"], found["celsius"], found["memory"]) == ("- to - of -", "- to -", "- MB")
    assert "native-float-fp32-1t" in found


@pytest.mark.slow
def test_this_machine_can_be_measured(small_bundle: Path, wheel: Path) -> None:
    found = fields_of(run(wheel, small_bundle, Path("/")))
    assert re.search(r" x\d+", found["cpu"]) and "native-float-fp32-1t" in found


def test_names_cannot_break_the_line(tmp_path: Path) -> None:
    """With a stand-in for the program: nothing is measured here."""
    files = {**PI_5, "proc/device-tree/model": "A; b=c\nd", "proc/cpuinfo": "model name\t: One; two = 2 @ 3 GHz\n" * 2}
    rows = '{"machine": "m", "rows": [{"engine": "native", "precision": "int8", "compute": "fp32", "threads": 1, '
    rows += '"preprocess": {"p50": 0.5}, "forward": {"p50": 10.25, "p90": 11}, "total": {"p50": 10.8}}]}'
    bench = program(tmp_path / "nanoedge-bench", f"[ \"$1\" = --version ] && echo 0.1.0 || echo '{rows}'")
    found = fields_of(run(bench, tmp_path / "a b.nanoedge", write(tmp_path / "odd", files)))
    assert (found["board"], found["cpu"]) == ("A b c", "One two 2 @ 3 GHz x2")
    assert (found["nanoedge"], found["bundle"]) == ("0.1.0", "a b.nanoedge")
    assert found["native-int8-fp32-1t"] == "10.25/10.80"


def test_nothing_is_printed_where_nothing_is_measured(tmp_path: Path) -> None:
    bench = program(tmp_path / "nanoedge-bench", "echo why >&2; exit 2")
    for command in (bench, program(tmp_path / "silent", "exit 0"), tmp_path / "not-there"):
        done = run(command, tmp_path, tmp_path)
        assert (done.returncode, done.stdout) == (1, "") and "nothing was measured" in done.stderr
    done = subprocess.run(["sh", SCRIPT], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "") and "usage" in done.stderr


def test_a_minimal_shell_is_enough(tmp_path: Path) -> None:
    """What a Raspberry Pi has is dash; only what busybox has, too, is called."""
    dash = shutil.which("dash")
    if dash is None:
        pytest.skip("needs dash")
    assert subprocess.run([dash, "-n", str(SCRIPT)], capture_output=True, check=False).returncode == 0
