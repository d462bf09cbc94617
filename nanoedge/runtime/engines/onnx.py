"""ONNX Runtime."""

from __future__ import annotations

import numpy as np

from nanoedge.bundle import Bundle, FilePrecision
from nanoedge.errors import BundleError, EngineError
from nanoedge.runtime.engines.base import EngineOptions, FloatArray


class OnnxEngine:
    """One ONNX network on the CPU, always in fp32.

    Raises:
        BundleError: when ONNX Runtime cannot load the file or it has no such input or output.
        EngineError: for another compute precision.
    """

    def __init__(self, bundle: Bundle, precision: FilePrecision, options: EngineOptions) -> None:
        import onnxruntime

        entry = bundle.entry("onnx", precision)
        if options.compute != "fp32":
            raise EngineError(f"ONNX Runtime computes these networks in fp32 only, not in {options.compute}.")
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = options.thread_count
        settings.inter_op_num_threads = 1
        settings.log_severity_level = 3
        path = str(bundle.path(entry.files[0]))
        try:
            self._session = onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
        except Exception as error:  # its exception classes have no common base but Exception
            raise BundleError(f"ONNX Runtime cannot load {path}: {str(error).splitlines()[0]}") from error
        self._input, self._outputs = entry.input, list(entry.outputs)
        inputs = {node.name for node in self._session.get_inputs()}
        outputs = {node.name for node in self._session.get_outputs()}
        if self._input not in inputs or not set(self._outputs) <= outputs:
            raise BundleError(f"{path} has no input {self._input!r} or outputs {self._outputs}.")

    def run(self, tensor: FloatArray) -> FloatArray:
        """float32 [1, 3, H, W] to float32 [1, priors, channels]."""
        return np.asarray(self._session.run(self._outputs, {self._input: tensor})[0], np.float32)
