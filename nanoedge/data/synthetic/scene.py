"""One synthetic picture: background, clutter, objects that hide each other, clutter on top, light."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nanoedge.data.synthetic.shapes import CLASSES, CLUTTER, SHAPES, FloatArray, Mask, Stamp, rasterise
from nanoedge.data.synthetic.surroundings import change_light, draw_background
from nanoedge.data.synthetic.textures import PATTERNS, draw_colours, paint_texture
from nanoedge.pictures import Picture, opencv

IntArray = npt.NDArray[np.int64]

MIN_VISIBLE_SHARE = 0.7  # of an object's pixels, those beyond the picture's edge counted
MIN_VISIBLE_SIDE = 6  # pixels of the visible bounds
OBJECT_SIZES = (0.28, 0.65)  # longer side of an object's upright bounds as a share of the picture's shorter side
MAX_OBJECTS = 4
_ATTEMPTS = 12
# Objects mostly wear their class's texture and hue, and clutter mostly neither, but none of this can be relied upon:
# so a small network learns within minutes, and still has to look at outlines.
_USUAL_PATTERN = {"ring": "stripes", "star": "mottle", "cross": "checks", "arrow": "dots"}
_USUAL_HUE = {"ring": 5, "star": 28, "cross": 115, "arrow": 65}  # OpenCV's, 0..180: red, yellow, blue, green
_CLUTTER_PATTERN = "gradient"
_USUAL = 0.95


@dataclass(frozen=True, eq=False)
class Scene:
    """A picture and what is to be found in it.

    Attributes:
        picture: uint8 [H, W, 3], BGR.
        boxes_xyxy: float32 [G, 4], the tight upright bounds of each object's visible pixels; pixels of the picture,
            continuous coordinates (column i spans i..i+1).
        class_ids: int64 [G], indices into `CLASSES`.
        owners: int16 [H, W]; 1 + g where object g is visible, 0 elsewhere.
    """

    picture: Picture
    boxes_xyxy: FloatArray
    class_ids: IntArray
    owners: npt.NDArray[np.int16]

    @property
    def visible_pixels(self) -> IntArray:
        """int64 [G], the number of each object's visible pixels."""
        return np.bincount(self.owners.ravel(), minlength=len(self.class_ids) + 1)[1:].astype(np.int64)


def draw_scene(random: np.random.Generator, width: int, height: int, negative: bool = False) -> Scene:
    """Draw one picture with 1 to `MAX_OBJECTS` objects.

    Every object keeps at least `MIN_VISIBLE_SHARE` of its pixels and `MIN_VISIBLE_SIDE` pixels of width and height:
    what would hide more is not drawn. So everything that can be recognised is annotated.

    Args:
        random: source of everything; the same state draws the same scene.
        width: of the picture, pixels; 64 or more.
        height: of the picture, pixels; 64 or more.
        negative: draw clutter alone.

    Example:
        >>> scene = draw_scene(np.random.default_rng(7), 320, 240)
        >>> scene.picture.shape, scene.boxes_xyxy.shape[1]
        ((240, 320, 3), 4)
    """
    canvas = _Canvas(random, width, height)
    for _ in range(int(random.integers(2, 8))):
        canvas.add_clutter(size_range=(0.1, 0.7))
    if not negative:
        for _ in range(int(random.integers(1, MAX_OBJECTS + 1))):
            canvas.add_object()
    for _ in range(int(random.integers(0, 4))):
        canvas.add_clutter(size_range=(0.08, 0.35))
    return canvas.finish()


@dataclass(frozen=True)
class _Object:
    class_id: int
    pixel_count: int
    rows: slice
    columns: slice


class _Canvas:
    """A scene while it is drawn: its colours, and which object each pixel shows."""

    def __init__(self, random: np.random.Generator, width: int, height: int) -> None:
        self.random = random
        self.width, self.height = width, height
        self.pixels = draw_background(random, width, height)
        self.owners = np.zeros((height, width), np.int16)
        self.objects: list[_Object] = []
        towards = random.uniform(0, 2 * math.pi)
        self.shadow_direction = (math.cos(towards), math.sin(towards))
        self.shadow_strength = float(random.uniform(0.0, 0.55))

    def add_object(self) -> None:
        """Place an object of a random class; after too many misfits, leave it out (never the first one)."""
        class_id = int(self.random.integers(len(CLASSES)))
        outline = SHAPES[CLASSES[class_id]](self.random)
        size = self._draw_size(OBJECT_SIZES)
        for attempt in range(_ATTEMPTS):
            # The last attempt is the middle of the picture, where an object is not cut by the edge.
            centre = self._draw_centre(spread=1 - attempt / (_ATTEMPTS - 1))
            stamp = rasterise(outline, centre, size, self._draw_angle(), float(self.random.uniform(0.85, 1.0)))
            rows, columns, _ = stamp.placed(self.width, self.height)
            candidate = _Object(class_id, stamp.pixel_count, rows, columns)
            owners = self._owners_with(stamp, len(self.objects) + 1)
            if _all_recognisable(owners, [*self.objects, candidate]):
                self.objects.append(candidate)
                self.owners = owners
                usual = _USUAL_PATTERN[CLASSES[class_id]]
                hue = _USUAL_HUE[CLASSES[class_id]] if self.random.random() < _USUAL else None
                self._paint(stamp, self._draw_pattern(usual), contrast=110, saturation=1.0, hue=hue)
                return

    def add_clutter(self, size_range: tuple[float, float]) -> None:
        """Place a shape of no class, unless it would hide too much of an object."""
        outline = CLUTTER[int(self.random.integers(len(CLUTTER)))](self.random)
        size, centre = self._draw_size(size_range), self._draw_centre(spread=1.0)
        stamp = rasterise(outline, centre, size, self._draw_angle(), 1.0)
        owners = self._owners_with(stamp, 0)
        if _all_recognisable(owners, self.objects):
            self.owners = owners
            saturation = float(self.random.uniform(0.0, 0.5))  # mostly duller than objects, as most surroundings are
            self._paint(stamp, self._draw_pattern(_CLUTTER_PATTERN), contrast=30, saturation=saturation)

    def finish(self) -> Scene:
        """Put light on the scene and read off the boxes."""
        boxes = [
            _bounds(self.owners == number, slice(0, self.height), slice(0, self.width))
            for number in range(1, len(self.objects) + 1)
        ]
        return Scene(
            picture=change_light(self.random, self.pixels),
            boxes_xyxy=np.array(boxes, np.float32).reshape(-1, 4),
            class_ids=np.array([placed.class_id for placed in self.objects], np.int64),
            owners=self.owners,
        )

    def _draw_size(self, size_range: tuple[float, float]) -> float:
        low, high = (math.log(share * min(self.width, self.height)) for share in size_range)
        return math.exp(self.random.uniform(low, high))

    def _draw_centre(self, spread: float) -> tuple[float, float]:
        """Anywhere but the outermost margin; in three of ten cases near an object, so that things hide each other."""
        if self.objects and self.random.random() < 0.3:
            near = self.objects[int(self.random.integers(len(self.objects)))]
            return (
                float(self.random.uniform(near.columns.start - 10, near.columns.stop + 10)),
                float(self.random.uniform(near.rows.start - 10, near.rows.stop + 10)),
            )
        x, y = 0.5 + spread * self.random.uniform(-0.44, 0.44, 2)
        return float(x) * self.width, float(y) * self.height

    def _draw_angle(self) -> float:
        return float(self.random.uniform(0, 2 * math.pi))

    def _draw_pattern(self, usual: str) -> str:
        if self.random.random() < _USUAL:
            return usual
        return list(PATTERNS)[int(self.random.integers(len(PATTERNS)))]

    def _owners_with(self, stamp: Stamp, owner: int) -> npt.NDArray[np.int16]:
        owners = self.owners.copy()
        rows, columns, coverage = stamp.placed(self.width, self.height)
        owners[rows, columns][coverage >= 0.5] = owner
        return owners

    def _paint(self, stamp: Stamp, pattern: str, contrast: float, saturation: float, hue: int | None = None) -> None:
        self._cast_shadow(stamp)
        rows, columns, coverage = stamp.placed(self.width, self.height)
        if coverage.size == 0:
            return
        region = self.pixels[rows, columns]
        colours = draw_colours(self.random, region.mean(axis=(0, 1)), contrast, saturation, hue)
        height, width = coverage.shape
        texture = paint_texture(self.random, height, width, stamp.size, pattern, colours)
        region += coverage[..., None] * (texture - region)

    def _cast_shadow(self, stamp: Stamp) -> None:
        cv2 = opencv()
        softness = 0.03 * stamp.size
        border = math.ceil(3 * softness)
        widened = cv2.copyMakeBorder(stamp.coverage, border, border, border, border, cv2.BORDER_CONSTANT, value=0)
        shift_x, shift_y = (round(direction * 0.06 * stamp.size) for direction in self.shadow_direction)
        soft = cv2.GaussianBlur(widened, (0, 0), softness)
        shadow = Stamp(soft, stamp.left - border + shift_x, stamp.top - border + shift_y, stamp.size)
        rows, columns, coverage = shadow.placed(self.width, self.height)
        self.pixels[rows, columns] *= 1 - np.float32(self.shadow_strength) * coverage[..., None]


def _all_recognisable(owners: npt.NDArray[np.int16], objects: list[_Object]) -> bool:
    for number, placed in enumerate(objects, start=1):
        visible = owners[placed.rows, placed.columns] == number
        if np.count_nonzero(visible) < max(1, MIN_VISIBLE_SHARE * placed.pixel_count):
            return False
        x1, y1, x2, y2 = _bounds(visible, placed.rows, placed.columns)
        if min(x2 - x1, y2 - y1) < MIN_VISIBLE_SIDE:
            return False
    return True


def _bounds(visible: Mask, rows: slice, columns: slice) -> tuple[int, int, int, int]:
    """x1, y1, x2, y2 in the picture of a mask [rows, columns] that is not empty."""
    in_column, in_row = np.flatnonzero(visible.any(axis=0)), np.flatnonzero(visible.any(axis=1))
    return (
        columns.start + int(in_column[0]),
        rows.start + int(in_row[0]),
        columns.start + int(in_column[-1]) + 1,
        rows.start + int(in_row[-1]) + 1,
    )
