"""One training step against ONNX Runtime's forward, interleaved: python -m tools.results.train_step."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from nanoedge.config.load import load_config
from nanoedge.data.loader import TrainingLoader, training_dataset
from nanoedge.data.readers.coco import read_coco
from nanoedge.export.onnx import write_onnx
from nanoedge.export.strip import strip
from nanoedge.losses.detection import total_loss
from nanoedge.training.freed_memory import keep_freed_memory
from nanoedge.training.module import DetectorModule, adamw

from tools.results.figures import Figure, at_most, publish, shared_folder

BATCH, ROUNDS, FORWARDS = 8, 12, 10


def main() -> None:
    """Plus-m 320, AGM attached, fp32, batch 8, two threads; loss, assignment, clipping and AdamW included."""
    keep_freed_memory()
    torch.set_num_threads(2)
    torch.manual_seed(0)
    bccd = shared_folder() / "data" / "bccd"
    config = load_config("bccd_320")
    index = read_coco(bccd / "annotations" / "instances_train.json", bccd / "JPEGImages", config.classes)
    module = DetectorModule(config, index.classes).train()
    loader = TrainingLoader(training_dataset(index, config), BATCH, workers=0)
    batch = next(iter(loader))
    optimiser = adamw(module.model, config.training)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        write_onnx(strip(module.model), 320, 320, path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    picture = np.random.default_rng(0).standard_normal((1, 3, 320, 320)).astype(np.float32)

    steps, forwards = [], []
    for number in range(-3, ROUNDS):
        started = time.perf_counter()
        loss = total_loss(module.losses_of(batch))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), 35)
        optimiser.step()
        step = (time.perf_counter() - started) * 1000 / BATCH
        several = []
        for _ in range(FORWARDS):
            started = time.perf_counter()
            session.run(None, {"data": picture})
            several.append((time.perf_counter() - started) * 1000)
        if number >= 0:
            steps.append(step)
            forwards.append(statistics.median(several))
    ratio = statistics.median(step / forward for step, forward in zip(steps, forwards, strict=True))
    publish(
        [
            at_most("training step, each picture", round(statistics.median(steps), 1), 202, "ms"),
            Figure("ONNX Runtime's forward, one thread", round(statistics.median(forwards), 2), "ms"),
            at_most("ratio, median of the rounds' ratios", round(ratio, 2), 15.5),
        ],
        f"medians of {ROUNDS} rounds after 3 that are not counted; in each one step and {FORWARDS} forwards",
    )


if __name__ == "__main__":
    main()
