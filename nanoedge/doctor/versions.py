"""Versions of what NanoEdge works with; read from the installation, nothing is imported."""

from __future__ import annotations

import platform
from importlib import metadata

from nanoedge import __version__

PACKAGES: dict[str, tuple[str, ...]] = {
    "numpy": ("numpy",),
    "opencv": (
        "opencv-python",
        "opencv-python-headless",
        "opencv-contrib-python",
        "opencv-contrib-python-headless",
        "opencv",
    ),
    "av": ("av",),
    "fastapi": ("fastapi",),
    "uvicorn": ("uvicorn",),
    "websockets": ("websockets",),
    "openvino": ("openvino",),
    "ncnn": ("ncnn",),
    "onnxruntime": ("onnxruntime",),
}
"""Name in the report to the distributions that may bring it."""

VIDEO_EXTRA = ("av", "fastapi", "uvicorn", "websockets")


def look_at_versions() -> dict[str, str | None]:
    """Name to version; `None` is not installed."""
    found: dict[str, str | None] = {"nanoedge": __version__, "python": platform.python_version()}
    for name, distributions in PACKAGES.items():
        found[name] = next((version for each in distributions if (version := _version(each))), None)
    return found


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
