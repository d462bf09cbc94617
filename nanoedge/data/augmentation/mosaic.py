"""Mosaic: four pictures put together around a random point, each zoomed, cut and flipped by itself.

After Bochkovskiy et al., YOLOv4 (2020), arXiv:2004.10934, section 3.4. Here each picture is warped straight into its
quarter of the network's input; no larger canvas is made first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nanoedge.config.schema import AugmentationConfig
from nanoedge.data.augmentation.warp import Matrix, draw_warp

CENTRE = (0.3, 0.7)  # where the four pictures meet, as a share of the input


@dataclass(frozen=True)
class Tile:
    """One picture's part of a mosaic.

    Attributes:
        region: x1, y1, x2, y2 in pixels of the network's input.
        matrix: float64 [3, 3], from the picture to pixels of the region.
    """

    region: tuple[int, int, int, int]
    matrix: Matrix

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the region."""
        x1, y1, x2, y2 = self.region
        return x2 - x1, y2 - y1


def draw_regions(out_size: tuple[int, int], random: np.random.Generator) -> list[tuple[int, int, int, int]]:
    """The four quarters around a random point of the input."""
    width, height = out_size
    x, y = (np.rint(random.uniform(*CENTRE, 2) * out_size)).astype(int)
    return [(0, 0, x, y), (x, 0, width, y), (0, y, x, height), (x, y, width, height)]


def draw_tile(
    region: tuple[int, int, int, int],
    size: tuple[int, int],
    placed_size: tuple[int, int],
    config: AugmentationConfig,
    random: np.random.Generator,
) -> Tile:
    """Place a picture in its region: a random part of it where it is larger, near the mosaic's centre where smaller.

    Args:
        region: x1, y1, x2, y2 in pixels of the network's input.
        size: width and height of the picture.
        placed_size: width and height of the unchanged picture in the input.
        config: `mosaic_scale`, `stretch` and the flips.
        random: source of chance; always the same number of values is drawn.
    """
    warp = draw_warp(config, random)
    zoom = random.uniform(*config.mosaic_scale)
    stretch = random.uniform(*config.stretch, 2)
    where = random.random(2)
    starts, ends = np.array(region[:2]), np.array(region[2:])
    room = ends - starts
    sides = zoom * stretch * placed_size
    at_centre = np.where(starts == 0, room - sides, 0.0)  # of a picture that leaves some of its region empty
    lefts = np.where(sides >= room, where * (room - sides), at_centre)
    flips = np.array([warp.flip, warp.flip_vertical])
    scales = sides / size * np.where(flips, -1, 1)
    shifts = lefts + np.where(flips, sides, 0.0)
    matrix: npt.NDArray[np.float64] = np.array(
        [[scales[0], 0.0, shifts[0]], [0.0, scales[1], shifts[1]], [0.0, 0.0, 1.0]]
    )
    return Tile(region, matrix)
