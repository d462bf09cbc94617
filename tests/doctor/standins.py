"""Stand-ins for boards that are not here: trees of files with the values that real ones give, and small programs."""

from __future__ import annotations

from pathlib import Path

from nanoedge.doctor.system import System

CPU_INFO = """processor\t: {number}
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm crc32 cpuid
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: {part}
CPU revision\t: 3

"""

PI_4_LISTING = """Available cameras
-----------------
0 : imx708 [4608x2592 10-bit RGGB] (/base/soc/i2c0mux/i2c@1/imx708@1a)
    Modes: 'SRGGB10_CSI2P' : 1536x864 [120.13 fps - (768, 432)/3072x1728 crop]
                             2304x1296 [56.03 fps - (0, 0)/4608x2592 crop]
                             4608x2592 [14.35 fps - (0, 0)/4608x2592 crop]

"""

PI_5_LISTING = """Available cameras
-----------------
0 : imx219 [3280x2464 10-bit RGGB] (/base/axi/pcie@1000120000/rp1/i2c@88000/imx219@10)
    Modes: 'SRGGB10_CSI2P' : 640x480 [206.65 fps - (1000, 752)/1280x960 crop]
                             3280x2464 [21.19 fps - (0, 0)/3280x2464 crop]
           'SRGGB8' : 640x480 [206.65 fps - (1000, 752)/1280x960 crop]
                      3280x2464 [21.19 fps - (0, 0)/3280x2464 crop]
1 : ov5647 [2592x1944 10-bit GBRG] (/base/axi/pcie@1000120000/rp1/i2c@80000/ov5647@36)
    Modes: 'SGBRG10_CSI2P' : 640x480 [58.92 fps - (16, 0)/2560x1920 crop]

"""


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def raspberry_pi(
    root: Path, model: str, part: str, megahertz: int, governor: str = "ondemand", videos: dict[str, str] | None = None
) -> System:
    """The files of a Raspberry Pi with Raspberry Pi OS 12, 64 bits, 4 GB."""
    policy = "sys/devices/system/cpu/cpufreq/policy0"
    write(
        root,
        {
            "proc/cpuinfo": "".join(CPU_INFO.format(number=number, part=part) for number in range(4))
            + f"Revision\t: c03114\nModel\t\t: {model}\n",
            "proc/device-tree/model": f"{model}\0",
            "proc/loadavg": "0.21 0.18 0.11 1/186 2241\n",
            "proc/meminfo": "MemTotal:        3884364 kB\nMemFree:         2931248 kB\nMemAvailable:    3391680 kB\n"
            "SwapTotal:        102396 kB\nSwapFree:         102396 kB\nHugePages_Total:       0\n",
            "proc/self/cgroup": "0::/user.slice/user-1000.slice/session-1.scope\n",
            "etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\n',
            f"{policy}/related_cpus": "0 1 2 3\n",
            f"{policy}/scaling_driver": "cpufreq-dt\n",
            f"{policy}/scaling_governor": f"{governor}\n",
            f"{policy}/scaling_available_governors": "conservative ondemand userspace powersave performance \n",
            f"{policy}/scaling_cur_freq": "600000\n",
            f"{policy}/scaling_max_freq": f"{megahertz}000\n",
            f"{policy}/cpuinfo_max_freq": f"{megahertz}000\n",
            "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
            "sys/class/thermal/thermal_zone0/temp": "52095\n",
            "sys/class/hwmon/hwmon0/name": "cpu_thermal\n",
            "sys/class/hwmon/hwmon1/name": "rpi_volt\n",
            "sys/class/hwmon/hwmon1/in0_lcrit_alarm": "0\n",
        },
    )
    for device, name in (videos or {}).items():
        write(root, {f"dev/{device}": "", f"sys/class/video4linux/{device}/name": f"{name}\n"})
    return System(root, "aarch64", 64, (0, 1, 2, 3))


def raspberry_pi_4(root: Path, governor: str = "ondemand") -> System:
    """With a camera on the ribbon cable."""
    videos = {
        "video0": "unicam-image",
        "video10": "bcm2835-codec-decode",
        "video13": "bcm2835-isp-output0",
        "video14": "bcm2835-isp-capture0",
    }
    return raspberry_pi(root, "Raspberry Pi 4 Model B Rev 1.4", "0xd08", 1800, governor, videos)


def raspberry_pi_5(root: Path) -> System:
    """With a camera on the ribbon cable."""
    videos = {"video0": "rp1-cfe-csi2_ch0", "video19": "rpi-hevc-dec", "video20": "pispbe-input"}
    return raspberry_pi(root, "Raspberry Pi 5 Model B Rev 1.0", "0xd0b", 2400, videos=videos)


def program(folder: Path, name: str, says: str, status: int = 0) -> None:
    """A script in the place of a program; it needs nothing but the shell."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    text = says.replace("'", "'\\''")
    path.write_text(f"#!/bin/sh\nprintf '%s\\n' '{text}'\nexit {status}\n")
    path.chmod(0o755)
