"""How a run was started: command line, versions and machine of each start, one line a start."""

from __future__ import annotations

import json
import platform
import shlex
import sys
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from nanoedge import __version__
from nanoedge.errors import NanoEdgeError
from nanoedge.machine import machine

PACKAGES = ("torch", "lightning", "numpy", "opencv-python", "faster-coco-eval")


def note_start(path: Path, device: str) -> None:
    """Add this process to the file.

    Args:
        path: of JSON lines; made when it is not there.
        device: what is trained on, in words.

    Raises:
        NanoEdgeError: when it cannot be written.
    """
    start = {
        "time": datetime.now().astimezone().isoformat(timespec="seconds"),
        "command": shlex.join(["nanoedge", *sys.argv[1:]]) if _from_command_line() else "from Python",
        "machine": machine(),
        "device": device,
        "versions": {"nanoedge": __version__, "python": platform.python_version(), **_versions()},
    }
    try:
        with path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(start, ensure_ascii=False) + "\n")
    except OSError as error:
        raise NanoEdgeError(f"{path} could not be written: {error.strerror or error}.") from error


def read_starts(path: Path) -> list[dict[str, Any]]:
    """All starts, oldest first; none for a run of before this file. A line that was cut off is left out."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    starts = []
    for line in lines:
        try:
            start = json.loads(line)
        except ValueError:
            continue
        if isinstance(start, dict) and {"time", "command", "machine", "device", "versions"} <= start.keys():
            starts.append(start)
    return starts


def _from_command_line() -> bool:
    return Path(sys.argv[0]).name in ("nanoedge", "__main__.py")


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
