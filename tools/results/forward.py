"""How fast this machine is: ONNX Runtime's forward of Plus-m 320 on one thread, to count times in."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime
from nanoedge.config.load import load_config
from nanoedge.export.onnx import write_onnx
from nanoedge.export.strip import strip
from nanoedge.models.nanodet_plus import NanoDetPlus

FORWARDS = 10


class Forward:
    """The network with random weights in ONNX Runtime."""

    def __init__(self) -> None:
        config = load_config("nanodet-plus-m_320")
        model = NanoDetPlus(config.model, classes=80)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.onnx"
            write_onnx(strip(model), 320, 320, path)
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._picture = np.random.default_rng(0).standard_normal((1, 3, 320, 320)).astype(np.float32)

    def milliseconds(self) -> float:
        """Median of `FORWARDS` forwards."""
        measured = []
        for _ in range(FORWARDS):
            started = time.perf_counter()
            self._session.run(None, {"data": self._picture})
            measured.append((time.perf_counter() - started) * 1000)
        return statistics.median(measured)
