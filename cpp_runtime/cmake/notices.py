"""What others made and a build holds: their notices, and the bill of materials in CycloneDX.

    python notices.py module|executables FOLDER [--version X.Y.Z] [--without-ncnn] [--cxx] [--c] [--architecture NAME]

writes THIRD_PARTY_NOTICES.txt and nanoedge.cdx.json into FOLDER.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import re
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path

import sources


@dataclass(frozen=True)
class Component:
    """A library inside a build.

    Attributes:
        name, version: as its makers say.
        licence: an SPDX expression.
        purpose: what NanoEdge uses it for.
        text: its notice, in full.
        purl: a package URL.
        sha256: of the archive that it comes from; empty where it comes with the compiler.
    """

    name: str
    version: str
    licence: str
    purpose: str
    text: str
    purl: str
    sha256: str = ""


@dataclass(frozen=True)
class Pinned:
    """A component in an archive that sources.py pins.

    Attributes:
        archive: its name there.
        notice: a pattern of its notice's place below the unpacked archive; its folder's name holds the version.
    """

    archive: str
    notice: str
    name: str
    licence: str
    purpose: str
    package: str


JPEG_GROUP = "This software is based in part on the work of the Independent JPEG Group"
NCNN = Pinned("ncnn", "ncnn-*/LICENSE.txt", "ncnn", "BSD-3-Clause", "runs the network", "pypi/ncnn")
PICTURES = (
    Pinned(
        "libjpeg-turbo",
        "*/lib/libjpeg-turbo-*/LICENSE.md",
        "libjpeg-turbo",
        "IJG AND BSD-3-Clause AND Zlib",
        f"reads and writes JPEG. {JPEG_GROUP}",
        "generic/libjpeg-turbo",
    ),
    Pinned(
        "libspng", "*/vendor/libspng-*/LICENSE", "libspng", "BSD-2-Clause", "reads and writes PNG", "generic/libspng"
    ),
    Pinned("libspng", "*/vendor/zlib-*/zlib.h", "zlib", "Zlib", "PNG's compression", "generic/zlib"),
)
RELINK = (
    "Linked statically. Its source is Debian's source package of this version. To put another version in its place, "
    "build NanoEdge again with it: python -m tools.cross, or cmake with NANOEDGE_STATIC=ON."
)


def from_archive(pinned: Pinned) -> Component:
    """Read the notice and the version."""
    source = sources.SOURCES[pinned.archive]
    root = Path(str(sources.unpacked(source)).removesuffix(source.folder))
    file = next(iter(sorted(root.glob(pinned.notice))))
    folders = (re.search(r"-(\d[\d.]*\d)", name) for name in reversed(file.relative_to(root).parts))
    version = next(found[1] for found in folders if found)
    text = file.read_text()
    if file.suffix == ".h":  # the notice is its first comment
        text = text[text.index("/*") + 2 : text.index("*/")]
    return Component(
        pinned.name,
        version,
        pinned.licence,
        pinned.purpose,
        text,
        f"pkg:{pinned.package}@{version}",
        source.sha256,
    )


def json_library() -> Component:
    """The notice in its package is the packager's: its makers stand in its headers."""
    source = sources.SOURCES["nlohmann-json"]
    include = sources.unpacked(source)
    version = source.requirement.partition("==")[2]
    makers: dict[str, None] = {}
    for header in sorted(include.rglob("*.hpp")):
        makers.update(dict.fromkeys(re.findall(r"SPDX-FileCopyrightText: (.+)", header.read_text())))
    terms = next(include.parent.parent.glob("*.dist-info/licenses/LICENSE")).read_text()
    text = "MIT License\n\n" + "".join(f"Copyright (c) {maker}\n" for maker in makers)
    text += "\n" + terms[terms.index("Permission is hereby granted") :]
    purl = f"pkg:pypi/nlohmann-json@{version}"
    return Component("nlohmann/json", version, "MIT", "reads manifests", text, purl, source.sha256)


def pybind11() -> Component:
    """From the package that the build uses."""
    package = importlib.metadata.distribution("pybind11")
    notice = next(file for file in package.files or [] if file.name == "LICENSE")
    purl = f"pkg:pypi/pybind11@{package.version}"
    return Component("pybind11", package.version, "BSD-3-Clause", "joins C++ and Python", notice.read_text(), purl)


def from_debian(package: str, architecture: str, name: str, licence: str, texts: list[str]) -> Component:
    """A library of Debian's compiler for `architecture` (empty: this machine's), as its package describes it."""
    for installed in (f"{package}-{architecture}-cross", package):
        command = ["dpkg-query", "--show", "--showformat=${Version}", installed]
        try:
            asked = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError:
            break
        notice = Path("/usr/share/doc") / installed / "copyright"
        if asked.returncode == 0 and asked.stdout and notice.is_file():
            version = asked.stdout.strip()
            shared = [Path("/usr/share/common-licenses") / text for text in texts]
            parts = [RELINK, notice.read_text(errors="replace"), *(text.read_text() for text in shared)]
            purl = f"pkg:deb/debian/{installed}@{version}"
            return Component(name, version, licence, "the language's library", "\n\n".join(parts), purl)
    sys.exit(f"The notice of the {name} is missing, which is linked in: Debian's package {package} is not installed.")


def components_of(kind: str, *, ncnn: bool, c: bool, cxx: bool, architecture: str) -> list[Component]:
    """All that a module or the executables hold; `c` and `cxx`: those languages' libraries too."""
    found = [from_archive(NCNN)] if ncnn else []
    found.append(json_library())
    found += [pybind11()] if kind == "module" else [from_archive(pinned) for pinned in PICTURES]
    if cxx:
        licence = "GPL-3.0-or-later WITH GCC-exception-3.1"
        found.append(from_debian("libstdc++6", architecture, "GNU C++ library", licence, ["GPL-3"]))
    if c:
        found.append(from_debian("libc6", architecture, "GNU C library", "LGPL-2.1-or-later", ["LGPL-2.1"]))
    return found


def notices(components: list[Component]) -> str:
    """All of them as one text."""
    own_threads = "The loops of ncnn run on NanoEdge's own threads; no" if _has_ncnn(components) else "No"
    listed = "\n".join(f"- {each.name} {each.version} ({each.licence}): {each.purpose}" for each in components)
    parts = [
        f"NanoEdge holds software that others made. What it is, and their terms:\n\n{listed}\n\n"
        f"{own_threads} OpenMP runtime is inside. OpenVINO is not inside.\n"
    ]
    parts += [f"{'=' * 80}\n{each.name} {each.version}\n{'=' * 80}\n\n{each.text.strip()}\n" for each in components]
    return "\n".join(parts)


def _has_ncnn(components: list[Component]) -> bool:
    return any(each.name == NCNN.name for each in components)


def bill_of_materials(components: list[Component], version: str) -> str:
    """CycloneDX 1.6 as JSON. Equal builds give equal bytes."""
    main = {"type": "application", "bom-ref": "nanoedge", "name": "nanoedge", "version": version}
    listed = [
        {
            "type": "library",
            "bom-ref": each.purl,
            "name": each.name,
            "version": each.version,
            "description": each.purpose,
            "licenses": [{"expression": each.licence}],
            "purl": each.purl,
            **({"hashes": [{"alg": "SHA-256", "content": each.sha256}]} if each.sha256 else {}),
        }
        for each in components
    ]
    content = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": main},
        "components": listed,
        "dependencies": [{"ref": "nanoedge", "dependsOn": [each.purl for each in components]}],
    }
    number = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(content))
    return json.dumps({**content, "serialNumber": f"urn:uuid:{number}"}, indent=1) + "\n"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["module", "executables"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--version", default="0", help="NanoEdge's")
    parser.add_argument("--without-ncnn", action="store_true", help="built with NANOEDGE_NCNN=OFF")
    parser.add_argument("--cxx", action="store_true", help="the C++ library is linked in")
    parser.add_argument("--c", action="store_true", help="the C library too")
    parser.add_argument("--architecture", default="", help="dpkg's name of the machine that it is built for")
    given = parser.parse_args()
    components = components_of(
        given.kind, ncnn=not given.without_ncnn, c=given.c, cxx=given.cxx, architecture=given.architecture
    )
    given.folder.mkdir(parents=True, exist_ok=True)
    (given.folder / "THIRD_PARTY_NOTICES.txt").write_text(notices(components))
    (given.folder / "nanoedge.cdx.json").write_text(bill_of_materials(components, given.version))


if __name__ == "__main__":
    main()
