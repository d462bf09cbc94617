"""The machines that NanoEdge is built for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """A kind of machine.

    Attributes:
        name: as `uname -m` says, but for 32-bit ARM.
        debian: dpkg's architecture.
        compiler: Debian's (cross) compiler, as its programs' names begin.
        zig: zig's target, which links modules for an old glibc; empty where there are no wheels.
        machine: what an ELF header says.
    """

    name: str
    debian: str
    compiler: str
    zig: str
    machine: str

    @property
    def wheel_platform(self) -> str:
        """The platform tag of its wheels."""
        return f"manylinux_2_{GLIBC}_{self.name}"

    @property
    def compiler_package(self) -> str:
        """The Debian package of its (cross) compiler."""
        return f"g++-{self.compiler.replace('_', '-')}"


GLIBC = 28  # 2.28: Debian 10, Raspberry Pi OS of 2019, Ubuntu 20.04 and all newer ones
PYTHONS = ("3.11", "3.12", "3.13")
TARGETS = {
    target.name: target
    for target in (
        Target("aarch64", "arm64", "aarch64-linux-gnu", f"aarch64-linux-gnu.2.{GLIBC}", "AArch64"),
        Target("armv7", "armhf", "arm-linux-gnueabihf", "", "ARM"),
        Target("x86_64", "amd64", "x86_64-linux-gnu", f"x86_64-linux-gnu.2.{GLIBC}", "Advanced Micro Devices X86-64"),
    )
}
