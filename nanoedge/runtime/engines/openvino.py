"""OpenVINO through its own Python package: the readable reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nanoedge.bundle import Bundle, FilePrecision
from nanoedge.bundle.manifest import EngineEntry
from nanoedge.errors import BundleError, EngineError
from nanoedge.runtime.engines.base import EngineOptions, FloatArray
from nanoedge.runtime.engines.signal_stack import kept_signal_stack

if TYPE_CHECKING:
    import openvino

_HINTS = {"fp32": "f32", "fp16": "f16", "bf16": "bf16"}


class OpenVinoEngine:
    """One OpenVINO network on the CPU. The precision hint is always set: OpenVINO would else pick bf16 by itself.

    Raises:
        BundleError: when OpenVINO cannot load the files or they have no such input or output.
        EngineError: when the compute precision does not exist on this CPU.
    """

    def __init__(self, bundle: Bundle, precision: FilePrecision, options: EngineOptions) -> None:
        import openvino

        entry = bundle.entry("openvino", precision)
        with kept_signal_stack():
            self._load(openvino.Core(), bundle, entry, options)

    def _load(self, core: openvino.Core, bundle: Bundle, entry: EngineEntry, options: EngineOptions) -> None:
        abilities = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        if options.compute != "fp32" and options.compute.upper() not in abilities:
            raise EngineError(f"OpenVINO cannot compute in {options.compute} on this CPU; use fp32.")
        xml, weights = (str(bundle.path(name)) for name in entry.files)
        settings = {
            "INFERENCE_PRECISION_HINT": _HINTS[options.compute],
            "INFERENCE_NUM_THREADS": options.thread_count,
            "PERFORMANCE_HINT": "LATENCY",
        }
        try:
            compiled = core.compile_model(core.read_model(xml, weights), "CPU", settings)
            self._output = compiled.output(entry.outputs[0])
            self._input = compiled.input(entry.input)
        except RuntimeError as error:
            raise BundleError(f"OpenVINO cannot load {xml}: {str(error).strip().splitlines()[-1]}") from error
        self._request = compiled.create_infer_request()

    def run(self, tensor: FloatArray) -> FloatArray:
        """float32 [1, 3, H, W] to float32 [1, priors, channels]."""
        self._request.infer({self._input: tensor}, share_inputs=True)
        return np.array(self._request.get_tensor(self._output).data, np.float32)
