"""How far each part of a trained network looks: the effective receptive field.

Luo et al. 2016, https://arxiv.org/abs/1701.04128: what an output really depends on is the gradient's magnitude over the
input, which gathers about the centre long before the theoretical edge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from nanoedge.config.interface import InputSpec
from nanoedge.data.synthetic import draw_scene
from nanoedge.errors import InputError
from nanoedge.inspection.receptive_field import Part, outputs_of
from nanoedge.models.nanodet_plus import NanoDetPlus
from nanoedge.pictures import Picture, list_pictures, opencv, read_picture

SIDE = 960  # pixels of the pictures that are looked at, in both directions
MASS = 0.95  # share of the gradient that the effective field holds

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class EffectiveField:
    """Where the gradient of a part's central output comes from.

    Attributes:
        part: backbone, neck or head.
        stride: of the output.
        magnitude: float64 [side, side], root mean square of the gradient at each pixel of the input; the output's own
            place is pixel (side / 2, side / 2).
    """

    part: Part
    stride: int
    magnitude: FloatArray

    @property
    def pixels(self) -> int:
        """Side of the smallest square about the output's place that holds 95 % of the magnitude, pixels."""
        return side_that_holds(self.magnitude, MASS)


def effective_fields(
    model: NanoDetPlus, strides: Sequence[int], spec: InputSpec, pictures: Sequence[Picture], seed: int = 0
) -> list[EffectiveField]:
    """The effective field of each of the backbone's features, the neck's levels and the head's predictions.

    For each picture the central output's channels get random normal factors; the mean square of such gradients is the
    squared length of the whole Jacobian's column, whatever the number of channels.

    Args:
        model: trained, in evaluation mode; its AGM is not used.
        strides: of the neck's levels, finest first.
        spec: how pixels are normalised.
        pictures: uint8 [side, side, 3] each, BGR, side a multiple of twice the largest stride; at least one.
        seed: of the factors.
    """
    generator = torch.Generator().manual_seed(seed)
    squares: dict[tuple[Part, int], torch.Tensor] = {}
    wanted = [parameter for parameter in model.parameters() if parameter.requires_grad]
    for parameter in wanted:
        parameter.requires_grad_(False)
    try:
        for picture in pictures:
            pixels = (picture - np.array(spec.mean, np.float32)) / np.array(spec.std, np.float32)
            tensor = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None].requires_grad_()
            for part, stride, output in outputs_of(model, tensor, strides):
                central = output[0, :, output.shape[2] // 2, output.shape[3] // 2]
                factors = torch.randn(central.shape, generator=generator)
                (gradient,) = torch.autograd.grad((central * factors).sum(), tensor, retain_graph=True)
                square = gradient[0].double().square().sum(dim=0)
                squares[part, stride] = squares[part, stride] + square if (part, stride) in squares else square
    finally:
        for parameter in wanted:
            parameter.requires_grad_()
    return [
        EffectiveField(part, stride, (square / len(pictures)).sqrt().numpy())
        for (part, stride), square in squares.items()
    ]


def side_that_holds(magnitude: FloatArray, share: float) -> int:
    """Side, in pixels, of the smallest odd square about the centre of [side, side] that holds a share of the sum."""
    height, width = magnitude.shape
    rows, columns = np.indices(magnitude.shape)
    distance = np.maximum(np.abs(rows - height // 2), np.abs(columns - width // 2))
    held = np.cumsum(np.bincount(distance.ravel(), magnitude.ravel()))
    return 2 * int(np.searchsorted(held, share * held[-1])) + 1


def drawn_pictures(count: int, side: int = SIDE) -> list[Picture]:
    """Synthetic scenes, always the same, for when there are no pictures of one's own."""
    return [draw_scene(np.random.default_rng([0, number]), side, side).picture for number in range(count)]


def pictures_of(folder: Path, count: int, side: int = SIDE) -> list[Picture]:
    """The first pictures of a folder, by name, stretched to a square.

    Raises:
        InputError: when there is no such folder or no picture in it.
        PictureError: when one cannot be read.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder} of pictures.")
    paths = list_pictures(folder)[:count]
    if not paths:
        raise InputError(f"The folder {folder} holds no pictures.")
    cv2 = opencv()
    return [cv2.resize(read_picture(path), (side, side), interpolation=cv2.INTER_LINEAR) for path in paths]
