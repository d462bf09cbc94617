"""Wheels for other machines: the Python part as pip builds it, with a module that was compiled for the machine."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from tools.cross import elf
from tools.cross.compile import CORE, REPOSITORY, BuildError
from tools.cross.targets import GLIBC, Target


def pure_wheel(folder: Path) -> Path:
    """NanoEdge's wheel without a module, made by its build backend in `folder`; once."""
    if made := list(folder.glob("nanoedge-*-none-any.whl")):
        return made[0]
    run(
        sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder,
        "--config-settings=wheel.cmake=false", REPOSITORY,
    )  # fmt: skip
    return next(folder.glob("nanoedge-*-none-any.whl"))


def assemble(pure: Path, module: Path, version: str, target: Target, out: Path) -> Path:
    """The pure wheel with `module`, its notices and its bill of materials, under the tags of Python `version`."""
    problems = elf.problems(module, target.machine, GLIBC)
    if problems:
        raise BuildError(f"The module for Python {version} is not fit for {target.wheel_platform}: {problems}")
    python = f"cp{version.replace('.', '')}"
    with tempfile.TemporaryDirectory() as work:
        content = Path(work) / "content"
        with zipfile.ZipFile(pure) as wheel:
            wheel.extractall(content)
        shutil.copy2(module, content / "nanoedge" / module.name)
        about = next(content.glob("nanoedge-*.dist-info"))
        components = Path(work) / "components"
        run(
            sys.executable, CORE / "cmake" / "notices.py", "module", components, "--version",
            about.name.removeprefix("nanoedge-").removesuffix(".dist-info"), "--cxx",
            "--architecture", target.debian,
        )  # fmt: skip
        for name, folder in (("THIRD_PARTY_NOTICES.txt", "licenses"), ("nanoedge.cdx.json", "sboms")):
            (about / folder).mkdir(exist_ok=True)
            shutil.copy2(components / name, about / folder / name)
        tags = (about / "WHEEL").read_text()
        tags = re.sub(r"^Root-Is-Purelib: .*$", "Root-Is-Purelib: false", tags, flags=re.MULTILINE)
        tags = re.sub(r"^Tag: .*$", f"Tag: {python}-{python}-{target.wheel_platform}", tags, flags=re.MULTILINE)
        (about / "WHEEL").write_text(tags)
        run(sys.executable, "-m", "wheel", "pack", "--dest-dir", work, content)
        packed = next(Path(work).glob("*.whl"))
        out.mkdir(parents=True, exist_ok=True)
        return Path(shutil.move(packed, out / packed.name))


def run(*words: str | Path) -> None:
    """A command; its last lines say why it failed."""
    command = [str(word) for word in words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-4000:]}")
