"""Which engine runs a bundle, and loading it."""

from __future__ import annotations

import importlib.util
import platform
from collections.abc import Callable, Sequence

from nanoedge.bundle import Bundle, FilePrecision
from nanoedge.errors import BundleError, EngineError, InputError
from nanoedge.runtime.engines.base import Engine, EngineOptions

Loader = Callable[[Bundle, FilePrecision, EngineOptions], Engine]


def _load_ncnn(bundle: Bundle, precision: FilePrecision, options: EngineOptions) -> Engine:
    from nanoedge.runtime.engines.ncnn import NcnnEngine

    return NcnnEngine(bundle, precision, options)


def _load_openvino(bundle: Bundle, precision: FilePrecision, options: EngineOptions) -> Engine:
    from nanoedge.runtime.engines.openvino import OpenVinoEngine

    return OpenVinoEngine(bundle, precision, options)


def _load_onnx(bundle: Bundle, precision: FilePrecision, options: EngineOptions) -> Engine:
    from nanoedge.runtime.engines.onnx import OnnxEngine

    return OnnxEngine(bundle, precision, options)


# name: (Python package, how to load it)
_ENGINES: dict[str, tuple[str, Loader]] = {
    "ncnn": ("ncnn", _load_ncnn),
    "openvino": ("openvino", _load_openvino),
    "onnx": ("onnxruntime", _load_onnx),
}
ENGINE_NAMES: tuple[str, ...] = tuple(_ENGINES)


def is_installed(engine: str) -> bool:
    """Whether the engine's Python package can be found; it is not imported."""
    return importlib.util.find_spec(_ENGINES[engine][0]) is not None


def preference(machine: str | None = None) -> Sequence[str]:
    """The order in which `auto` tries engines: on x86-64 OpenVINO first, elsewhere ncnn."""
    machine = machine or platform.machine()
    return ("openvino", "ncnn", "onnx") if machine.lower() in ("x86_64", "amd64") else ("ncnn", "openvino", "onnx")


def choose_engine(bundle: Bundle, engine: str = "auto", precision: FilePrecision = "float") -> str:
    """The engine's name, with `auto` resolved to the first that is both in the bundle and installed.

    Raises:
        InputError: for an unknown name.
        BundleError: when the bundle has no model for the engine in this precision.
        EngineError: when the engine's package is not installed.
    """
    if engine != "auto":
        if engine not in _ENGINES:
            raise InputError(f"Unknown engine {engine!r}; known: auto, {', '.join(ENGINE_NAMES)}.")
        bundle.entry(engine, precision)
        if not is_installed(engine):
            raise EngineError(f"The engine {engine} is not installed: pip install 'nanoedge[{engine}]'.")
        return engine
    offered = [entry.engine for entry in bundle.manifest.engines if entry.precision == precision]
    known = [name for name in preference() if name in offered]
    if not known:
        raise BundleError(
            f"{bundle.folder} has no {precision} model for an engine that this NanoEdge knows "
            f"({', '.join(ENGINE_NAMES)}); export it again, or update NanoEdge."
        )
    for name in known:
        if is_installed(name):
            return name
    raise EngineError(
        f"None of the bundle's engines is installed ({', '.join(known)}): pip install 'nanoedge[{known[0]}]'."
    )


def load_engine(bundle: Bundle, engine: str, precision: FilePrecision, options: EngineOptions) -> Engine:
    """Load one engine's files, after their sizes and hashes were checked.

    Args:
        bundle: the bundle.
        engine: a name from `choose_engine`.
        precision: which of the bundle's files.
        options: threads, compute precision.

    Raises:
        BundleError: for damaged files or a network whose input and output are not what the manifest says.
        EngineError: when the engine cannot do what was asked.
    """
    entry = bundle.entry(engine, precision)
    bundle.verify([*entry.files, bundle.manifest.sample.picture, bundle.manifest.sample.detections])
    return _ENGINES[engine][1](bundle, precision, options)
