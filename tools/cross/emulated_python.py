"""A Debian Python of another machine with NanoEdge's wheel and what it depends on, run by emulation."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tools.cross.compile import REPOSITORY, BuildError
from tools.cross.debian import PackageTree
from tools.cross.emulation import emulator
from tools.cross.targets import GLIBC, Target

# Python and what OpenCV's wheel loads.
PACKAGES = ("python3.11-minimal", "libpython3.11-stdlib", "libgl1", "libglib2.0-0")
RELEASE = "bookworm"


class EmulatedPython:
    """Python 3.11 for `target` with its own site-packages, in `folder`; made once."""

    def __init__(self, target: Target, folder: Path) -> None:
        self.target = target
        self.tree = PackageTree(folder, RELEASE, target.debian)
        self.site = folder / "site"
        done = folder / "done"
        if not done.exists():
            self.tree.unpack(*PACKAGES, dependencies=True)
            done.touch()

    def install(self, wheel: Path) -> None:
        """Put the wheel and its dependencies' wheels for this machine into site-packages, by this machine's pip."""
        platforms = [f"manylinux_2_{minor}_{self.target.name}" for minor in range(17, GLIBC + 1)]
        command = [
            sys.executable, "-m", "pip", "install", "--quiet", "--upgrade", "--target", self.site,
            "--only-binary=:all:", "--implementation=cp", "--python-version=3.11",
            *(f"--platform={name}" for name in (*platforms, f"manylinux2014_{self.target.name}")),
            "--constraint", REPOSITORY / "constraints.txt", wheel,
        ]  # fmt: skip
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
        if done.returncode:
            raise BuildError(f"{wheel.name} cannot be installed: {done.stderr[-2000:]}")

    def run(self, cpu: str, *words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
        """python3.11 WORDS on the emulated CPU."""
        root = self.tree.root
        libraries = ":".join(str(root / place / f"{self.target.name}-linux-gnu") for place in ("usr/lib", "lib"))
        command = [
            emulator(self.target), "-cpu", cpu, "-L", root, "-E", f"PYTHONPATH={self.site}",
            "-E", f"LD_LIBRARY_PATH={libraries}", root / "usr" / "bin" / "python3.11", *words,
        ]  # fmt: skip
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        return subprocess.run(
            [str(word) for word in command], capture_output=True, text=True, check=False, cwd=cwd, env=environment,
            timeout=600,
        )  # fmt: skip
