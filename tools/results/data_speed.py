"""How fast training pictures come: python -m tools.results.data_speed."""

from __future__ import annotations

import time
from statistics import median

import torch
from nanoedge.config.load import load_config
from nanoedge.data.folder import choose_set
from nanoedge.data.index import DatasetIndex, index_of
from nanoedge.data.loader import TrainingLoader, training_dataset
from nanoedge.losses.detection import total_loss
from nanoedge.training.module import DetectorModule

from tools.results.figures import Figure, at_least, publish, shared_folder

ROUNDS = 5
REACH = 60.0  # pictures/s


def main() -> None:
    """One worker, 320 x 320; every kind of loading in turn, five rounds."""
    data = shared_folder() / "data"
    sets = {
        "bccd": index_of(choose_set(data / "bccd", "train", "coco").read()),
        "coco_open300": index_of(choose_set(data / "coco_open300", "open300").read()),
    }
    kinds = {
        "published augmentation": ["recipe=nanodet-plus"],
        "published, cached in memory": ["recipe=nanodet-plus", "data.cache=memory"],
        "small-data (mosaic)": ["recipe=small-data"],
        "small-data, cached in memory": ["recipe=small-data", "data.cache=memory"],
    }
    torch.set_num_threads(1)
    figures: list[Figure] = []
    for name, index in sets.items():
        loaders = {kind: loader_of(index, settings) for kind, settings in kinds.items()}
        rates: dict[str, list[float]] = {kind: [] for kind in kinds}
        starts: list[float] = []
        for number in range(-1, ROUNDS):
            for kind, loader in loaders.items():
                rate, start = one_epoch(loader, number + 1)
                if number < 0 and kind == "published augmentation":
                    starts.append(start)  # the worker is made here
                if number >= 0:
                    rates[kind].append(rate)
        for kind, measured in rates.items():
            rate = round(median(measured), 1)
            title = f"{name}, {kind}"
            needed = kind == "published augmentation"
            figures.append(at_least(title, rate, REACH, "pictures/s") if needed else Figure(title, rate, "pictures/s"))
        figures.append(Figure(f"{name}: start of the worker to the first batch of 8", round(starts[0], 2), "s"))
    step = training_rate(sets["bccd"])
    slowest = min(figure.value for figure in figures if figure.unit == "pictures/s" and isinstance(figure.value, float))
    figures.append(Figure("a training step of Plus-m on two threads takes", round(step, 1), "pictures/s"))
    figures.append(at_least("slowest loading, in training steps", round(slowest / step, 1), 1.0, "times"))
    publish(figures, f"one worker, batches of 8 at 320x320; medians of {ROUNDS} epochs, kinds in turn")


def loader_of(index: DatasetIndex, settings: list[str]) -> TrainingLoader:
    """Batches of 8 by one worker."""
    config = load_config("nanodet-plus-m_320", ["training.batch_size=8", *settings])
    return TrainingLoader(training_dataset(index, config), 8, workers=1)


def one_epoch(loader: TrainingLoader, epoch: int) -> tuple[float, float]:
    """Pictures a second after the first batch, and seconds to it."""
    loader.order.set_epoch(epoch)
    started = time.perf_counter()
    first, count = 0.0, 0
    for batch in loader:
        if not first:
            first = time.perf_counter() - started
        else:
            count += len(batch.names)
    return count / (time.perf_counter() - started - first), first


def training_rate(index: DatasetIndex) -> float:
    """Pictures a second that a training consumes: forward, assignment, losses, backward; batches of 8."""
    torch.set_num_threads(2)
    config = load_config("nanodet-plus-m_320", ["training.batch_size=8"])
    module = DetectorModule(config, index.classes).train()
    batch = next(iter(TrainingLoader(training_dataset(index, config), 8, workers=0)))
    seconds = []
    for _ in range(ROUNDS + 1):
        started = time.perf_counter()
        module.zero_grad()
        total_loss(module.losses_of(batch)).backward()
        seconds.append(time.perf_counter() - started)
    return 8 / median(seconds[1:])


if __name__ == "__main__":
    main()
