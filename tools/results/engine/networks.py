"""The networks that are timed, each as a bundle for all engines with an int8 model of our own one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tools.results.engine.pictures import split
from tools.results.figures import nanoedge, shared_folder

NAMES = {
    "nanodet-plus-m_320": "Plus-m 320",
    "nanodet-plus-m_416": "Plus-m 416",
    "nanodet-plus-m-1.5x_416": "Plus-m 1.5x 416",
    "nanodet-plus-m-0.5x_320": "Plus-m 0.5x 320",
    "nanodet-plus-ghost_320": "GhostNet 320",
}
"""Shipped configurations, and what they are called here."""
BASE = "nanodet-plus-m_320"
"""The network that wanted ratios are stated for."""
CALIBRATION_PICTURES = 100
RANDOM_PICTURES, RANDOM_ROUNDS = 4, 4
UNLIKELY = 8.0
"""Taken from random networks' logits: where a picture is flat, equal scores above the threshold would be suppressed in
any order, and the export's proof would fail."""


@dataclass(frozen=True)
class Measured:
    """A network to time.

    Attributes:
        name: of its configuration.
        title: for people; says so when the weights are random.
        bundle: its folder.
    """

    name: str
    title: str
    bundle: Path


def network_bundle(folder: Path, name: str, *targets: str) -> Measured:
    """Import the trained weights, or make random ones where there are none, and export.

    Args:
        folder: an empty one.
        name: of a shipped configuration.
        targets: of the export; none: all.
    """
    checkpoint, bundle = folder / f"{name}.ckpt", folder / f"{name}.nanoedge"
    source = shared_folder() / "weights" / "nanodet-plus" / f"{name}.ckpt"
    trained = source.is_file()
    if trained:
        nanoedge("import-nanodet", source, "--config", name, "--out", checkpoint)
    else:
        write_random(checkpoint, name)
    export_with_int8(checkpoint, split(folder).calibration, bundle, *targets)
    return Measured(name, NAMES[name] if trained else f"{NAMES[name]} (random weights)", bundle)


def export_with_int8(checkpoint: Path, calibration: Path, bundle: Path, *targets: str) -> None:
    """A bundle of some targets, or all, with an int8 model where a target has one."""
    chosen = [word for target in targets or ("all",) for word in ("--target", target)]
    how = ("--int8", "--calibration", calibration, "--calibration-images", str(CALIBRATION_PICTURES))
    nanoedge("export", checkpoint, *chosen, *how, "--out", bundle)


def write_random(checkpoint: Path, name: str) -> None:
    """A shipped configuration with random weights and batch norms that have seen some noise: times are those of trained
    ones, for signals have ordinary sizes."""
    import torch
    from nanoedge.config.coco_classes import COCO_CLASSES
    from nanoedge.config.load import load_config
    from nanoedge.models.nanodet_plus import NanoDetPlus
    from nanoedge.training.checkpoints import save_imported

    torch.manual_seed(0)
    config = load_config(name)
    model = NanoDetPlus(config.model, len(COCO_CLASSES)).train()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None  # the mean of all rounds
    with torch.no_grad():
        for _ in range(RANDOM_ROUNDS):
            model(torch.randn(RANDOM_PICTURES, 3, config.input.height, config.input.width))
        for layer in model.head.predict:
            layer.bias[: len(COCO_CLASSES)] -= UNLIKELY
    save_imported(checkpoint, config, tuple(COCO_CLASSES), model.state_dict())
