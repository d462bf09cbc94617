"""Debian packages of any release and architecture, unpacked into a folder, without root or a change to this system.

Packages come from the mirror that this machine's apt is set up for, their signatures checked by apt.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

RELEASES = ("bullseye", "bookworm", "trixie", "forky", "sid", "stable", "testing")
KEYS = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


class FetchError(Exception):
    """Packages cannot be had; the message says why and what to do."""


def mirror() -> str:
    """The Debian mirror in this machine's apt sources."""
    if shutil.which("apt-get") is None:
        raise FetchError("This needs apt, of Debian or a system made from it.")
    listed = run("apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages")
    for line in listed.splitlines():
        address, release, component = line.split()
        if release in RELEASES and component == "main":
            return address
    raise FetchError("This machine's apt has no Debian mirror (a source with the component main of a Debian release).")


class PackageTree:
    """A folder with apt's own state and, below `root`, unpacked packages."""

    def __init__(self, folder: Path, release: str, architecture: str, address: str = "", keys: Path = KEYS) -> None:
        """A tree of `release` for dpkg's `architecture`; from Debian's mirror, or from `address` signed by `keys`."""
        self.folder = folder.resolve()
        self.root = self.folder / "root"
        self.architecture = architecture
        for part in ("root", "lists/partial", "archives/partial", "etc"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        (self.folder / "status").touch()
        (self.folder / "sources.list").write_text(f"deb [signed-by={keys}] {address or mirror()} {release} main\n")

    def unpack(self, *packages: str, dependencies: bool = False) -> Path:
        """Fetch and unpack the packages, on request with all that they depend on; gives the root of the tree."""
        self.apt("update", "-qq")
        if dependencies:
            self.apt("install", "-qq", "--yes", "--download-only", "--no-install-recommends", *packages)
            archives = sorted((self.folder / "archives").glob("*.deb"))
        else:
            self.apt("download", "-qq", *packages, cwd=self.folder / "archives")
            archives = [
                found for name in packages for found in sorted((self.folder / "archives").glob(f"{name}_*.deb"))
            ]
        for archive in archives:
            run("dpkg-deb", "--extract", str(archive), str(self.root))
        return self.root

    def apt(self, *words: str, cwd: Path | None = None) -> None:
        """Run apt-get on this tree's own state."""
        settings = {
            "Dir::Etc::sourcelist": self.folder / "sources.list",
            "Dir::Etc::sourceparts": "-",
            "Dir::State::status": self.folder / "status",
            "Dir::State::lists": self.folder / "lists",
            "Dir::Cache::archives": self.folder / "archives",
            "Dir::Cache::pkgcache": "",
            "Dir::Cache::srcpkgcache": "",
            "APT::Architecture": self.architecture,
            "APT::Architectures": self.architecture,
            "APT::Sandbox::User": "",
            "Debug::NoLocking": "true",
        }
        options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
        run("apt-get", *options, *words, cwd=cwd)


def run(*command: str, cwd: Path | None = None) -> str:
    """A command's output; its last line of errors is the reason when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise FetchError(f"{command[0]} failed: {last}")
    return done.stdout
