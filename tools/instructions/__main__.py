"""Prints what a 640x480 frame executes: make arm-count, or python -m tools.instructions [BUNDLE].

The executables run under QEMU's user-mode emulation with a plugin that counts, so the numbers are the same on every
machine and in every run. They say nothing of how many instructions a CPU executes at a time: tools/cost_model guesses
that. Without a BUNDLE the published NanoDet-Plus-m 320 is counted (NANOEDGE_SHARED).

--classes adds micro-operations by class, --layers counts our own engine layer by layer, or by kinds of layers.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tools.cross.compile import BuildError
from tools.cross.emulation import CPUS
from tools.cross.targets import TARGETS
from tools.instructions.layers import count_layers, kinds_of
from tools.instructions.measure import STAGES, WHOLE_FRAME, Count, count, plugin, stages_program


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
    parser.add_argument("--classes", action="store_true", help="micro-operations by class")
    parser.add_argument("--layers", choices=["each", "kinds"], help="our own engine, layer by layer or by their kinds")
    arguments = parser.parse_args()
    if arguments.bundle is not None:
        run(arguments, arguments.bundle)
        return
    from tools.results.bundles import published_bundle

    with tempfile.TemporaryDirectory() as folder:
        run(arguments, published_bundle(Path(folder)))


def run(arguments: argparse.Namespace, bundle: Path) -> None:
    """A table for each CPU."""
    cpus = arguments.cpu or list(CPUS)
    try:
        plugin()
        if arguments.layers:
            for cpu in cpus:
                print_layers(bundle, cpu, arguments.precision, arguments.layers == "each", arguments.classes)
        else:
            options = ["--compute", arguments.compute, "--engine", arguments.engine]
            print_stages(bundle, cpus, [*options, "--precision", arguments.precision], arguments.classes)
    except BuildError as error:
        sys.exit(str(error))


def print_stages(bundle: Path, cpus: Sequence[str], options: Sequence[str], with_classes: bool) -> None:
    """Each CPU's stages and the whole frame, in which a stage may cost less than alone."""
    print(f"{'CPU':12} {'stage':12} {'instructions':>14} {'reads':>13} {'writes':>13}  of the frame")
    for cpu in cpus:
        target = TARGETS[CPUS[cpu]]
        program = stages_program(target)
        counts = {stage: count(target, cpu, program, bundle, stage, *options) for stage in (*STAGES, WHOLE_FRAME)}
        whole = counts[WHOLE_FRAME].instructions
        for stage, each in counts.items():
            print(
                f"{cpu:12} {stage:12} {each.instructions:14,} {each.reads:13,} {each.writes:13,}  "
                f"{each.instructions / whole:.2%}"
            )
        if with_classes:
            print(f"{'':12} {words_of(counts[WHOLE_FRAME])}")


def print_layers(bundle: Path, cpu: str, precision: str, is_each: bool, with_classes: bool) -> None:
    """The layers of our own engine on a CPU, in running order, or kinds of them by what they execute."""
    target = TARGETS[CPUS[cpu]]
    network = count_layers(target, cpu, stages_program(target), bundle, precision)
    layers = list(network.layers) if is_each else kinds_of(network.layers)
    whole = sum(layer.count.instructions for layer in layers)
    print(f"{cpu}, {precision}, kernels {network.kernels}: {whole:,} instructions")
    print(f"{'layer':40} {'kind':16} {'output':12} {'instructions':>13} {'share':>6} {'MMAC':>7} {'MAC/instr.':>10}")
    for layer in layers:
        instructions = layer.count.instructions
        print(
            f"{layer.name[-40:]:40} {layer.kind:16} {layer.output:12} {instructions:13,} {instructions / whole:6.1%} "
            f"{layer.multiply_adds / 1e6:7.2f} {layer.multiply_adds / instructions:10.2f}"
        )
        if with_classes:
            print(f"{'':40} {words_of(layer.count)}")


def words_of(counted: Count) -> str:
    """Classes as text, the largest first."""
    ordered = sorted(counted.classes.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {value:,}" for name, value in ordered)


if __name__ == "__main__":
    main()
