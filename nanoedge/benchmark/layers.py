"""`nanoedge benchmark --layers`: where our own engine spends its time, and how near it comes to what the CPU can do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nanoedge.benchmark.combinations import default_frame, precisions_of
from nanoedge.benchmark.latency import PERCENTILES, WARM_UP
from nanoedge.bundle import FilePrecision, load_bundle
from nanoedge.errors import InputError
from nanoedge.machine import machine
from nanoedge.pictures import Picture, read_picture
from nanoedge.runtime.native import kind_of, load_native
from nanoedge.runtime.preprocess import to_input_size

if TYPE_CHECKING:
    from nanoedge._runtime import NativeNetwork, NativeStep

Seconds = npt.NDArray[np.float64]


def benchmark_layers(
    bundle: Path,
    threads: Sequence[int | None] = (None,),
    picture: Path | None = None,
    rounds: int = 100,
    precisions: Sequence[FilePrecision] = (),
) -> dict[str, Any]:
    """Time every layer of each model that a bundle has for our own engine.

    Args:
        bundle: its folder.
        threads: numbers of threads; `None` stands for what a detector takes by itself.
        picture: the input; `None` takes the bundle's sample.
        rounds: counted rounds after 5 that are not.
        precisions: of the bundle's files; empty: all that it has.

    Returns:
        `{"machine", "rows"}`, one row for each precision and number of threads, float first. A row has `engine`,
        `precision`, `threads`, `kernels`, `peak` (multiply-adds a second by the inputs' element), `total`, `layers` and
        `kinds`. Times are p50, p90 and p99 in milliseconds, `share` is of the sum of the layers' p50, `rate` and
        `byte_rate` are a second at p50, `peak_share` is `rate` by the peak, null where nothing is multiplied.

    Raises:
        InputError: when there are no rounds, or the bundle has no such model for our engine.
    """
    loaded = load_bundle(bundle)
    if rounds < 1:
        raise InputError(f"The number of rounds must be at least 1, not {rounds}.")
    offered = {(entry.engine, entry.precision) for entry in loaded.manifest.engines}
    wanted = precisions_of(precisions)
    found = [precision for precision in wanted if ("native", precision) in offered]
    if not found:
        loaded.entry("native", wanted[0])  # says what the bundle has
    frame = default_frame(loaded) if picture is None else read_picture(picture)
    pixels, _ = to_input_size(frame, loaded.manifest.input)
    rows = []
    for precision in found:
        for count in threads:
            network = load_native(loaded, precision, threads=count)
            rows.append({"engine": "native", "precision": precision, **_measured(network, pixels, rounds)})
    return {"machine": machine(), "rows": rows}


def _measured(network: NativeNetwork, pixels: Picture, rounds: int) -> dict[str, Any]:
    steps = network.steps
    peak = {element: network.peak(element) for element in sorted({step["input_element"] for step in steps})}
    network.times(pixels, WARM_UP)
    seconds = network.times(pixels, rounds)
    whole = float(np.median(seconds, axis=0).sum())
    kinds: dict[str, list[int]] = {}
    for number, step in enumerate(steps):
        kinds.setdefault(kind_of(step), []).append(number)
    by_kind = [
        {"kind": kind, "count": len(numbers), **_figures([steps[n] for n in numbers], seconds[:, numbers], whole, peak)}
        for kind, numbers in kinds.items()
    ]
    by_layer = []
    for number, step in enumerate(steps):
        described = {"layer": step["name"], "map": step["output"], "kind": kind_of(step), "output": list(step["shape"])}
        by_layer.append({**described, **_figures([step], seconds[:, [number]], whole, peak)})
    return {
        "threads": network.threads,
        "kernels": network.kernels,
        "peak": {element: round(rate) for element, rate in peak.items()},
        "total": _percentiles(seconds.sum(axis=1)),
        "layers": by_layer,
        "kinds": sorted(by_kind, key=lambda kind: -kind["share"]),
    }


def _figures(steps: Sequence[NativeStep], seconds: Seconds, whole: float, peak: dict[str, float]) -> dict[str, Any]:
    """Of some steps together; `seconds` is [rounds, steps]."""
    median = float(np.median(seconds, axis=0).sum())
    multiply_adds = sum(step["multiply_adds"] for step in steps)
    moved = {what: sum(step[what] for step in steps) for what in ("read", "written", "weights")}
    at_peak = sum(step["multiply_adds"] / peak[step["input_element"]] for step in steps)
    return {
        "time": _percentiles(seconds.sum(axis=1)),
        "share": round(median / whole, 6),
        "multiply_adds": multiply_adds,
        "rate": round(multiply_adds / median),
        "peak_share": round(at_peak / median, 4) if multiply_adds else None,
        "bytes": moved,
        "byte_rate": round(sum(moved.values()) / median),
    }


def _percentiles(seconds: Seconds) -> dict[str, float]:
    return {f"p{share}": round(1e3 * float(np.percentile(seconds, share)), 6) for share in PERCENTILES}


def tables_of(row: dict[str, Any]) -> tuple[list[list[str]], list[list[str]]]:
    """A row as two tables of text, headings first: of the layers in running order, of the kinds by their time."""
    figures = ["ms", "share", "MMAC", "GMAC/s", "of peak", "KB", "GB/s"]
    layers = [["layer", "kind", "output", *figures]]
    for layer in row["layers"]:
        layers.append([layer["layer"], layer["kind"], "x".join(map(str, layer["output"])), *_cells(layer)])
    kinds = [["kind", "count", *figures]]
    kinds += [[kind["kind"], str(kind["count"]), *_cells(kind)] for kind in row["kinds"]]
    return layers, kinds


def _cells(of: dict[str, Any]) -> list[str]:
    multiplied = of["peak_share"] is not None
    return [
        f"{of['time']['p50']:.4f}",
        f"{100 * of['share']:.1f} %",
        f"{of['multiply_adds'] / 1e6:.2f}" if multiplied else "-",
        f"{of['rate'] / 1e9:.1f}" if multiplied else "-",
        f"{100 * of['peak_share']:.0f} %" if multiplied else "-",
        f"{sum(of['bytes'].values()) / 1e3:.0f}",
        f"{of['byte_rate'] / 1e9:.1f}",
    ]
