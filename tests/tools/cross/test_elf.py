"""What a library asks of the system, read by readelf."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tools.cross import elf

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")


def library(folder: Path, source: str, *options: str) -> Path:
    (folder / "a.c").write_text(source)
    command = ["cc", "-shared", "-fPIC", "-O1", "-o", str(folder / "a.so"), str(folder / "a.c"), *options]
    subprocess.run(command, check=True)
    return folder / "a.so"


def machine(file: Path) -> str:
    """This machine's, as readelf names it."""
    return next(
        line.split(":")[1].strip() for line in elf.read("--file-header", file).splitlines() if "Machine:" in line
    )


def test_old_symbols_are_fine_and_newer_ones_are_named(tmp_path: Path) -> None:
    file = library(tmp_path, "#include <stdlib.h>\nint f(const char* a) { return atoi(a); }\n")
    assert elf.problems(file, machine(file), 28) == []
    assert any("glibc 2." in problem for problem in elf.problems(file, machine(file), 1))
    assert elf.problems(file, "a machine that is not this", 28) == ["a.so is not for a machine that is not this"]


def test_symbols_of_no_library_are_named_but_for_pythons(tmp_path: Path) -> None:
    file = library(tmp_path, "int missing(void); int Py_There(void); int f(void) { return missing() + Py_There(); }\n")
    assert elf.problems(file, machine(file), 28) == ["a.so needs missing of no library"]


def test_libraries_that_not_every_linux_has_are_named(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    shutil.move(library(tmp_path, "int g(void) { return 1; }\n"), other / "libother.so")
    file = library(
        tmp_path, "int g(void); int f(void) { return g(); }\n", f"-L{other}", "-lother", "-Wl,--no-as-needed"
    )
    assert "a.so needs libother.so" in elf.problems(file, machine(file), 28)
