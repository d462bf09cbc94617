"""A picture's size without decoding it, and damage that OpenCV overlooks, both by Pillow."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from nanoedge.errors import NanoEdgeError, PictureError

LARGEST = 2**30  # pixels; OpenCV reads no larger ones
_FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "TIFF")
_EXIF_ORIENTATION = 0x0112
_TURNED_BY_90 = (5, 6, 7, 8)


@dataclass(frozen=True)
class PictureHeader:
    """What stands at the beginning of a picture file.

    Attributes:
        width: after the EXIF turn, as everything in NanoEdge counts.
        height: likewise.
        orientation: of EXIF, 1 (as stored) to 8.
        mode: of Pillow: RGB, L, P, CMYK, I;16, …
    """

    width: int
    height: int
    orientation: int
    mode: str

    @property
    def stored_size(self) -> tuple[int, int]:
        """Width and height as stored, before the turn."""
        return (self.height, self.width) if self.orientation in _TURNED_BY_90 else (self.width, self.height)


def read_header(path: Path) -> PictureHeader:
    """Size and EXIF turn of a picture.

    Raises:
        PictureError: when there is no such file or it is no picture.
    """
    with _opened(path) as image:
        return _header(image)


def read_grey(path: Path, side: int) -> tuple[PictureHeader, npt.NDArray[np.uint8]]:
    """Decode a picture whole, in grey and small, turned as its EXIF data say.

    Args:
        path: the picture.
        side: width and height of the result.

    Returns:
        The header, and uint8 [side, side].

    Raises:
        PictureError: when it cannot be decoded to its end: the file is cut off or damaged.
    """
    pillow = _pillow()
    with _opened(path) as image:
        header = _header(image)
        if header.width * header.height > LARGEST:
            size = f"{header.width}x{header.height}"
            raise PictureError(f"The picture {path} is too large to be decoded: {size} pixels.")
        image.draft("L", (4 * side, 4 * side))  # JPEG: decode to about this size
        try:
            image.load()
            grey = image.convert("F") if image.mode.startswith("I") else image.convert("L")
            small = grey.resize((side, side), pillow.Image.Resampling.BOX)
            turned = np.asarray(_turned(small, header.orientation, pillow))
        except MemoryError as error:
            raise PictureError(f"The picture {path} needs more memory than there is.") from error
        except Exception as error:  # Pillow raises anything on damaged files
            what = "is cut off" if "truncated" in str(error) else "is damaged"
            raise PictureError(f"The picture {path} {what}: {error}.") from error
    if turned.dtype != np.uint8:  # 16 bits a channel
        turned = np.clip(turned / max(1.0, float(turned.max())) * 255, 0, 255).astype(np.uint8)
    return header, turned


def _turned(small: Any, orientation: int, pillow: ModuleType) -> Any:
    turn = pillow.Image.Transpose
    turns = {
        2: turn.FLIP_LEFT_RIGHT, 3: turn.ROTATE_180, 4: turn.FLIP_TOP_BOTTOM, 5: turn.TRANSPOSE,
        6: turn.ROTATE_270, 7: turn.TRANSVERSE, 8: turn.ROTATE_90,
    }  # fmt: skip
    return small.transpose(turns[orientation]) if orientation in turns else small


def _pillow() -> ModuleType:
    try:
        import PIL
        import PIL.Image
    except ImportError as error:
        raise NanoEdgeError("Data sets are read with Pillow: pip install 'nanoedge[train]'.") from error
    PIL.Image.MAX_IMAGE_PIXELS = None  # large pictures are the user's own
    return PIL


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    pillow = _pillow()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = pillow.Image.open(path, formats=_FORMATS)
    except FileNotFoundError as error:
        raise PictureError(f"There is no picture {path}.") from error
    except PermissionError as error:
        raise PictureError(f"The picture {path} cannot be read: {error.strerror}.") from error
    except (OSError, SyntaxError, ValueError, pillow.UnidentifiedImageError) as error:
        size = path.stat().st_size if path.is_file() else -1
        what = "is empty (0 bytes)" if size == 0 else "is no picture that can be read, or it is damaged"
        raise PictureError(f"{path} {what}.") from error
    with image:
        yield image


def _header(image: Any) -> PictureHeader:
    width, height = image.size
    try:
        orientation = int(image.getexif().get(_EXIF_ORIENTATION, 1))
    except Exception:
        orientation = 1
    if orientation not in range(1, 9):
        orientation = 1
    if orientation in _TURNED_BY_90:
        width, height = height, width
    return PictureHeader(width, height, orientation, image.mode)
