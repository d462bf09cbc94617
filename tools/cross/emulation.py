"""Runs what was built for another machine on this one, by QEMU's user-mode emulation."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
from nanoedge.detections import Detections

from tools.cross.compile import BuildError
from tools.cross.targets import Target

# CPU to target: Raspberry Pi 3 and Zero 2 W; 4; 5; and a 32-bit one with VFPv4.
CPUS = {"cortex-a53": "aarch64", "cortex-a72": "aarch64", "cortex-a76": "aarch64", "cortex-a15": "armv7"}
EMULATORS = {"aarch64": "qemu-aarch64", "armv7": "qemu-arm", "x86_64": "qemu-x86_64"}


def emulator(target: Target) -> str:
    """QEMU's program for that machine."""
    name = EMULATORS[target.name]
    found = shutil.which(name) or shutil.which(f"{name}-static")
    if found is None:
        raise BuildError(f"This needs {name}; on Debian: apt-get install qemu-user")
    return found


def detect(
    target: Target, cpu: str, program: Path, bundle: Path, pictures: list[Path], *options: str
) -> list[Detections]:
    """What the emulated nanoedge-detect finds, for each picture."""
    command = [emulator(target), "-cpu", cpu, program, bundle, *pictures, "--json", *options]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"{program.name} on {cpu} ended with status {done.returncode}: {done.stderr[-500:]}")
    names = json.loads((bundle / "manifest.json").read_text())["classes"]
    return [
        Detections(
            boxes_xyxy=np.array([each["box"] for each in one["detections"]], dtype=np.float32).reshape(-1, 4),
            scores=np.array([each["score"] for each in one["detections"]], dtype=np.float32),
            class_ids=np.array([each["class_id"] for each in one["detections"]], dtype=np.int64),
            class_names=tuple(names),
        )
        for one in json.loads(done.stdout)
    ]
