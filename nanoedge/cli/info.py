"""`nanoedge info`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nanoedge.cli.terminal import Terminal, command, table
from nanoedge.errors import InputError


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "info")(info)


def info(
    terminal: Terminal,
    bundle: Annotated[
        Path | None, typer.Argument(metavar="[BUNDLE]", help="a bundle's folder; none: about this installation")
    ] = None,
    verify: Annotated[bool, typer.Option("--verify", help="check size and hash of every file")] = False,
    cpu: Annotated[bool, typer.Option("--cpu", help="show this CPU's instructions and what is used of them")] = False,
) -> None:
    """Show what a bundle holds, which engines are installed, or what is used of this CPU."""
    if cpu:
        if bundle is not None or verify:
            raise InputError("--cpu is about this machine: give no BUNDLE and no --verify with it.")
        _about_cpu(terminal)
        return
    if bundle is None:
        if verify:
            raise InputError("--verify needs a BUNDLE.")
        _about_installation(terminal)
        return
    from nanoedge.bundle import load_bundle

    loaded = load_bundle(bundle)
    if verify:
        loaded.verify_all()
    manifest = loaded.manifest
    spec = manifest.input
    lines = [
        f"{manifest.name}: {len(manifest.classes)} classes, input {spec.width}x{spec.height} {spec.channels}, "
        f"{spec.resize}",
        "classes: " + ", ".join(manifest.classes),
        f"score > {manifest.postprocess.score_threshold}, NMS IoU {manifest.postprocess.nms_iou}, "
        f"at most {manifest.postprocess.max_detections} boxes",
        "made with: "
        + ", ".join(f"{name} {value}" for name, value in manifest.provenance.model_dump().items() if value),
        "",
        table(
            [["engine", "precision", "files", "bytes"]]
            + [
                [
                    entry.engine,
                    entry.precision,
                    ", ".join(entry.files),
                    f"{sum(manifest.files[name].size for name in entry.files):,}",
                ]
                for entry in manifest.engines
            ]
        ),
    ]
    if verify:
        lines.append(f"verified: {len(manifest.files)} files are as they were written")
    terminal.finish({"verified": verify, "manifest": manifest.model_dump(mode="json")}, "\n".join(lines))


def _about_installation(terminal: Terminal) -> None:
    import platform

    from nanoedge import __version__
    from nanoedge.config.documents import shipped_configs
    from nanoedge.runtime.load import ENGINES

    installed = {name: kind.is_installed() for name, kind in ENGINES.items()}
    configs = list(shipped_configs())
    document = {
        "nanoedge": __version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "engines": installed,
        "configs": configs,
    }
    engines = ", ".join(name if there else f"{name} (not installed)" for name, there in installed.items())
    terminal.finish(
        document,
        f"nanoedge {__version__}, Python {platform.python_version()}, {platform.machine()}\n"
        f"engines: {engines}\nconfigurations: {', '.join(configs)}",
    )


def _about_cpu(terminal: Terminal) -> None:
    import platform
    from dataclasses import asdict

    from nanoedge.runtime.cpu import cpu_features, cpu_name, detector_cpus, usable_cpus

    features, chosen = cpu_features(), detector_cpus()
    document = {
        "name": cpu_name(),
        "machine": platform.machine(),
        "cpus": usable_cpus(),
        "detector_cpus": list(chosen),
        "features": [asdict(feature) for feature in features],
    }
    rows = [["instructions", "this CPU", "used", "for"]]
    for feature in features:
        rows.append([feature.name, "yes" if feature.found else "no", "yes" if feature.used else "no", feature.used_for])
    fast = "" if len(chosen) == usable_cpus() else f", the network on the {len(chosen)} fast ones"
    terminal.finish(
        document,
        f"{document['name']} ({document['machine']}), {document['cpus']} CPUs to use{fast}\n\n{table(rows)}",
    )
