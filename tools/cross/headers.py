"""Python's C headers for a version and an architecture that this machine need not have.

Debian ships 3.11 and 3.13; 3.12 is in Ubuntu 24.04, whose mirror and keys Debian's packages debootstrap and
ubuntu-keyring name. Where a version cannot be fetched, NANOEDGE_PYTHON_HEADERS names folders that hold
python3.12/Python.h and the like (an include folder of any installation of that version).
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

from cpp_runtime.cmake.sources import cache_folder

from tools.cross.debian import FetchError, PackageTree

DEBIAN = {"3.11": "bookworm", "3.13": "trixie"}
UBUNTU = {"3.12": "noble"}


def python_headers(version: str, architecture: str) -> Path:
    """A folder with Python.h and pyconfig.h of Python `version` for dpkg's `architecture`. Raises FetchError."""
    for folder in filter(None, os.environ.get("NANOEDGE_PYTHON_HEADERS", "").split(os.pathsep)):
        if (Path(folder) / f"python{version}" / "Python.h").is_file():
            return Path(folder) / f"python{version}"
    place = cache_folder() / "python-headers" / f"{version}-{architecture}"
    if not place.is_dir():
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent) as work:
            include = fetch(version, architecture, Path(work)) / "usr" / "include"
            found = include / f"python{version}"
            for config in include.glob(f"*/python{version}/pyconfig.h"):
                shutil.copy(config, found / "pyconfig.h")  # in place of the one that asks for the architecture
            found.rename(place)
    return place


def fetch(version: str, architecture: str, work: Path) -> Path:
    """The root of a tree with the package libpythonX.Y-dev."""
    package = f"libpython{version}-dev"
    if version in DEBIAN:
        return PackageTree(work / "debian", DEBIAN[version], architecture).unpack(package)
    if version not in UBUNTU:
        raise FetchError(f"Where Python {version}'s headers come from is not known; set NANOEDGE_PYTHON_HEADERS.")
    # Ubuntu keeps amd64 and the other architectures apart. The headers are the same for all with 64 bits, which
    # bindings/headers_fit.cpp checks.
    helpers = PackageTree(work / "helpers", "trixie", "amd64").unpack("debootstrap", "ubuntu-keyring")
    script = (helpers / "usr/share/debootstrap/scripts" / UBUNTU[version]).read_text()
    address = re.search(r"default_mirror (http\S+)", script)
    if address is None:
        raise FetchError(f"debootstrap names no mirror of Ubuntu's {UBUNTU[version]}.")
    keys = helpers / "usr/share/keyrings/ubuntu-archive-keyring.gpg"
    return PackageTree(work / "ubuntu", UBUNTU[version], "amd64", address[1], keys).unpack(package)
