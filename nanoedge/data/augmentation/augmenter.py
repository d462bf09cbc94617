"""From the data set's index to one augmented picture with its boxes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nanoedge.config.interface import InputSpec
from nanoedge.config.schema import AugmentationConfig
from nanoedge.data.augmentation.colours import change_colours, draw_colours
from nanoedge.data.augmentation.damage import apply_damage, draw_damage, visible_after
from nanoedge.data.augmentation.mosaic import draw_regions, draw_tile
from nanoedge.data.augmentation.warp import Matrix, draw_warp, warp_boxes, warp_matrix, warp_picture, worth_learning
from nanoedge.data.index import DatasetIndex
from nanoedge.data.picture_source import PictureSource
from nanoedge.pictures import Picture

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
MIXUP_BETA = 8.0  # the share of the first picture is drawn from Beta(8, 8): about half


@dataclass(frozen=True, eq=False)
class Scene:
    """A picture while it is put together: uint8 [H, W, 3], and in its pixels boxes and ignore regions, float32 [., 4].

    `visible` is the share of each box that can be seen, float32 [G].
    """

    picture: Picture
    boxes_xyxy: FloatArray
    class_ids: IntArray
    visible: FloatArray
    ignore_xyxy: FloatArray


@dataclass(frozen=True, eq=False)
class AugmentedPicture:
    """What the network learns from: float32 [H, W, 3] in grey levels (not clipped), boxes in its pixels."""

    picture: FloatArray
    boxes_xyxy: FloatArray
    class_ids: IntArray
    ignore_xyxy: FloatArray


class Augmenter:
    """Draws and applies all changes. What a picture becomes depends on (seed, epoch, number, size) only.

    Args:
        index: the training set; mosaic and mixup take their other pictures from it.
        pictures: reads the index's pictures.
        spec: the network's input: stretch or letterbox, and the grey level around.
        config: the changes.
        seed: of everything that is drawn.
        epochs: of the run; mosaic and mixup are closed in the last `config.close_epochs`.
    """

    def __init__(
        self,
        index: DatasetIndex,
        pictures: PictureSource,
        spec: InputSpec,
        config: AugmentationConfig,
        seed: int,
        epochs: int,
    ) -> None:
        self.index = index
        self.pictures = pictures
        self.spec = spec
        self.config = config
        self.seed = seed
        self.closed_from = epochs - config.close_epochs

    def picture(self, epoch: int, number: int, out_size: tuple[int, int]) -> AugmentedPicture:
        """One augmented picture.

        Args:
            epoch: of the run, from 0.
            number: place in the index.
            out_size: width and height of the network's input in this batch.

        Raises:
            DataError: when a picture cannot be read or its size is not the annotated one.
        """
        config = self.config
        random = np.random.default_rng([self.seed, epoch, number])
        choices = np.random.default_rng([self.seed, epoch, number, 1])
        use_mosaic, use_mixup = choices.random(2) < [config.mosaic, config.mixup]
        use_mosaic, use_mixup = use_mosaic and epoch < self.closed_from, use_mixup and epoch < self.closed_from
        scene = self._mosaic(number, out_size, choices) if use_mosaic else self._warped(number, out_size, random)
        if use_mixup:
            other = self._warped(int(choices.integers(len(self.index))), out_size, choices)
            scene = mixed(scene, other, choices.beta(MIXUP_BETA, MIXUP_BETA))
        colours = draw_colours(config, random)
        damage = draw_damage(config, choices, out_size)
        visible = np.minimum(scene.visible, visible_after(scene.boxes_xyxy, damage))
        keep = worth_learning(scene.boxes_xyxy, visible, config)
        return AugmentedPicture(
            picture=change_colours(apply_damage(scene.picture, damage), colours),
            boxes_xyxy=scene.boxes_xyxy[keep],
            class_ids=scene.class_ids[keep],
            ignore_xyxy=scene.ignore_xyxy,
        )

    def _warped(self, number: int, out_size: tuple[int, int], random: np.random.Generator) -> Scene:
        sample = self.index.samples[number]
        size = (sample.width, sample.height)
        matrix = warp_matrix(size, out_size, draw_warp(self.config, random), self._placed(size, out_size))
        return self._scene(number, matrix, out_size)

    def _mosaic(self, number: int, out_size: tuple[int, int], random: np.random.Generator) -> Scene:
        numbers = [number, *random.integers(len(self.index), size=3)]
        canvas = np.full((out_size[1], out_size[0], 3), self.spec.pad_value, np.uint8)
        scenes = []
        for region, chosen in zip(draw_regions(out_size, random), random.permutation(numbers), strict=True):
            sample = self.index.samples[chosen]
            size = (sample.width, sample.height)
            tile = draw_tile(region, size, self._placed(size, out_size)[2:], self.config, random)
            x1, y1, x2, y2 = region
            scene = self._scene(int(chosen), tile.matrix, tile.size)
            canvas[y1:y2, x1:x2] = scene.picture
            scenes.append((scene, np.array([x1, y1, x1, y1], np.float32)))
        return Scene(
            picture=canvas,
            boxes_xyxy=np.concatenate([scene.boxes_xyxy + shift for scene, shift in scenes]),
            class_ids=np.concatenate([scene.class_ids for scene, _ in scenes]),
            visible=np.concatenate([scene.visible for scene, _ in scenes]),
            ignore_xyxy=np.concatenate([scene.ignore_xyxy + shift for scene, shift in scenes]),
        )

    def _placed(self, size: tuple[int, int], out_size: tuple[int, int]) -> tuple[int, int, int, int]:
        spec = self.spec
        if out_size != (spec.width, spec.height):
            spec = spec.model_copy(update={"width": out_size[0], "height": out_size[1]})
        return spec.place(*size)

    def _scene(self, number: int, matrix: Matrix, out_size: tuple[int, int]) -> Scene:
        """A picture through a map."""
        sample = self.index.samples[number]
        picture, factor = self.pictures.read(number)
        of_read = matrix @ np.diag([factor, factor, 1.0])
        boxes, visible = warp_boxes(sample.boxes_xyxy, matrix, out_size)
        ignore, _ = warp_boxes(sample.ignore_xyxy, matrix, out_size)
        return Scene(
            picture=warp_picture(picture, of_read, out_size, self.spec.pad_value),
            boxes_xyxy=boxes,
            class_ids=sample.class_ids,
            visible=visible,
            ignore_xyxy=ignore,
        )


def mixed(one: Scene, other: Scene, share: float) -> Scene:
    """Two pictures blended, with the boxes of both.

    After Zhang et al., mixup (2018), arXiv:1710.09412, in the form used for detection: labels are not weighted.
    """
    blend = one.picture.astype(np.float32) * np.float32(share) + other.picture.astype(np.float32) * np.float32(
        1 - share
    )
    return Scene(
        picture=np.rint(blend).astype(np.uint8),
        boxes_xyxy=np.concatenate([one.boxes_xyxy, other.boxes_xyxy]),
        class_ids=np.concatenate([one.class_ids, other.class_ids]),
        visible=np.concatenate([one.visible, other.visible]),
        ignore_xyxy=np.concatenate([one.ignore_xyxy, other.ignore_xyxy]),
    )
