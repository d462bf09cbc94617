"""Builds NanoEdge for other machines into dist/: wheels, static executables and the library.

    python -m tools.cross                     everything
    python -m tools.cross aarch64             for one kind of machine
    python -m tools.cross --python 3.11 x86_64

Executables and library (aarch64, armv7) are compiled by Debian's cross compilers, wheels (aarch64, x86_64) by zig for
glibc 2.28. What was built is listed with its size and sha256, also in dist/SHA256SUMS.
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
from tools.cross.compile import REPOSITORY, CannotBuild, compile_executables, compile_modules
from tools.cross.debian import CannotFetch
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
    failed = 0
    for name in arguments.targets or TARGETS:
        failed += build(TARGETS[name], arguments.python or list(PYTHONS), arguments.out)
    print_sums(arguments.out)
    sys.exit(1 if failed else 0)


def build(target: Target, versions: list[str], out: Path) -> int:
    """Everything for one target; gives how many parts failed."""
    failed = 0
    started = time.monotonic()
    if target.compiler:
        try:
            executables(target, out)
        except CannotBuild as error:
            failed += 1
            print(f"{target.name}: no executables. {error}", file=sys.stderr)
    if target.zig:
        failed += wheels(target, versions, out)
    print(f"==> {target.name}: {time.monotonic() - started:.0f} s")
    return failed


def executables(target: Target, out: Path) -> None:
    """The executables by themselves, and an archive with the library beside them."""
    print(f"==> {target.name}: executables and library")
    name = f"nanoedge-{target.name}"
    folder = compile_executables(target, REPOSITORY / "build" / "cross" / name)
    for program in sorted((folder / "bin").iterdir()):
        if not elf.is_static(program):
            raise CannotBuild(f"{program.name} is not static.")
        copy = out / f"{program.name}-{target.name}"
        copy.write_bytes(program.read_bytes())
        copy.chmod(0o755)
    with tarfile.open(out / f"{name}.tar.gz", "w:gz") as archive:
        archive.add(folder, arcname=name)


def wheels(target: Target, versions: list[str], out: Path) -> int:
    """A wheel for each Python version; gives how many could not be built."""
    print(f"==> {target.name}: wheels for Python {', '.join(versions)}")
    from tools.cross.headers import python_headers

    possible = []
    for version in versions:
        try:
            python_headers(version, target.debian)
            possible.append(version)
        except CannotFetch as error:
            print(f"{target.name}: no wheel for Python {version}. {error}", file=sys.stderr)
    failed = len(versions) - len(possible)
    try:
        with tempfile.TemporaryDirectory() as work:
            pure = pure_wheel(Path(work))
            for version, module in compile_modules(target, possible).items() if possible else ():
                assemble(pure, module, version, target, out)
    except CannotBuild as error:
        print(f"{target.name}: no wheels. {error}", file=sys.stderr)
        return len(versions)
    return failed


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
