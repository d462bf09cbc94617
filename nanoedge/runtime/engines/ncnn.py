"""ncnn through its own Python package: the readable reference."""

from __future__ import annotations

import numpy as np

from nanoedge.bundle import Bundle, FilePrecision
from nanoedge.errors import BundleError, EngineError
from nanoedge.runtime.engines.base import EngineOptions, FloatArray


class NcnnEngine:
    """One ncnn network on the CPU.

    Raises:
        BundleError: when ncnn cannot load the files or they have no such input or output.
        EngineError: when the compute precision does not exist on this CPU.
    """

    def __init__(self, bundle: Bundle, precision: FilePrecision, options: EngineOptions) -> None:
        import ncnn

        entry = bundle.entry("ncnn", precision)
        if options.compute == "fp16" and not ncnn.cpu_support_arm_asimdhp():
            raise EngineError("ncnn computes in fp16 only on ARM CPUs with half-precision arithmetic; use fp32.")
        self._ncnn = ncnn
        self._net = ncnn.Net()
        self._net.opt.num_threads = options.thread_count
        self._net.opt.use_vulkan_compute = False
        half = options.compute == "fp16"
        self._net.opt.use_fp16_packed = half
        self._net.opt.use_fp16_storage = half
        self._net.opt.use_fp16_arithmetic = half
        self._net.opt.use_bf16_storage = options.compute == "bf16"
        param, weights = (str(bundle.path(name)) for name in entry.files)
        if self._net.load_param(param) != 0 or self._net.load_model(weights) != 0:
            raise BundleError(f"ncnn cannot load {param} with {weights}; export the bundle again.")
        self._input, self._output = entry.input, entry.outputs[0]
        if self._input not in self._net.input_names() or self._output not in self._net.output_names():
            raise BundleError(f"{param} has no input {self._input!r} or output {self._output!r}.")

    def run(self, tensor: FloatArray) -> FloatArray:
        """float32 [1, 3, H, W] to float32 [1, priors, channels]."""
        picture = np.ascontiguousarray(tensor[0])  # ncnn.Mat only points at it: it must outlive the extraction
        extractor = self._net.create_extractor()
        extractor.input(self._input, self._ncnn.Mat(picture))
        status, output = extractor.extract(self._output)
        if status != 0:
            raise EngineError(f"ncnn failed with status {status}.")
        return np.array(output, np.float32)[np.newaxis]
