"""`nanoedge doctor` on the machine that the tests run on; small scripts stand in for a Raspberry Pi's programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.conftest import changed_bundle
from tests.doctor.standins import PI_4_LISTING, program

PARTS = {"board", "clocks", "memory", "limits", "disk", "heat", "cameras", "engines", "versions", "advice"}


def test_the_doctor_says_what_is_here(nanoedge) -> None:
    done = nanoedge("doctor")
    for part in ("CPU", "instructions", "memory", "cameras", "engines", "versions", "temperature"):
        assert any(line.startswith(part) for line in done.stdout.splitlines())
    assert "auto takes" in done.stdout
    assert done.stderr == ""


def test_json_is_one_document(nanoedge) -> None:
    document = json.loads(nanoedge("doctor", "--json").stdout)
    assert document.keys() == PARTS
    assert document["versions"]["nanoedge"] == "0.1.0"
    assert document["board"]["usable_cpus"] >= 1 and document["memory"]["total"] > 0
    assert document["engines"]["bundle"] is None and document["engines"]["chosen"] is not None


def test_a_bundle_is_told_its_engine_and_why(nanoedge, small_bundle: Path) -> None:
    engines = json.loads(nanoedge("doctor", str(small_bundle), "--json").stdout)["engines"]
    assert engines["bundle"] and f"auto takes {engines['chosen']}: " in engines["reason"]


def test_a_damaged_bundle_is_refused(nanoedge, small_bundle: Path, tmp_path: Path) -> None:
    assert "There is no bundle" in nanoedge("doctor", str(tmp_path / "gone"), expect=2).stderr
    place = changed_bundle(small_bundle, tmp_path, lambda document: None)
    (place / "sample.png").write_bytes(b"damaged")
    done = nanoedge("doctor", str(place), "--json", expect=2)
    assert "the bundle is damaged" in done.stderr and done.stdout == ""


def test_a_board_with_advice_ends_with_success(nanoedge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "programs"
    program(folder, "vcgencmd", "throttled=0x50005")
    program(folder, "rpicam-hello", PI_4_LISTING)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    text = nanoedge("doctor").stdout
    assert "rpicam:0 imx708 (rpicam-hello)" in text
    assert "now: under-voltage, throttled" in text
    assert "problem     The supply is too weak now" in text


def test_the_doctor_works_in_a_folder_that_is_gone(tmp_path: Path) -> None:
    place = tmp_path / "gone"
    place.mkdir()
    code = "import os, sys; os.rmdir(os.getcwd()); sys.argv = ['nanoedge', 'doctor']\n"
    code += "from nanoedge.cli.main import main; main()"
    done = subprocess.run([sys.executable, "-c", code], cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "disk          not offered here" in done.stdout


def test_the_doctor_is_quick_and_loads_no_engine_and_no_torch(small_bundle: Path) -> None:
    code = (
        "import sys; from nanoedge.cli.main import app\n"
        "try: app(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'lightning', 'onnx', 'matplotlib', 'cv2', 'av', 'openvino', 'onnxruntime', 'fastapi'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code, "doctor", str(small_bundle)], capture_output=True, text=True, check=True
    )
    assert done.stderr.strip().splitlines()[-1] == "[]"
    assert time.perf_counter() - started < 5  # a generous bound for a machine that others use too
