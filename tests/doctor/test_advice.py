"""What is advised for which findings, and how it reads; the findings are those of a Raspberry Pi 4, written by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from nanoedge.doctor.advice import SEVERITIES, advise
from nanoedge.doctor.board import Board
from nanoedge.doctor.cameras import Cameras, Device, PiCamera
from nanoedge.doctor.clock import Clock
from nanoedge.doctor.engines import Engines, EngineState
from nanoedge.doctor.findings import Findings, look
from nanoedge.doctor.heat import Heat
from nanoedge.doctor.memory import Disk, Limits, Memory
from nanoedge.doctor.report import as_json, as_text
from nanoedge.doctor.system import System
from nanoedge.doctor.versions import VIDEO_EXTRA
from nanoedge.runtime.cpu import CpuFeature
from nanoedge.video.sources.v4l2_modes import OfferedMode
from tests.doctor.standins import PI_5_LISTING, program, raspberry_pi_5

WEBCAM = Device("/dev/video0", "HD Webcam", "uvcvideo", (OfferedMode("MJPG", 1280, 720, (30.0,)),))
HEALTHY = Findings(
    Board(
        model="Raspberry Pi 4 Model B Rev 1.4",
        cpu="Cortex-A72",
        machine="aarch64",
        system="Debian GNU/Linux 12 (bookworm)",
        kernel="6.6.51+rpt-rpi-v8",
        python_bits=64,
        cpu_is_64_bit=True,
        usable_cpus=4,
        detector_cpus=(0, 1, 2, 3),
        load=0.2,
        features=(CpuFeature("NEON", "fp32, int8", True, True), CpuFeature("dot product", "int8", False, False)),
        core_problem=None,
    ),
    (Clock((0, 1, 2, 3), "cpufreq-dt", "performance", ("ondemand", "powersave", "performance"), 1800, 1800, 1800),),
    Memory(3_977_000_000, 3_473_000_000, 104_000_000, 0),
    Limits(None, None),
    Disk(31_000_000_000, 22_000_000_000),
    Heat(52.1, None, "vcgencmd", (), ()),
    Cameras((WEBCAM,), (), "rpicam-hello", None, False),
    Engines(
        (EngineState("ncnn", True, None), EngineState("openvino", False, "pip install openvino")),
        None,
        "ncnn",
        "For a bundle that has it, auto takes ncnn: it comes first on aarch64 and is installed.",
    ),
    {"nanoedge": "0.1.0", "python": "3.11.2", **dict.fromkeys(VIDEO_EXTRA, "1.0"), "onnxruntime": None},
)


def changed(part: str, **values: Any) -> Findings:
    return replace(HEALTHY, **{part: replace(getattr(HEALTHY, part), **values)})


def clocked(**values: Any) -> Findings:
    return replace(HEALTHY, clocks=(replace(HEALTHY.clocks[0], **values),))


def only(findings: Findings) -> tuple[str, str, str | None]:
    """The single piece of advice."""
    (advice,) = advise(findings)
    return advice.severity, advice.sentence, advice.command


def test_a_healthy_board_gets_no_advice() -> None:
    assert advise(HEALTHY) == []
    assert as_text(HEALTHY, []).endswith("\nNothing to change.")


@pytest.mark.parametrize(
    ("model", "supply"),
    [
        ("Raspberry Pi 4 Model B Rev 1.4", "5.1 V and 3 A"),
        ("Raspberry Pi 5 Model B Rev 1.0", "5.1 V and 5 A"),
        ("Raspberry Pi Compute Module 5 Rev 1.0", "5.1 V and 5 A"),
        ("Raspberry Pi Zero 2 W Rev 1.0", "5.1 V and 2.5 A"),
    ],
)
def test_a_weak_supply_is_a_problem_and_the_right_one_is_named(model: str, supply: str) -> None:
    findings = replace(changed("board", model=model), heat=Heat(50.0, None, "vcgencmd", ("under-voltage",), ()))
    severity, sentence, _ = only(findings)
    assert severity == "problem" and supply in sentence


def test_a_supply_that_was_weak_once_is_a_warning() -> None:
    severity, sentence, _ = only(changed("heat", since_start=("under-voltage", "throttled")))
    assert severity == "warning" and "at least once since the start" in sentence


def test_throttling_that_the_supply_explains_is_not_blamed_on_heat() -> None:
    assert "supply" in only(changed("heat", now=("under-voltage", "clock capped", "throttled")))[1]
    both = advise(changed("heat", now=("under-voltage", "soft temperature limit")))
    assert len(both) == 2


def test_heat_calls_for_cooling_or_a_lower_rate() -> None:
    severity, sentence, _ = only(changed("heat", temperature=83.2, now=("soft temperature limit",)))
    assert severity == "problem" and "because of heat (83 °C)" in sentence and "--cool" in sentence
    assert only(changed("heat", since_start=("throttled",)))[0] == "warning"
    assert "is hot (81 °C)" in only(changed("heat", temperature=81.0))[1]
    assert "is hot (70 °C)" in only(changed("heat", temperature=70.0, slows_from=70.0))[1]


def test_powersave_is_a_warning_and_ondemand_a_hint() -> None:
    severity, _, command = only(clocked(governor="powersave"))
    assert severity == "warning" and (command or "").startswith("echo performance | sudo tee /sys/devices/system/cpu/")
    severity, sentence, _ = only(clocked(governor="schedutil"))
    assert severity == "hint" and "The governor schedutil" in sentence


def test_powersave_of_a_cpu_that_chooses_by_itself_is_fine() -> None:
    assert advise(clocked(driver="intel_pstate", governor="powersave")) == []


def test_a_governor_that_cannot_be_had_is_not_advised() -> None:
    assert advise(clocked(governor="schedutil", governors=("schedutil",))) == []


def test_a_limited_clock_is_told_with_what_lifts_it() -> None:
    _, sentence, command = only(clocked(limit_mhz=1200))
    assert "limited to 1200 of 1800 MHz" in sentence and (command or "").startswith("echo 1800000 | sudo tee")


def test_a_32_bit_system_is_told_only_on_a_64_bit_cpu() -> None:
    assert "64-bit image" in only(changed("board", python_bits=32, machine="armv7l"))[1]
    assert advise(changed("board", python_bits=32, machine="armv7l", cpu_is_64_bit=False)) == []


def test_a_pc_without_openvino_is_told_how_to_get_it() -> None:
    assert only(changed("board", machine="x86_64", model=None))[2] == "pip install openvino"


def test_a_cpu_limit_that_is_smaller_than_the_threads_is_told() -> None:
    severity, sentence, _ = only(changed("limits", cpus=1.5))
    assert severity == "warning" and "grants 1.5 CPUs, and 4 threads" in sentence and "--threads 1 " in sentence
    assert "--threads 1 " in only(changed("limits", cpus=0.5))[1]
    assert advise(changed("limits", cpus=4.0)) == []
    fast = changed("board", detector_cpus=(2, 3))
    assert advise(replace(fast, limits=Limits(2.0, None))) == []


def test_other_programs_that_keep_the_cpu_busy_are_told() -> None:
    assert only(changed("board", load=5.3))[2] == "top"


def test_little_memory_and_much_swap_are_told() -> None:
    assert "Only 180 MB of memory" in only(changed("memory", available=180_000_000))[1]
    assert "grants only 134 MB" in only(changed("limits", memory=134_217_728))[1]
    assert "of swap is in use" in only(changed("memory", swap=512_000_000, swap_used=400_000_000))[1]
    assert advise(changed("memory", swap_used=90_000_000)) == []


def test_a_full_disk_is_told() -> None:
    assert "Only 120 MB is free" in only(changed("disk", free=120_000_000))[1]


def refused(**values: Any) -> Findings:
    device = Device("/dev/video0", "HD Webcam", None, (), "permission", "may not be opened", **values)
    return changed("cameras", devices=(device, replace(device, path="/dev/video2")))


def test_who_is_not_in_the_group_is_told_once_what_to_type() -> None:
    assert only(refused(group="video"))[::2] == ("problem", "sudo usermod -aG video $USER")
    severity, sentence, command = only(refused(group="video", group_waits_for_login=True))
    assert (severity, command) == ("problem", None) and "log out and in again" in sentence
    assert "--device /dev/video0" in only(refused(group=None))[1]


def test_a_busy_camera_is_told_with_what_names_its_user() -> None:
    device = Device("/dev/video4", "HD Webcam", None, (), "busy", "is in use by another program")
    assert only(changed("cameras", devices=(device,)))[2] == "fuser -v /dev/video4"


def test_a_camera_without_a_format_that_is_read_is_told() -> None:
    device = replace(WEBCAM, modes=(OfferedMode("H264", 1920, 1080, (30.0,)),))
    assert "gives H264 only" in only(changed("cameras", devices=(device,)))[1]


def test_a_raspberry_pis_camera_without_its_program_is_a_problem() -> None:
    findings = changed("cameras", program=None, sensor_seen=True)
    assert only(findings)[::2] == ("problem", "sudo apt-get install rpicam-apps-lite")
    assert "ribbon cable" in only(changed("cameras", devices=()))[1]


def test_a_program_that_fails_is_a_warning() -> None:
    findings = changed("cameras", program_problem="did not answer within 5 seconds")
    assert only(findings)[1] == "rpicam-hello --list-cameras did not answer within 5 seconds."


def test_a_missing_extra_is_a_hint() -> None:
    findings = replace(HEALTHY, versions={**HEALTHY.versions, "av": None})
    severity, sentence, command = only(findings)
    assert (severity, command) == ("hint", "pip install 'nanoedge[video]'") and "av is not installed" in sentence


def test_a_broken_installation_is_a_problem() -> None:
    assert only(changed("board", core_problem="The core cannot be loaded."))[1] == "The core cannot be loaded."
    assert only(changed("engines", chosen=None, reason="No engine is installed."))[0] == "problem"
    assert "unset it" in only(changed("engines", lost_library="/opt/gone.so"))[1]


def test_the_most_urgent_comes_first() -> None:
    findings = replace(
        clocked(governor="ondemand"),
        heat=Heat(86.0, None, "vcgencmd", ("throttled",), ()),
        memory=replace(HEALTHY.memory, available=100_000_000),
    )
    assert [advice.severity for advice in advise(findings)] == list(SEVERITIES)


def test_the_report_shows_every_part_and_what_to_type() -> None:
    findings = replace(
        clocked(governor="ondemand"),
        cameras=Cameras(
            (WEBCAM,), (PiCamera(0, "imx708", (OfferedMode("R", 1536, 864, (120.13,)),)),), "r", None, True
        ),
    )
    text = as_text(findings, advise(findings))
    for line in (
        "board         Raspberry Pi 4 Model B Rev 1.4",
        "CPU           Cortex-A72, aarch64, 4 to use",
        "instructions  used: NEON (fp32, int8); absent: dot product",
        "clock         1800 of 1800 MHz, governor ondemand",
        "memory        3.5 GB of 4.0 GB available; swap: 0 MB of 104 MB in use",
        "limits        none by control groups",
        "temperature   52.1 °C",
        "throttling    now: none; since the start: none",
        "cameras       /dev/video0 HD Webcam (uvcvideo)",
        "              - MJPG: 1280x720 at 30",
        "              rpicam:0 imx708 (r)",
        "              openvino is not: pip install openvino",
        "What to change:",
        "              $ echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor",
    ):
        assert line in text.splitlines()
    assert text.split("\n\n")[0].endswith("onnxruntime")
    assert max(len(line) for line in text.splitlines()) <= 110


def test_two_clocks_are_two_lines() -> None:
    big = replace(HEALTHY.clocks[0], cpus=(4, 5), highest_mhz=2400, limit_mhz=2400)
    text = as_text(replace(HEALTHY, clocks=(HEALTHY.clocks[0], big)), [])
    assert "1800 of 1800 MHz, governor performance (CPU 0, 1, 2, 3)" in text
    assert "1800 of 2400 MHz, governor performance (CPU 4, 5)" in text


def test_the_fast_cores_are_named_where_there_are_slow_ones() -> None:
    board = changed("board", usable_cpus=8, detector_cpus=(4, 5, 6, 7))
    assert "aarch64, 8 to use; the network runs on the 4 fast ones, CPUs 4, 5, 6, 7\n" in as_text(board, [])
    assert "; the network runs on the fast one, CPU 5\n" in as_text(changed("board", detector_cpus=(5,)), [])


def test_a_machine_that_offers_nothing_gets_a_report_all_the_same(root: Path) -> None:
    findings = look(system=System(root, "riscv64"))
    text = as_text(findings, advise(findings))
    for part in ("load", "memory", "temperature", "throttling"):
        assert f"{part:<14}not offered here" in text
    assert "none found: no /dev/video* that captures" in text


def test_a_raspberry_pi_5_is_looked_at_as_a_whole(root: Path, programs: Path) -> None:
    program(programs, "vcgencmd", "throttled=0x50000")
    program(programs, "rpicam-hello", PI_5_LISTING)
    findings = look(system=raspberry_pi_5(root))
    advice = advise(findings)
    text = as_text(findings, advice)
    assert "rpicam:1 ov5647 (rpicam-hello)" in text and "since the start: under-voltage, throttled" in text
    assert any("5.1 V and 5 A" in each.sentence for each in advice)
    document = json.loads(json.dumps(as_json(findings, advice)))
    assert document["cameras"]["pi"][0]["modes"][0]["rates"] == [206.65]
    assert document["advice"][0].keys() == {"severity", "sentence", "command"}
