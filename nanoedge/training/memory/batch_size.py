"""`training.batch_size: auto`: the most pictures of a batch that fit in memory."""

from __future__ import annotations

import resource
import sys
from contextlib import nullcontext

import torch

from nanoedge.config.schema import PUBLISHED_BATCH, Config
from nanoedge.data.batches import fitting_batch_size, input_sizes
from nanoedge.data.loader import Batch
from nanoedge.data.picture_source import free_memory
from nanoedge.errors import TrainingError
from nanoedge.losses.detection import total_loss
from nanoedge.training.module import DetectorModule
from nanoedge.training.processes import Processes, device_type

SHARE_OF_MEMORY = 0.7  # of what is free; the rest is for loading pictures, evaluation, and other programs
BOXES = 10  # of each picture that is measured with
FEW, MORE = 2, 8  # pictures of the two steps whose difference is measured


def choose_batch_size(config: Config, classes: tuple[str, ...], pictures: int, processes: Processes) -> tuple[int, str]:
    """A number for `training.batch_size`, and a sentence about it.

    Two steps with a few and with more drawn pictures, at the largest input size of the run, show what a picture
    takes. A batch has at most 96 pictures, the published number, and at most all pictures there are.

    Args:
        config: the run.
        classes: class names.
        pictures: of the training set.
        processes: who trains together; on a GPU each has its own memory, on a CPU all share one.

    Raises:
        TrainingError: when not even two pictures fit.
    """
    device = torch.device(device_type(config.training))
    shares = 1 if device.type == "cpu" else processes.count
    free = torch.cuda.mem_get_info()[0] if device.type == "cuda" else free_memory()
    module = DetectorModule(config, classes).to(device).train()
    few, more = (_peak_of_a_step(module, config, count, device) for count in (FEW, MORE))
    each = max(1.0, (more - few) / (MORE - FEW))
    fit = int(free * SHARE_OF_MEMORY / each) * shares
    if fit < max(2, processes.count):
        raise TrainingError(
            f"Not even two pictures fit in memory: one takes {each / 2**20:.0f} MiB, {free / 2**20:.0f} MiB are free. "
            "Choose a smaller input or network."
        )
    chosen = fitting_batch_size(min(fit, PUBLISHED_BATCH), pictures, processes.count)
    if chosen > 8 * processes.count:
        chosen = chosen // (8 * processes.count) * 8 * processes.count
    told = f"batch size {chosen}: a picture takes {each / 2**20:.0f} MiB of the {free / 2**30:.1f} GiB that are free"
    return chosen, told


def _peak_of_a_step(module: DetectorModule, config: Config, count: int, device: torch.device) -> float:
    """The most memory that the process (a GPU: its tensors) ever held after a step with `count` pictures, bytes."""
    batch = _drawn_batch(config, len(module.classes), count, device)
    half = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(config.training.precision)
    with torch.autocast(device.type, half) if half else nullcontext():
        loss = total_loss(module.losses_of(batch))
    loss.backward()  # type: ignore[no-untyped-call]
    for parameter in module.parameters():
        parameter.grad = None
    if device.type == "cuda":
        return float(torch.cuda.max_memory_allocated())
    unit = 1 if sys.platform == "darwin" else 1024
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)


def _drawn_batch(config: Config, classes: int, count: int, device: torch.device) -> Batch:
    width, height = max(input_sizes(config.input, config.augmentation.multi_scale), key=lambda size: size[0] * size[1])
    random = torch.Generator().manual_seed(0)
    corners = torch.rand(count, BOXES, 2, generator=random) * torch.tensor([width, height]) * 0.7
    sides = (torch.rand(count, BOXES, 2, generator=random) * 0.25 + 0.05) * torch.tensor([width, height])
    boxes = torch.cat([corners, corners + sides], dim=2).to(device)
    return Batch(
        pictures=torch.rand(count, 3, height, width, generator=random).mul(255).to(device),
        boxes_xyxy=list(boxes),
        class_ids=list(torch.randint(classes, (count, BOXES), generator=random).to(device)),
        ignore_xyxy=[torch.zeros(0, 4, device=device)] * count,
        names=[f"drawn {number}" for number in range(count)],
    )
