"""What values maps take on calibration pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import fx, nn

from nanoedge.export.native.graph import FloatArray

SAMPLES = 2048
"""Values that are kept of each map of each picture."""
RangeMethod = Literal["mean", "percentile", "squared-error"]
METHODS: tuple[RangeMethod, ...] = ("mean", "percentile", "squared-error")
PERCENTILE = 99.99
LEVELS = 255


@dataclass
class Statistics:
    """Of one map over all pictures.

    Attributes:
        lows: smallest value of each channel in each picture, [C].
        highs: largest value of each channel in each picture, [C].
        samples: some values of each picture.
        sampled: the channels that they are of.
        channel_sum: sum over the pictures of each channel's mean.
    """

    lows: list[FloatArray] = field(default_factory=list)
    highs: list[FloatArray] = field(default_factory=list)
    samples: list[FloatArray] = field(default_factory=list)
    sampled: list[npt.NDArray[np.uint16]] = field(default_factory=list)
    channel_sum: npt.NDArray[np.float64] | float = 0.0

    def add(self, values: FloatArray, generator: np.random.Generator, samples: int = SAMPLES) -> None:
        """One picture's map [C, H, W]; `samples` of its values are kept, drawn with replacement."""
        self.lows.append(values.min((1, 2)))
        self.highs.append(values.max((1, 2)))
        chosen = generator.integers(0, values.size, min(values.size, samples))
        self.samples.append(values.ravel()[chosen])
        self.sampled.append((chosen // (values.shape[1] * values.shape[2])).astype(np.uint16))
        self.channel_sum = self.channel_sum + values.mean((1, 2), dtype=np.float64)

    @property
    def channel_means(self) -> npt.NDArray[np.float64]:
        """Mean of each channel, [C]."""
        means: npt.NDArray[np.float64] = np.asarray(self.channel_sum) / len(self.lows)
        return means

    @property
    def channel_ranges(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Smallest and largest value of each channel in any picture, both [C]."""
        return np.min(self.lows, axis=0).astype(np.float64), np.max(self.highs, axis=0).astype(np.float64)

    def divided(self, factors: npt.NDArray[np.float64]) -> Statistics:
        """What they are when each channel is divided by a factor, [C]."""
        by = factors.astype(np.float32)
        return Statistics(
            [low / by for low in self.lows],
            [high / by for high in self.highs],
            [values / by[channels] for values, channels in zip(self.samples, self.sampled, strict=True)],
            self.sampled,
            self.channel_sum / factors,
        )


class _Recorder(fx.Interpreter):
    """Runs an exported network and hands every map of interest out."""

    def __init__(self, module: fx.GraphModule, wanted: set[str]) -> None:
        super().__init__(module)
        self.wanted = wanted
        self.found: dict[str, FloatArray] = {}

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        if n.name in self.wanted:
            self.found[n.name] = result[0].numpy().copy()  # copied: an activation may change it in place
        return result


def collect_statistics(
    network: nn.Module, pictures: Iterable[FloatArray], wanted: set[str], samples: int = SAMPLES
) -> dict[str, Statistics]:
    """Run a network and look at its maps.

    Args:
        network: as `read_network` takes it; maps have the same names.
        pictures: normalised, float32 [1, 3, height, width].
        wanted: names of maps.
        samples: values that are kept of each map of each picture.

    Returns:
        Of those maps that the network calculates: parts that only the compiler tells apart are not among them.
    """
    generator = np.random.default_rng(0)
    statistics: dict[str, Statistics] = {}
    recorder: _Recorder | None = None
    for picture in pictures:
        tensor = torch.from_numpy(picture)
        with torch.no_grad():
            if recorder is None:
                program = torch.export.export(network.eval(), (tensor,), strict=False)
                recorder = _Recorder(program.module(), wanted)
            recorder.run(tensor)
        for name, values in recorder.found.items():
            statistics.setdefault(name, Statistics()).add(values, generator, samples)
    return statistics


def range_of(members: Sequence[Statistics], method: RangeMethod) -> tuple[float, float]:
    """The range of maps that share a scale; it contains 0, which convolutions pad with.

    Args:
        members: of all maps of the group.
        method: `mean` of the pictures' extremes; `percentile` of the values on each side; the range with the smallest
            `squared-error` after rounding and clipping.
    """
    low = min(float(np.mean([values.min() for values in each.lows])) for each in members)
    high = max(float(np.mean([values.max() for values in each.highs])) for each in members)
    if method != "mean":
        values = np.concatenate([sample for each in members for sample in each.samples])
        if method == "percentile":
            low, high = np.percentile(values, [100 - PERCENTILE, PERCENTILE])
        else:
            low, high = _least_squared_error(values, min(low, 0.0), max(high, 0.0))
    low, high = min(float(low), 0.0), max(float(high), 0.0)
    return (low, high) if high > low else (low, low + 1.0)


def _least_squared_error(values: FloatArray, low: float, high: float) -> tuple[float, float]:
    """Both ends are drawn in by the same share."""
    best, chosen = np.inf, (low, high)
    for share in np.linspace(1.0, 0.4, 25):
        scale = max((high - low) * share / LEVELS, 1e-12)
        zero = np.round(-low * share / scale)
        rounded = (np.clip(np.round(values / scale) + zero, 0, LEVELS) - zero) * scale
        error = float(((rounded - values) ** 2).mean())
        if error < best:
            best, chosen = error, (low * share, high * share)
    return chosen
