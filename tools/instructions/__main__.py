"""Prints how many instructions a 640x480 frame takes: make arm-count, or python -m tools.instructions [BUNDLE].

The executables run under QEMU's user-mode emulation with a plugin that counts, so the numbers are the same on every
machine and in every run. They say nothing of caches and of how many instructions a CPU executes at a time. Without a
BUNDLE the published NanoDet-Plus-m 320 is counted (NANOEDGE_SHARED).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tools.cross.compile import BuildError
from tools.cross.emulation import CPUS
from tools.cross.targets import TARGETS
from tools.instructions.measure import STAGES, count, plugin, stages_program


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.instructions", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle", type=Path, nargs="?")
    parser.add_argument("--cpu", action="append", choices=CPUS, help="one CPU; may be given again; default: all")
    parser.add_argument("--compute", default="fp32", choices=["fp32", "fp16", "bf16"])
    parser.add_argument("--engine", default="ncnn", choices=["ncnn", "native"])
    parser.add_argument("--precision", default="float", choices=["float", "int8"], help="of the bundle's file")
    arguments = parser.parse_args()
    options = ["--compute", arguments.compute, "--engine", arguments.engine, "--precision", arguments.precision]
    try:
        if arguments.bundle is not None:
            print_counts(arguments.bundle, arguments.cpu or list(CPUS), options)
        else:
            from tools.results.bundles import published_bundle

            with tempfile.TemporaryDirectory() as folder:
                print_counts(published_bundle(Path(folder)), arguments.cpu or list(CPUS), options)
    except BuildError as error:
        sys.exit(str(error))


def print_counts(bundle: Path, cpus: list[str], options: list[str]) -> None:
    """A table: each CPU's stages."""
    plugin()
    print(f"{'CPU':12} {'stage':12} {'instructions':>14} {'reads':>13} {'writes':>13}  share")
    for cpu in cpus:
        target = TARGETS[CPUS[cpu]]
        program = stages_program(target)
        counts = {stage: count(target, cpu, program, bundle, stage, *options) for stage in STAGES}
        whole = sum(each.instructions for each in counts.values())
        for stage, each in counts.items():
            print(
                f"{cpu:12} {stage:12} {each.instructions:14,} {each.reads:13,} {each.writes:13,}  "
                f"{each.instructions / whole:.2%}"
            )


if __name__ == "__main__":
    main()
