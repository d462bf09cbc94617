"""Guesses how long our own engine takes on CPUs that are not here: python -m tools.cost_model [BUNDLE].

What the emulated program executes, by class (tools/instructions), is divided by what a core does at a time (cores.py,
cost.py). These are no measured times. --check compares the model with times on this CPU, where it is an AMD Zen.

Without a BUNDLE the published NanoDet-Plus-m 320 is taken, with an int8 file (NANOEDGE_SHARED).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tools.cost_model.check import by_kind, compare, error_of, is_known
from tools.cost_model.cores import CORES
from tools.cost_model.cost import together
from tools.cost_model.modelled import arithmetic, counted_layers, kinds_by_time, modelled_layers
from tools.cross.compile import BuildError
from tools.instructions.measure import plugin

ROUNDS = 100


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.cost_model", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle", type=Path, nargs="?", help="with models for our own engine")
    parser.add_argument("--core", action="append", choices=CORES, help="one; may be given again; default: all")
    parser.add_argument("--precision", action="append", choices=["float", "int8"], help="default: both")
    parser.add_argument("--layers", action="store_true", help="each layer, in place of kinds of layers")
    parser.add_argument("--check", action="store_true", help="compare with times on this CPU")
    arguments = parser.parse_args()
    if arguments.bundle is not None:
        run(arguments, arguments.bundle)
        return
    from tools.results.engine.networks import BASE, network_bundle

    with tempfile.TemporaryDirectory() as folder:
        run(arguments, network_bundle(Path(folder), BASE, "native").bundle)


def run(arguments: argparse.Namespace, bundle: Path) -> None:
    """Tables for each precision and core, or the comparison."""
    try:
        plugin()
        for precision in arguments.precision or ("float", "int8"):
            if arguments.check:
                print_check(bundle, precision)
                continue
            for name in arguments.core or CORES:
                print_modelled(bundle, precision, name, arguments.layers)
    except BuildError as error:
        sys.exit(str(error))


def print_modelled(bundle: Path, precision: str, name: str, is_each: bool) -> None:
    """What the layers take on a core, and of what."""
    network = counted_layers(bundle, precision, name)
    layers = modelled_layers(network, name)
    whole = together([layer.cost for layer in layers]).milliseconds
    print(f"\nModelled, not measured: {CORES[name].title}, {precision}, kernels {network.kernels}: {whole:.2f} ms")
    print(f"{'layer':24} {'kind':16} {'ms':>8} {'share':>6}  million cycles")
    for layer in layers if is_each else kinds_by_time(layers):
        milliseconds = layer.cost.milliseconds
        print(
            f"{layer.name[-24:]:24} {layer.kind:16} {milliseconds:8.3f} {milliseconds / whole:6.1%}  "
            f"{arithmetic(layer.cost)}"
        )


def print_check(bundle: Path, precision: str) -> None:
    """Kinds of layers modelled and measured here."""
    if not is_known():
        sys.exit("The model has no numbers of this CPU: only AMD's Zen of the first generation can be checked.")
    layers = compare(bundle, precision, ROUNDS)
    print(f"\n{precision}: {'kind':16} {'layers':>10} {'measured ms':>12} {'modelled ms':>12} {'ratio':>6}")
    for kind in by_kind(layers):
        print(f"{'':7} {kind.kind:16} {kind.name:>10} {kind.measured:12.3f} {kind.modelled:12.3f} {kind.ratio:6.2f}")
    error = error_of(layers)
    print(
        f"modelled to measured: all {error.total:.2f}, median of the layers {error.median:.2f}, "
        f"{error.within_a_third:.0%} of them from 0.75 to 1.33, worst {error.worst:.2f}"
    )


if __name__ == "__main__":
    main()
