"""Builds NanoEdge for other machines into dist/: wheels, static executables and the library.

    python -m tools.cross                     everything
    python -m tools.cross aarch64             for one kind of machine
    python -m tools.cross --python 3.11 x86_64

Debian's cross compilers compile; the wheels' modules (aarch64, x86_64) are linked by zig for glibc 2.28. What was built
is listed with its size and sha256, also in dist/SHA256SUMS.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tarfile
import tempfile
import time
from pathlib import Path

from tools.cross import elf
from tools.cross.compile import (
    REPOSITORY,
    BuildError,
    compile_native_only,
    compile_target,
    install_executables,
    module_of,
    zig,
)
from tools.cross.debian import FetchError
from tools.cross.headers import python_headers
from tools.cross.targets import PYTHONS, TARGETS, Target
from tools.cross.wheels import assemble, pure_wheel

DIST = REPOSITORY / "dist"


def main() -> None:
    """The command line; exit 1 when a part could not be built."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.cross", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"{', '.join(TARGETS)}; default: all")
    parser.add_argument("--python", action="append", choices=PYTHONS, help="wheels for this version only")
    parser.add_argument("--out", type=Path, default=DIST)
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.targets if name not in TARGETS]:
        parser.error(f"unknown target {unknown[0]}; known: {', '.join(TARGETS)}")
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name in arguments.targets or TARGETS:
        forget(TARGETS[name], arguments.out)
    failed = 0
    for name in arguments.targets or TARGETS:
        failed += build(TARGETS[name], arguments.python or list(PYTHONS), arguments.out)
    print_sums(arguments.out)
    sys.exit(1 if failed else 0)


def forget(target: Target, out: Path) -> None:
    """Take away what an earlier build made for that target, so that only what belongs together is listed."""
    for file in out.iterdir():
        name = file.name.removesuffix(".tar.gz").removesuffix(".whl")
        if file.is_file() and name.endswith((f"-{target.name}", f"_{target.name}")):
            file.unlink()


def build(target: Target, versions: list[str], out: Path) -> int:
    """Everything for one target; gives how many parts failed."""
    started = time.monotonic()
    possible = [version for version in versions if wheel_is_possible(version, target)] if target.zig else []
    failed = len(versions) - len(possible) if target.zig else 0
    wheels = f", wheels for Python {', '.join(possible)}" if possible else ""
    parts = f"executables and library, the same with our own engine alone{wheels}"
    print(f"==> {target.name}: {parts}; two to four minutes when ncnn is not in the cache", flush=True)
    try:
        folder = compile_target(target, possible)
        executables(folder, f"nanoedge-{target.name}", out)
        executables(compile_native_only(target), f"nanoedge-native-{target.name}", out)
        with tempfile.TemporaryDirectory() as work:
            for version in possible:
                assemble(pure_wheel(Path(work)), module_of(folder, version), version, target, out)
    except BuildError as error:
        print(f"{target.name}: {error}", file=sys.stderr)
        return failed + 1
    print(f"==> {target.name}: {time.monotonic() - started:.0f} s")
    return failed


def wheel_is_possible(version: str, target: Target) -> bool:
    """Whether a wheel for that Python can be built here; says why not."""
    try:
        zig()
        python_headers(version, target.debian)
    except (BuildError, FetchError) as error:
        print(f"{target.name}: no wheel for Python {version}. {error}", file=sys.stderr)
        return False
    return True


def executables(build_folder: Path, name: str, out: Path) -> None:
    """The executables by themselves, and an archive `name` with the library beside them."""
    folder = install_executables(build_folder, build_folder.parent / name)
    for program in sorted((folder / "bin").iterdir()):
        if not elf.is_static(program):
            raise BuildError(f"{program.name} is not static.")
        copy = out / f"{program.name}{name.removeprefix('nanoedge')}"
        copy.write_bytes(program.read_bytes())
        copy.chmod(0o755)
    with tarfile.open(out / f"{name}.tar.gz", "w:gz") as archive:
        archive.add(folder, arcname=name)


def print_sums(out: Path) -> None:
    """List what lies there."""
    lines = []
    for file in sorted(file for file in out.iterdir() if file.is_file() and file.name != "SHA256SUMS"):
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        lines.append(f"{digest}  {file.name}\n")
        print(f"{file.stat().st_size / 1e6:8.2f} MB  {digest}  {file.name}")
    (out / "SHA256SUMS").write_text("".join(lines))


if __name__ == "__main__":
    main()
