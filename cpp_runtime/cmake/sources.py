"""Fetches the sources that the C++ core is built from: pinned, checked by sha256, kept in a cache.

    python sources.py NAME          prints the folder that holds the unpacked source
    python sources.py --all DIR     puts every archive into DIR, for building without a network

Archives are looked for in the folder that NANOEDGE_SOURCES names, then in the cache, then on the package index that pip
is set up for. The cache is NANOEDGE_CACHE, else XDG_CACHE_HOME/nanoedge, else ~/.cache/nanoedge.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Source:
    """A pinned archive on the Python package index.

    Attributes:
        requirement: package and version.
        archive: the archive's file name.
        sha256: of the archive.
        folder: the wanted folder inside it.
        binary: whether the archive is a wheel.
    """

    requirement: str
    archive: str
    sha256: str
    folder: str
    binary: bool = False


SOURCES = {
    "ncnn": Source(
        "ncnn==1.0.20261020",
        "ncnn-1.0.20261020.tar.gz",
        "ad8cdd63e9755cfa8e23b9b6d9ce46156077d80298a89e7c3ba325ffccfca200",
        "ncnn-1.0.20261020",
    ),
    "nlohmann-json": Source(
        "nlohmann-json==3.12.0",
        "nlohmann_json-3.12.0-py3-none-any.whl",
        "5f6132720fb25d0d70bf0742f8397b49a540dcc193e7312a914f6aa49f054810",
        "nlohmann_json/include",
        binary=True,
    ),
    # libjpeg-turbo, libspng with zlib, and Catch2 travel inside the source distributions of Python packages.
    "libjpeg-turbo": Source(
        "simplejpeg==1.9.0",
        "simplejpeg-1.9.0.tar.gz",
        "5ac7d9489eeb812c2e7ea5c283994a29d9fefdfe5ed7b86c09d485e0dd366689",
        "simplejpeg-1.9.0/lib/libjpeg-turbo-3.1.2",
    ),
    "libspng": Source(
        "pyspng==0.1.4",
        "pyspng-0.1.4.tar.gz",
        "c715f97caf46c7d2fe1cd473114e36c7bba7d9a4ef6575b46e0e53de9354759a",
        "pyspng-0.1.4/vendor",
    ),
    "catch2": Source(
        "highspy==1.15.1",
        "highspy-1.15.1.tar.gz",
        "20ed2fbf1cb64bf3044ee6632364b7e2653d93e6901e2b19fd3d5df10702e8c5",
        "highspy-1.15.1/extern/catch",
    ),
}


def main() -> None:
    """Print a source's folder, or collect all archives."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", choices=sorted(SOURCES))
    parser.add_argument("--all", type=Path, metavar="DIR")
    arguments = parser.parse_args()
    if arguments.all is not None:
        arguments.all.mkdir(parents=True, exist_ok=True)
        for source in SOURCES.values():
            shutil.copy(archive_of(source), arguments.all / source.archive)
            print(arguments.all / source.archive)
    elif arguments.name:
        print(unpacked(SOURCES[arguments.name]).as_posix())
    else:
        parser.error("name a source, or give --all DIR")


def cache_folder() -> Path:
    """Where archives and built libraries are kept."""
    if named := os.environ.get("NANOEDGE_CACHE"):
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "nanoedge"


def unpacked(source: Source) -> Path:
    """The source's folder in the cache; it appears whole or not at all."""
    place = cache_folder() / "sources" / f"{source.archive}-{source.sha256[:8]}"
    if not place.is_dir():
        archive = archive_of(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent) as work:
            target = Path(work) / "content"
            if archive.suffix == ".whl":
                with zipfile.ZipFile(archive) as wheel:
                    wheel.extractall(target)
            else:
                with tarfile.open(archive) as tar:
                    tar.extractall(target, filter="data")
            try:
                target.rename(place)
            except OSError:
                if not place.is_dir():  # another build was quicker
                    raise
    return place / source.folder


def archive_of(source: Source) -> Path:
    """The archive, checked."""
    if offline := os.environ.get("NANOEDGE_SOURCES"):
        given = Path(offline) / source.archive
        if given.is_file():
            return checked(given, source)
    place = cache_folder() / "archives" / source.archive
    if not place.is_file():
        download(source, place)
    return checked(place, source)


def checked(archive: Path, source: Source) -> Path:
    """The archive itself, if its sha256 is the pinned one."""
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != source.sha256:
        sys.exit(f"{archive} has the sha256 {found}, not {source.sha256}; delete it and build again.")
    return archive


def download(source: Source, place: Path) -> None:
    """From the package index that pip is set up for; nothing of the package is run."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent) as work:
        kind = "--only-binary" if source.binary else "--no-binary"
        command = [sys.executable, "-m", "unearth", source.requirement, kind, "--download", work]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        found = Path(work) / source.archive
        if done.returncode or not found.is_file():
            last = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
            sys.exit(
                f"{source.archive} cannot be had ({last}). With a network: pip install unearth. Without one: put the "
                "archives (python cpp_runtime/cmake/sources.py --all DIR where there is one) into a folder and set "
                "NANOEDGE_SOURCES to it."
            )
        found.rename(place)


if __name__ == "__main__":
    main()
