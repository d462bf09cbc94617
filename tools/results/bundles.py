"""The bundle of a published network, for benchmarks that need one."""

from __future__ import annotations

from pathlib import Path

from tools.results.figures import nanoedge, shared_folder


def published_bundle(folder: Path, size: str = "320") -> Path:
    """NanoDet-Plus-m, imported and exported to all engines into `folder`."""
    name = f"nanodet-plus-m_{size}"
    checkpoint, bundle = folder / f"{name}.ckpt", folder / f"{name}.nanoedge"
    source = shared_folder() / "weights" / "nanodet-plus" / f"{name}.ckpt"
    nanoedge("import-nanodet", source, "--config", name, "--out", checkpoint)
    nanoedge("export", checkpoint, "--target", "all", "--out", bundle)
    return bundle
