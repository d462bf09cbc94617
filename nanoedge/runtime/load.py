"""Which engine runs a bundle, and loading it: in the compiled core, or as the readable reference."""

from __future__ import annotations

import importlib.util
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nanoedge.bundle import Bundle, FilePrecision
from nanoedge.errors import BundleError, EngineError, InputError
from nanoedge.runtime.core import (
    CoreNetwork,
    core_has_ncnn,
    find_openvino,
    has_core,
    has_vector_kernels,
    native_computes,
)
from nanoedge.runtime.engines.base import ComputePrecision, Engine
from nanoedge.runtime.network import Network, NetworkSettings
from nanoedge.runtime.reference import ReferenceNetwork


@dataclass(frozen=True)
class EngineKind:
    """One engine that a user can name.

    Attributes:
        entry: the engine's name in a bundle's manifest.
        is_installed: whether it can be used; nothing but the core is imported.
        missing: what to do when it cannot.
        load: bundle and settings to a network.
        computes: whether it calculates in a compute precision here, as far as that is known without loading it.
    """

    entry: str
    is_installed: Callable[[], bool]
    missing: str
    load: Callable[[Bundle, NetworkSettings], Network]
    computes: Callable[[ComputePrecision], bool] = lambda _: True


def _has_package(name: str) -> Callable[[], bool]:
    return lambda: importlib.util.find_spec(name) is not None


def _in_python(make: Callable[[Bundle, NetworkSettings], Engine], entry: str) -> Callable[..., Network]:
    def load(bundle: Bundle, settings: NetworkSettings) -> Network:
        files = bundle.entry(entry, settings.precision).files
        sample = bundle.manifest.sample
        bundle.verify([*files, sample.picture, sample.detections])
        return ReferenceNetwork(bundle, make(bundle, settings), settings)

    return load


def _python_ncnn(bundle: Bundle, settings: NetworkSettings) -> Engine:
    from nanoedge.runtime.engines.ncnn import NcnnEngine

    return NcnnEngine(bundle, settings.precision, settings.options)


def _python_openvino(bundle: Bundle, settings: NetworkSettings) -> Engine:
    from nanoedge.runtime.engines.openvino import OpenVinoEngine

    return OpenVinoEngine(bundle, settings.precision, settings.options)


def _onnx(bundle: Bundle, settings: NetworkSettings) -> Engine:
    from nanoedge.runtime.engines.onnx import OnnxEngine

    return OnnxEngine(bundle, settings.precision, settings.options)


ENGINES: dict[str, EngineKind] = {
    "native": EngineKind(
        "native", has_core, "install NanoEdge again, its compiled core is missing", CoreNetwork, native_computes
    ),
    "ncnn": EngineKind(
        "ncnn",
        core_has_ncnn,
        "install NanoEdge again, its compiled core is missing or was built without ncnn",
        CoreNetwork,
    ),
    "openvino": EngineKind(
        "openvino",
        lambda: has_core() and find_openvino() is not None,
        "pip install openvino",
        CoreNetwork,
    ),
    "onnx": EngineKind("onnx", _has_package("onnxruntime"), "pip install 'nanoedge[onnx]'", _in_python(_onnx, "onnx")),
    "python-ncnn": EngineKind(
        "ncnn", _has_package("ncnn"), "pip install 'nanoedge[ncnn]'", _in_python(_python_ncnn, "ncnn")
    ),
    "python-openvino": EngineKind(
        "openvino",
        _has_package("openvino"),
        "pip install openvino",
        _in_python(_python_openvino, "openvino"),
    ),
}


def preference(machine: str | None = None) -> Sequence[str]:
    """The order in which `auto` tries engines; the same as the core's.

    Our own engine comes first on x86-64 where it has vector kernels for this CPU, then OpenVINO; elsewhere, where ours
    was not measured yet, ncnn. In a build without ncnn ours comes first everywhere.
    """
    here = platform.machine()
    machine = machine or here
    if machine == here and not core_has_ncnn():
        return "native", "openvino", "ncnn", "onnx"
    if machine.lower() not in ("x86_64", "amd64"):
        return "ncnn", "openvino", "native", "onnx"
    is_fast = machine == here and has_vector_kernels()
    return ("native", "openvino", "ncnn", "onnx") if is_fast else ("openvino", "ncnn", "native", "onnx")


def choose_engine(
    bundle: Bundle, engine: str = "auto", precision: FilePrecision = "float", compute: ComputePrecision = "fp32"
) -> str:
    """The engine's name, with `auto` resolved to the first that is in the bundle, installed and can compute so.

    Raises:
        InputError: for an unknown name.
        BundleError: when the bundle has no model for the engine in this precision.
        EngineError: when the engine is not installed.
    """
    if engine != "auto":
        if engine not in ENGINES:
            raise InputError(f"Unknown engine {engine!r}; known: auto, {', '.join(ENGINES)}.")
        kind = ENGINES[engine]
        bundle.entry(kind.entry, precision)
        if not kind.is_installed():
            raise EngineError(f"The engine {engine} is not installed: {kind.missing}.")
        return engine
    offered = [entry.engine for entry in bundle.manifest.engines if entry.precision == precision]
    known = [name for name in preference() if name in offered]
    if not known:
        raise BundleError(
            f"{bundle.folder} has no {precision} model that this NanoEdge can run; it has {bundle.offers()}. "
            "Choose another precision, or export the bundle again."
        )
    for name in known:
        if ENGINES[name].is_installed() and ENGINES[name].computes(compute):
            return name
    raise EngineError(f"None of the bundle's engines is installed ({', '.join(known)}): {ENGINES[known[0]].missing}.")


def load_network(bundle: Bundle, settings: NetworkSettings) -> Network:
    """Load the files of `settings.engine`, after their sizes and hashes were checked.

    Raises:
        BundleError: for damaged files or a network whose input and output are not what the manifest says.
        EngineError: when the engine cannot do what was asked.
    """
    return ENGINES[settings.engine].load(bundle, settings)
