"""What others made and a build holds: their notices, and the bill of materials in CycloneDX.

    python components.py module|executables FOLDER [--static] [--version X.Y.Z]

writes THIRD_PARTY_NOTICES.txt and nanoedge.cdx.json into FOLDER.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
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


def module_components() -> list[Component]:
    """Of the Python module."""
    return [ncnn(), json_library(), pybind11(), *runtime_of_zig()]


def executable_components(static: bool) -> list[Component]:
    """Of nanoedge-detect and nanoedge-bench; the C library too where they are static."""
    return [ncnn(), json_library(), jpeg(), png(), zlib(), *(runtime_of_gcc() if static else [])]


def of_source(archive: str, file: str, **about: str) -> Component:
    """A component that sources.py pins; its notice is `file` below the unpacked archive."""
    source = sources.SOURCES[archive]
    folder = Path(str(sources.unpacked(source)).removesuffix(source.folder))
    return Component(text=(folder / file).read_text(), sha256=source.sha256, **about)


def ncnn() -> Component:
    version = sources.SOURCES["ncnn"].requirement.partition("==")[2]
    return of_source(
        "ncnn",
        f"ncnn-{version}/LICENSE.txt",
        name="ncnn",
        version=version,
        licence="BSD-3-Clause",
        purpose="runs the network",
        purl=f"pkg:pypi/ncnn@{version}",
    )


def json_library() -> Component:
    version = sources.SOURCES["nlohmann-json"].requirement.partition("==")[2]
    return of_source(
        "nlohmann-json",
        f"nlohmann_json-{version}.dist-info/licenses/LICENSE",
        name="nlohmann/json",
        version=version,
        licence="MIT",
        purpose="reads manifests",
        purl=f"pkg:pypi/nlohmann-json@{version}",
    )


def pybind11() -> Component:
    package = importlib.metadata.distribution("pybind11")
    licence = next(file for file in package.files or [] if file.name == "LICENSE")
    return Component(
        name="pybind11",
        version=package.version,
        licence="BSD-3-Clause",
        purpose="joins C++ and Python",
        text=licence.read_text(),
        purl=f"pkg:pypi/pybind11@{package.version}",
    )


def jpeg() -> Component:
    folder = sources.SOURCES["libjpeg-turbo"].folder
    version = folder.rpartition("-")[2]
    return of_source(
        "libjpeg-turbo",
        f"{folder}/LICENSE.md",
        name="libjpeg-turbo",
        version=version,
        licence="IJG AND BSD-3-Clause AND Zlib",
        purpose="reads and writes JPEG. This software is based in part on the work of the Independent JPEG Group",
        purl=f"pkg:generic/libjpeg-turbo@{version}",
    )


def png() -> Component:
    vendor = sources.SOURCES["libspng"].folder
    found = next(sources.unpacked(sources.SOURCES["libspng"]).glob("libspng-*")).name
    return of_source(
        "libspng",
        f"{vendor}/{found}/LICENSE",
        name="libspng",
        version=found.rpartition("-")[2],
        licence="BSD-2-Clause",
        purpose="reads and writes PNG",
        purl=f"pkg:generic/libspng@{found.rpartition('-')[2]}",
    )


def zlib() -> Component:
    vendor = sources.SOURCES["libspng"].folder
    found = next(sources.unpacked(sources.SOURCES["libspng"]).glob("zlib-*")).name
    header = of_source(
        "libspng",
        f"{vendor}/{found}/zlib.h",
        name="zlib",
        version=found.rpartition("-")[2],
        licence="Zlib",
        purpose="PNG's compression",
        purl=f"pkg:generic/zlib@{found.rpartition('-')[2]}",
    )
    notice = header.text[header.text.index("/*") + 2 : header.text.index("*/")]
    return Component(**{**vars(header), "text": notice})


def runtime_of_zig() -> list[Component]:
    """The C++ library that zig links into a wheel's module; nothing where another compiler builds."""
    zig = os.environ.get("NANOEDGE_ZIG")
    if not zig:
        return []
    version = subprocess.run([zig, "version"], capture_output=True, text=True, check=True).stdout.strip()
    return [
        Component(
            name=f"LLVM {name}",
            version=f"of zig {version}",
            licence="Apache-2.0 WITH LLVM-exception",
            purpose="the C++ language's library",
            text=(Path(zig).parent / "lib" / name / "LICENSE.TXT").read_text(),
            purl=f"pkg:pypi/ziglang@{version}#lib/{name}",
        )
        for name in ("libcxx", "libcxxabi", "libunwind")
    ]


def runtime_of_gcc() -> list[Component]:
    """The C and C++ libraries inside static executables, as Debian's packages describe them."""
    found = []
    kinds = {
        "libc6": ("GNU C library", "LGPL-2.1-or-later", "the C language's library"),
        "libstdc++6": ("GNU C++ library and libgcc", "GPL-3.0-or-later WITH GCC-exception-3.1", "the C++ language's"),
    }
    compiler = os.environ.get("NANOEDGE_CROSS_ARCHITECTURE", "")
    for package, (name, licence, purpose) in kinds.items():
        installed = f"{package}-{compiler}-cross" if compiler else package
        asked = subprocess.run(
            ["dpkg-query", "--show", "--showformat=${Version}", installed], capture_output=True, text=True, check=False
        )
        notice = Path("/usr/share/doc") / installed / "copyright"
        if asked.returncode or not notice.is_file():
            sys.exit(f"The static executables need the notice of {name}: Debian's package {installed} is not installed.")
        text = notice.read_text(errors="replace")
        if package == "libc6":
            text += "\n" + Path("/usr/share/common-licenses/LGPL-2.1").read_text()
            text = (
                "Linked statically. Its source is Debian's source package glibc of this version. To put another version "
                "in its place, build NanoEdge again with it (python -m tools.cross, or cmake with NANOEDGE_STATIC=ON).\n\n"
            ) + text
        version = asked.stdout.strip()
        found.append(Component(name, version, licence, purpose, text, f"pkg:deb/debian/{installed}@{version}"))
    return found


def notices(components: list[Component]) -> str:
    """All of them as one text."""
    parts = [
        "NanoEdge holds software that others made. What it is, and their terms:\n\n"
        + "\n".join(f"- {each.name} {each.version} ({each.licence}): {each.purpose}" for each in components)
        + "\n\nThe loops of ncnn run on NanoEdge's own threads; no OpenMP runtime is inside. OpenVINO is not inside.\n"
    ]
    parts += [f"{'=' * 80}\n{each.name} {each.version}\n{'=' * 80}\n\n{each.text.strip()}\n" for each in components]
    return "\n".join(parts)


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


def write(kind: str, folder: Path, version: str, *, static: bool = False) -> None:
    """Both files into `folder`; `kind` is module or executables."""
    components = module_components() if kind == "module" else executable_components(static)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "THIRD_PARTY_NOTICES.txt").write_text(notices(components))
    (folder / "nanoedge.cdx.json").write_text(bill_of_materials(components, version))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["module", "executables"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--static", action="store_true", help="the executables hold the C library")
    parser.add_argument("--version", default="0", help="NanoEdge's")
    arguments = parser.parse_args()
    write(arguments.kind, arguments.folder, arguments.version, static=arguments.static)


if __name__ == "__main__":
    main()
