"""What a library asks of the system that loads it, by readelf: it reads files of every machine."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

# Libraries that every Linux with glibc has (PEP 600).
EVERYWHERE = re.compile(r"(lib(c|m|dl|rt|pthread|gcc_s)\.so\.\d|ld-linux-\w+(-\w+)*\.so\.\d)$")


def problems(file: Path, machine: str, glibc: int) -> list[str]:
    """Why `file` is not fit for every `machine` with glibc 2.`glibc`; empty where it is."""
    found = []
    if machine not in read("--file-header", file):
        found.append(f"{file.name} is not for {machine}")
    needed = re.findall(r"\(NEEDED\).*\[(.+)\]", read("--dynamic", file))
    found += [f"{file.name} needs {name}" for name in needed if not EVERYWHERE.match(name)]
    versions = {int(minor) for minor in re.findall(r"GLIBC_2\.(\d+)", read("--version-info", file))}
    found += [f"{file.name} needs glibc 2.{minor}" for minor in sorted(versions) if minor > glibc]
    others = set(re.findall(r"\b(?:GLIBCXX|CXXABI)_[0-9.]+|\bGCC_(?:[89]|\d\d)[0-9.]*", read("--version-info", file)))
    found += [f"{file.name} needs {name}" for name in sorted(others)]
    # Every library that it names gives its symbols a version; only Python's come from the program itself.
    undefined = re.findall(r"GLOBAL\s+DEFAULT\s+UND (\S+)$", read("--dyn-syms", file), re.MULTILINE)
    return found + [
        f"{file.name} needs {name} of no library" for name in undefined if not name.startswith(("Py", "_Py"))
    ]


def is_static(file: Path) -> bool:
    """Whether an executable runs without any library of the system."""
    return "INTERP" not in read("--program-headers", file) and "(NEEDED)" not in read("--dynamic", file)


def read(what: str, file: Path) -> str:
    """readelf's words."""
    return subprocess.run(["readelf", "--wide", what, str(file)], capture_output=True, text=True, check=True).stdout
