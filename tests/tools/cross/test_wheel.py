"""The aarch64 wheel: what is in it, and that it works in an arm64 Debian's Python."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from nanoedge.detections import Detections
from nanoedge.pictures import list_pictures, read_picture
from nanoedge.runtime.detector import Detector
from tools.cross.emulated_python import EmulatedPython
from tools.cross.targets import GLIBC

from tools.cross import elf

from .conftest import check_same

pytestmark = pytest.mark.slow


def test_a_wheel_fits_every_linux_with_old_glibc(arm_wheel: Path, tmp_path: Path) -> None:
    assert arm_wheel.name.endswith("-cp311-cp311-manylinux_2_28_aarch64.whl")
    assert arm_wheel.stat().st_size <= 8e6
    with zipfile.ZipFile(arm_wheel) as wheel:
        names = wheel.namelist()
        assert not [name for name in names if "openvino" in name and name.endswith(".so")]
        [module] = [name for name in names if name.endswith(".so")]
        wheel.extract(module, tmp_path)
    assert elf.problems(tmp_path / module, "AArch64", GLIBC) == []
    assert elf.problems(tmp_path / module, "AArch64", 16), "the check must see newer symbols"
    shown = subprocess.run(
        [sys.executable, "-m", "auditwheel", "show", arm_wheel], capture_output=True, text=True, check=False
    )
    assert "manylinux_2_28_aarch64" in shown.stdout or "manylinux_2_2" in shown.stdout, shown.stdout + shown.stderr


def test_a_wheel_names_what_others_made(arm_wheel: Path) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    with zipfile.ZipFile(arm_wheel) as wheel:
        [bill] = [name for name in wheel.namelist() if name.endswith(".dist-info/sboms/nanoedge.cdx.json")]
        [notices] = [name for name in wheel.namelist() if name.endswith("licenses/THIRD_PARTY_NOTICES.txt")]
        bill_text, notices_text = wheel.read(bill).decode(), wheel.read(notices).decode()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill_text) is None
    components = {each["name"] for each in json.loads(bill_text)["components"]}
    assert {"ncnn", "nlohmann/json", "pybind11", "GNU C++ library"} <= components
    for words in (
        "Tencent",
        "Niels Lohmann",
        "Wenzel Jakob",
        "GCC RUNTIME LIBRARY EXCEPTION",
        "no OpenMP runtime",
    ):
        assert words in notices_text


@pytest.mark.parametrize("cpu", ["cortex-a72", "cortex-a76"])
def test_the_wheel_detects_in_an_arm_python(
    arm_python: EmulatedPython, small_bundle: Path, shapes: Path, tmp_path: Path, cpu: str
) -> None:
    """One wheel for a Raspberry Pi 4 and a 5."""
    pictures = list_pictures(shapes / "images" / "val")[:8]
    done = arm_python.run(
        cpu, "-m", "nanoedge", "detect", small_bundle, *pictures, "--score", "0.05", "--json", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    here = Detector(small_bundle, "ncnn", threads=1, score_threshold=0.05)
    wanted = [here(read_picture(picture)) for picture in pictures]
    names = list(wanted[0].class_names)
    found = [
        Detections.of(
            [each["box"] for each in one["detections"]],
            [each["score"] for each in one["detections"]],
            [each["class_id"] for each in one["detections"]],
            names,
        )
        for one in json.loads(done.stdout)
    ]
    check_same(wanted, found)


def test_a_script_of_a_user_runs_in_an_arm_python(
    arm_python: EmulatedPython, small_bundle: Path, shapes: Path, tmp_path: Path
) -> None:
    script = tmp_path / "count.py"
    script.write_text(
        "import sys\n"
        "import cv2\n"
        "from nanoedge import Detector\n"
        "detector = Detector(sys.argv[1], threads=2)\n"
        "found = detector(cv2.imread(sys.argv[2]))\n"
        "print(detector.engine, len(found))\n"
    )
    picture = list_pictures(shapes / "images" / "val")[0]
    done = arm_python.run("cortex-a53", script, small_bundle, picture, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    engine, count = done.stdout.split()
    assert engine == "ncnn" and int(count) == len(Detector(small_bundle, "ncnn", threads=1)(read_picture(picture)))


def test_info_shows_what_is_used_of_the_cpu(arm_python: EmulatedPython, tmp_path: Path) -> None:
    done = arm_python.run("cortex-a76", "-m", "nanoedge", "info", "--cpu", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["machine"] == "aarch64"
    features = {each["name"]: each["used"] for each in document["features"]}
    assert features["dot product"] and features["half-precision arithmetic"] and not features["i8mm"]
