"""Cameras: devices at `/dev/video*`, and the Raspberry Pi's own by the program that lists them."""

from __future__ import annotations

import errno
import grp
import os
import pwd
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nanoedge.doctor.system import System
from nanoedge.video.sources import rpicam
from nanoedge.video.sources.v4l2_modes import (
    INNER_DRIVERS,
    SENSOR_DRIVERS,
    OfferedMode,
    describe_camera,
    video_devices,
)

LISTING_PROGRAMS = ("rpicam-hello", "libcamera-hello", *rpicam.PROGRAMS)
LISTING_TIMEOUT = 5.0
"""Seconds; they need one on the smallest boards."""

Refusal = Literal["permission", "busy", "failed"]


@dataclass(frozen=True)
class Device:
    """A device that captures video, or that could not be asked.

    Attributes:
        path: such as `/dev/video0`.
        name: as the driver calls it.
        driver: its name; `None` when it could not be asked.
        modes: what it offers.
        refusal: why it could not be asked.
        reason: the same as a phrase.
        group: whose members may open it, after a refused permission; `None`: only root may.
        group_waits_for_login: the user is a member, but not yet in this login.
    """

    path: str
    name: str
    driver: str | None
    modes: tuple[OfferedMode, ...]
    refusal: Refusal | None = None
    reason: str | None = None
    group: str | None = None
    group_waits_for_login: bool = False


@dataclass(frozen=True)
class PiCamera:
    """A camera on the Raspberry Pi's ribbon cable.

    Attributes:
        number: what stands behind `--source rpicam:`.
        sensor: its name, such as `imx708`.
        modes: of the sensor; `rpicam-vid` scales them to what is asked for.
    """

    number: int
    sensor: str
    modes: tuple[OfferedMode, ...]


@dataclass(frozen=True)
class Cameras:
    """All that was found.

    Attributes:
        devices: `/dev/video*` that capture or could not be asked.
        pi: the Raspberry Pi's own.
        program: what listed those; `None` when no such program is installed.
        program_problem: why it did not.
        sensor_seen: the kernel has found a camera on the ribbon cable.
    """

    devices: tuple[Device, ...]
    pi: tuple[PiCamera, ...]
    program: str | None
    program_problem: str | None
    sensor_seen: bool


def look_at_cameras(system: System) -> Cameras:
    """Ask each device and the listing program; no picture is taken."""
    devices = []
    sensor_seen = False
    for path in video_devices(system.root / "dev"):
        called = system.text(f"sys/class/video4linux/{path.name}/name") or ""
        sensor_seen |= called.startswith(SENSOR_DRIVERS)
        if called.startswith((*SENSOR_DRIVERS, *INNER_DRIVERS)):
            continue
        device = _asked(path, called)
        if device is not None and not (device.driver or "").startswith((*SENSOR_DRIVERS, *INNER_DRIVERS)):
            devices.append(device)
    program = next((found for name in LISTING_PROGRAMS if (found := shutil.which(name))), None)
    listed, problem = _listed(program) if program else ((), None)
    name = Path(program).name if program else None
    return Cameras(tuple(devices), listed, name, problem, sensor_seen)


def _asked(path: Path, called: str) -> Device | None:
    shown = f"/dev/{path.name}"
    try:
        camera = describe_camera(path)
    except OSError as error:
        if error.errno in (errno.ENOTTY, errno.EINVAL, errno.ENOENT):
            return None  # no device of V4L2, or gone
        if error.errno in (errno.EACCES, errno.EPERM):
            group, waits = _group(path)
            reason = "may not be opened; it belongs to " + (f"the group {group}" if group else "root only")
            return Device(shown, called, None, (), "permission", reason, group, waits)
        if error.errno == errno.EBUSY:
            return Device(shown, called, None, (), "busy", "is in use by another program")
        return Device(shown, called, None, (), "failed", f"cannot be opened: {error.strerror or error}")
    if camera is None or not camera.modes:
        return None
    return Device(shown, camera.name, camera.driver, camera.modes)


def _group(path: Path) -> tuple[str | None, bool]:
    """The group of a device (`None`: only root), and whether the user is in it from the next login on."""
    try:
        entry = grp.getgrgid(path.stat().st_gid)
        user = pwd.getpwuid(os.getuid()).pw_name
    except (KeyError, OSError):
        return "video", False
    if entry.gr_gid == 0:
        return None, False
    return entry.gr_name, user in entry.gr_mem and entry.gr_gid not in os.getgroups()


def _listed(program: str) -> tuple[tuple[PiCamera, ...], str | None]:
    try:
        done = subprocess.run(
            [program, "--list-cameras"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=LISTING_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return (), f"did not answer within {LISTING_TIMEOUT:g} seconds"
    except OSError as error:
        return (), f"cannot be run: {error.strerror}"
    found = parse_listing(done.stdout + "\n" + done.stderr)
    if done.returncode and not found:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()
        return (), f"ended with status {done.returncode}" + (f": {last[-1].strip()}" if last else "")
    return found, None


def parse_listing(text: str) -> tuple[PiCamera, ...]:
    """Cameras of what `rpicam-hello --list-cameras` prints."""
    found: list[PiCamera] = []
    modes: list[OfferedMode] = []
    fourcc = ""

    def close() -> None:
        if found:
            found[-1] = PiCamera(found[-1].number, found[-1].sensor, tuple(modes))
        modes.clear()

    for line in text.splitlines():
        if head := re.match(r"\s*(\d+) : (\S+)", line):
            close()
            found.append(PiCamera(int(head[1]), head[2], ()))
        if named := re.search(r"'(\w+)' :", line):
            fourcc = named[1]
        if found and (mode := re.search(r"(?:^|\s)(\d+)x(\d+) \[([\d.]+) fps", line)):
            modes.append(OfferedMode(fourcc, int(mode[1]), int(mode[2]), (float(mode[3]),)))
    close()
    return tuple(found)
