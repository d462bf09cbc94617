"""What NanoEdge says of the CPU."""

from __future__ import annotations

import json
import platform
import re
from pathlib import Path

import pytest
from nanoedge.runtime.cpu import cpu_features, cpu_name, detector_cpus, usable_cpus
from tests.conftest import run_nanoedge


def test_a_board_is_called_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "proc" / "device-tree").mkdir(parents=True)
    (tmp_path / "proc" / "device-tree" / "model").write_bytes(b"Raspberry Pi 4 Model B Rev 1.4\0")
    (tmp_path / "proc" / "cpuinfo").write_text("processor : 0\n")
    assert cpu_name(tmp_path) == "Raspberry Pi 4 Model B Rev 1.4"


def test_a_pc_is_called_by_its_cpu(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "cpuinfo").write_text("processor\t: 0\nmodel name\t: AMD EPYC 7B13\n")
    assert cpu_name(tmp_path) == "AMD EPYC 7B13"


def test_without_a_name_there_is_the_architecture(tmp_path: Path) -> None:
    assert cpu_name(tmp_path) == platform.machine()


@pytest.mark.skipif(platform.machine() != "x86_64", reason="compares with x86's flags")
def test_features_are_those_that_the_kernel_names() -> None:
    flags = re.search(r"^flags\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    assert flags
    there = set(flags[1].split())
    found = {feature.name: feature.found for feature in cpu_features()}
    assert found["AVX2 and FMA"] == ({"avx2", "fma"} <= there)
    assert found["AVX-512"] == ({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"} <= there)
    assert found["AVX-512 VNNI"] == ("avx512_vnni" in there)
    assert all(feature.found for feature in cpu_features() if feature.used)


def test_info_shows_the_cpu() -> None:
    document = json.loads(run_nanoedge("info", "--cpu", "--json").stdout)
    assert document["name"] == cpu_name() and document["cpus"] == usable_cpus()
    assert document["detector_cpus"] == list(detector_cpus())
    assert [each["name"] for each in document["features"]] == [each.name for each in cpu_features()]
    assert "instructions" in run_nanoedge("info", "--cpu").stdout


def test_the_cpu_is_not_a_bundles(tmp_path: Path) -> None:
    assert "give no BUNDLE" in run_nanoedge("info", str(tmp_path), "--cpu", expect=2).stderr
