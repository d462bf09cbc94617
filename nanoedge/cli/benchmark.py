"""`nanoedge benchmark`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from nanoedge.cli.terminal import Terminal, command, table
from nanoedge.errors import InputError


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "benchmark")(benchmark)


def benchmark(
    terminal: Terminal,
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="a bundle's folder")],
    engine: Annotated[
        list[str] | None,
        typer.Option(
            metavar="E", help="engine; several times for several; default: all of the bundle's", show_default=False
        ),
    ] = None,
    precision: Annotated[
        list[str] | None,
        typer.Option(metavar="P", help="file: float or int8; may be given several times; default: all of the bundle's"),
    ] = None,
    compute: Annotated[
        list[str] | None, typer.Option(metavar="C", help="fp32 (the default), fp16 or bf16; may be given several times")
    ] = None,
    threads: Annotated[
        list[int] | None,
        typer.Option(metavar="N", help="CPU threads; may be given several times; default: all fast ones"),
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(help="the picture; default: the bundle's sample as one 640x480 frame")
    ] = None,
    rounds: Annotated[int, typer.Option(help="counted rounds")] = 100,
    layers: Annotated[
        bool, typer.Option("--layers", help="our own engine layer by layer: time, work, share of the measured peak")
    ] = False,
) -> None:
    """Time each stage of every combination of engine, precisions and threads, interleaved in one run.

    For example: nanoedge benchmark mine.nanoedge --threads 1, or with --layers for each layer of our own engine
    """
    from nanoedge.runtime.detector import PRECISIONS

    for name in precision or ():
        if name not in PRECISIONS:
            raise InputError(f"Unknown precision {name!r}; known: {', '.join(PRECISIONS)}.")
    if layers:
        _benchmark_layers(
            terminal, bundle, engine or (), precision or (), compute or (), threads or (None,), picture, rounds
        )
        return
    from nanoedge.benchmark.combinations import Wanted, run_benchmark
    from nanoedge.runtime.engines import COMPUTE_PRECISIONS

    for name in compute or ():
        if name not in COMPUTE_PRECISIONS:
            raise InputError(f"Unknown compute precision {name!r}; known: {', '.join(COMPUTE_PRECISIONS)}.")
    wanted = Wanted(
        engine or (),
        precision or (),  # type: ignore[arg-type]
        compute or ("fp32",),  # type: ignore[arg-type]
        threads or (None,),
        rounds,
    )
    result = run_benchmark(bundle, wanted, picture, terminal.say)
    rows = [["engine", "precision", "compute", "threads", *(f"{stage} ms" for stage in _STAGES), "total p90", "p99"]]
    for row in result["rows"]:
        stages = [f"{row[stage]['p50']:.2f}" for stage in _STAGES]
        tail = [f"{row['total'][share]:.2f}" for share in ("p90", "p99")]
        rows.append([row["engine"], row["precision"], row["compute"], str(row["threads"]), *stages, *tail])
    terminal.finish(result, f"{table(rows)}\n(medians of {rounds} rounds on {result['machine']})")


def _benchmark_layers(
    terminal: Terminal,
    bundle: Path,
    engines: Sequence[str],
    precisions: Sequence[str],
    computes: Sequence[str],
    threads: Sequence[int | None],
    picture: Path | None,
    rounds: int,
) -> None:
    from nanoedge.benchmark.layers import benchmark_layers, tables_of

    if set(engines) - {"native"} or set(computes) - {"fp32"}:
        raise InputError("--layers looks into NanoEdge's own engine alone: leave out --engine, or give native in fp32.")
    result = benchmark_layers(bundle, threads, picture, rounds, precisions)  # type: ignore[arg-type]
    parts = []
    for row in result["rows"]:
        peaks = ", ".join(f"{rate / 1e9:.1f} GMAC/s for {element}" for element, rate in row["peak"].items())
        named = f"native {row['precision']}, {row['kernels']}, {row['threads']} thread(s)"
        parts += [f"{named}: {row['total']['p50']:.2f} ms; measured peak: {peaks}", ""]
        for each in tables_of(row):
            parts += [table(each), ""]
    terminal.finish(result, "\n".join([*parts, f"(medians of {rounds} rounds on {result['machine']})"]))


_STAGES = ("preprocess", "forward", "postprocess", "total")
