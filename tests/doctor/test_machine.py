"""What is found of board, clock, memory and heat; trees of files stand in for boards that are not here."""

from __future__ import annotations

from pathlib import Path

import pytest
from nanoedge.doctor.board import look_at_board
from nanoedge.doctor.clock import Clock, look_at_clocks
from nanoedge.doctor.heat import Heat, look_at_heat
from nanoedge.doctor.memory import Disk, Limits, Memory, look_at_disk, look_at_limits, look_at_memory
from nanoedge.doctor.system import System
from tests.doctor.standins import CPU_INFO, program, raspberry_pi_4, raspberry_pi_5, write


def test_a_board_its_cpu_and_its_system_are_named(root: Path) -> None:
    board = look_at_board(raspberry_pi_4(root))
    assert (board.model, board.cpu, board.machine) == ("Raspberry Pi 4 Model B Rev 1.4", "Cortex-A72", "aarch64")
    assert board.system == "Debian GNU/Linux 12 (bookworm)"
    assert board.load == 0.21
    assert board.is_raspberry_pi and not board.is_x86_64 and board.cpu_is_64_bit
    assert look_at_board(raspberry_pi_5(root)).cpu == "Cortex-A76"


def test_two_kinds_of_cores_are_both_named(root: Path) -> None:
    kinds = ["0xd05", "0xd05", "0xd0b", "0xd0b"]
    write(root, {"proc/cpuinfo": "".join(CPU_INFO.format(number=n, part=part) for n, part in enumerate(kinds))})
    assert look_at_board(System(root, "aarch64")).cpu == "Cortex-A55 + Cortex-A76"


def test_the_fast_ones_of_two_kinds_of_cores_are_those_that_a_detector_runs_on(root: Path) -> None:
    for number, capacity in enumerate((414, 414, 1024, 1024)):
        write(root, {f"sys/devices/system/cpu/cpu{number}/cpu_capacity": f"{capacity}\n"})
    assert look_at_board(System(root, "aarch64", cpus=(0, 1, 2, 3))).detector_cpus == (2, 3)
    assert look_at_board(System(root, "aarch64", cpus=(0, 1))).detector_cpus == (0, 1)
    assert look_at_board(raspberry_pi_4(root / "other")).detector_cpus == (0, 1, 2, 3)


@pytest.mark.parametrize(
    ("part", "machine", "is_64_bit"),
    [("0xd08", "armv7l", True), ("0xd03", "armv7l", True), ("0xc07", "armv7l", False), ("0xd03", "aarch64", True)],
)
def test_a_64_bit_cpu_is_seen_below_a_kernel_of_32_bits(root: Path, part: str, machine: str, is_64_bit: bool) -> None:
    write(root, {"proc/cpuinfo": CPU_INFO.format(number=0, part=part)})
    assert look_at_board(System(root, machine, 32)).cpu_is_64_bit is is_64_bit


def test_a_64_bit_pc_is_seen_below_a_kernel_of_32_bits(root: Path) -> None:
    write(root, {"proc/cpuinfo": "model name\t: Intel(R) Atom(TM)\nflags\t\t: fpu sse2 lm\n"})
    board = look_at_board(System(root, "i686", 32))
    assert board.cpu == "Intel(R) Atom(TM)" and board.cpu_is_64_bit
    write(root, {"proc/cpuinfo": "flags\t\t: fpu sse2\n"})
    assert look_at_board(System(root, "i686", 32)).cpu_is_64_bit is False


def test_the_clock_is_that_of_the_kernel(root: Path) -> None:
    governors = ("conservative", "ondemand", "userspace", "powersave", "performance")
    assert look_at_clocks(raspberry_pi_4(root)) == (
        Clock((0, 1, 2, 3), "cpufreq-dt", "ondemand", governors, 600, 1800, 1800),
    )


def test_an_old_kernel_tells_the_clock_cpu_by_cpu(root: Path) -> None:
    for number in (0, 1):
        write(root, {f"sys/devices/system/cpu/cpu{number}/cpufreq/scaling_governor": "ondemand\n"})
    assert [clock.cpus for clock in look_at_clocks(System(root))] == [(0,), (1,)]


def test_memory_and_swap_are_in_bytes(root: Path) -> None:
    system = raspberry_pi_4(root)
    assert look_at_memory(system) == Memory(3884364 * 1024, 3391680 * 1024, 102396 * 1024, 0)


def test_the_tightest_control_group_counts(root: Path) -> None:
    system = raspberry_pi_4(root)
    assert look_at_limits(system) == Limits(None, None)
    write(
        root,
        {
            "sys/fs/cgroup/user.slice/cpu.max": "150000 100000\n",
            "sys/fs/cgroup/user.slice/user-1000.slice/cpu.max": "max 100000\n",
            "sys/fs/cgroup/user.slice/user-1000.slice/memory.max": "268435456\n",
            "sys/fs/cgroup/user.slice/memory.max": "max\n",
        },
    )
    assert look_at_limits(system) == Limits(1.5, 268435456)


def test_a_container_sees_its_own_group_at_the_top(root: Path) -> None:
    write(root, {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "50000 100000\n"})
    assert look_at_limits(System(root)) == Limits(0.5, None)
    write(root, {"proc/self/cgroup": "0::/../../outside\n"})
    assert look_at_limits(System(root)) == Limits(0.5, None)


def test_control_groups_of_the_first_version_are_read(root: Path) -> None:
    write(
        root,
        {
            "proc/self/cgroup": "4:memory:/docker/1f\n3:cpu,cpuacct:/docker/1f\n1:name=systemd:/\n",
            "proc/meminfo": "MemTotal:        3884364 kB\n",
            "sys/fs/cgroup/cpu,cpuacct/docker/1f/cpu.cfs_quota_us": "200000\n",
            "sys/fs/cgroup/cpu,cpuacct/docker/1f/cpu.cfs_period_us": "100000\n",
            "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
            "sys/fs/cgroup/memory/docker/1f/memory.limit_in_bytes": "9223372036854771712\n",
        },
    )
    assert look_at_limits(System(root)) == Limits(2.0, None)
    write(root, {"sys/fs/cgroup/memory/memory.limit_in_bytes": "536870912\n"})
    assert look_at_limits(System(root)) == Limits(2.0, 536870912)


def test_free_space_is_that_of_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = look_at_disk()
    assert found.total and found.free and 0 < found.free <= found.total
    assert look_at_disk(tmp_path / "gone") == Disk(None, None)


def test_vcgencmd_tells_what_slows_the_cpu_down_now_and_since_the_start(root: Path, programs: Path) -> None:
    system = raspberry_pi_4(root)
    program(programs, "vcgencmd", "throttled=0x50005")
    assert look_at_heat(system) == Heat(
        52.095, None, "vcgencmd", ("under-voltage", "throttled"), ("under-voltage", "throttled")
    )
    program(programs, "vcgencmd", "throttled=0xe0000")
    heat = look_at_heat(system)
    assert heat.now == () and heat.since_start == ("clock capped", "throttled", "soft temperature limit")


def test_without_vcgencmd_the_kernel_tells_of_the_supply(root: Path, programs: Path) -> None:
    system = raspberry_pi_5(root)
    assert look_at_heat(system) == Heat(52.095, None, "kernel", (), None)
    write(root, {"sys/class/hwmon/hwmon1/in0_lcrit_alarm": "1\n"})
    assert look_at_heat(system).now == ("under-voltage",)
    program(programs, "vcgencmd", "VCHI initialization failed", status=255)
    assert look_at_heat(system).now == ("under-voltage",)


def test_where_nothing_is_offered_nothing_fails(root: Path) -> None:
    system = System(root, "riscv64")
    board = look_at_board(system)
    assert (board.model, board.cpu, board.system, board.load) == (None, "riscv64", None, None)
    assert look_at_clocks(system) == ()
    assert look_at_memory(system) == Memory(None, None, None, None)
    assert look_at_limits(system) == Limits(None, None)
    assert look_at_heat(system) == Heat(None, None, None, None, None)


def test_what_cannot_be_read_is_not_offered(root: Path) -> None:
    policy = "sys/devices/system/cpu/cpufreq/policy0"
    for unreadable in (
        "proc/cpuinfo",
        "proc/meminfo",
        "proc/self/cgroup",
        "proc/loadavg",
        f"{policy}/scaling_cur_freq",
    ):
        (root / unreadable).mkdir(parents=True)  # reading a folder fails for root too
    write(root, {f"{policy}/scaling_governor": "performance\n", f"{policy}/cpuinfo_max_freq": "<unknown>\n"})
    system = System(root, "aarch64")
    assert look_at_board(system).cpu == "aarch64"
    assert look_at_clocks(system) == (Clock((0,), None, "performance", (), None, None, None),)
    assert look_at_memory(system).total is None
    assert look_at_limits(system) == Limits(None, None)
