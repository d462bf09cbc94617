"""Reading and writing pictures: 8 bits a channel, BGR, EXIF orientation applied.

A leaf module, so that training, evaluation and detection read a picture in one way. `import cv2` happens in one place,
here, because a missing system library is best explained once.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import numpy.typing as npt

from nanoedge.errors import InputError, NanoEdgeError, PictureError
from nanoedge.files import write_atomically

Picture = npt.NDArray[np.uint8]
"""uint8 [height, width, 3], BGR."""

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})
_DEBIAN_PACKAGES = {"libGL.so.1": "libgl1", "libgthread-2.0.so.0": "libglib2.0-0", "libglib-2.0.so.0": "libglib2.0-0"}


def opencv() -> ModuleType:
    """The module `cv2`.

    Raises:
        NanoEdgeError: when it cannot be imported; names the Debian package that cures it.
    """
    try:
        import cv2
    except ImportError as error:
        message = str(error)
        for library, package in _DEBIAN_PACKAGES.items():
            if library in message:
                raise NanoEdgeError(
                    f"OpenCV needs the system library {library}. On Debian: apt-get install {package}."
                ) from error
        raise NanoEdgeError(f"OpenCV cannot be imported ({message}). Install it: pip install opencv-python.") from error
    return cv2


def read_picture(path: str | Path, reduction: int = 1) -> Picture:
    """Read one picture as uint8 BGR [height, width, 3] with its EXIF turn applied.

    Args:
        path: the file.
        reduction: 2, 4 or 8 decode to a half, a quarter or an eighth of the size (rounded up), which is much faster
            for JPEG.

    Raises:
        PictureError: when the file is missing, empty, truncated beyond decoding, or no picture.
    """
    cv2 = opencv()
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise PictureError(f"The picture {path} cannot be read: {error.strerror or error}.") from error
    if data.size == 0:
        raise PictureError(f"The picture {path} is empty (0 bytes).")
    try:
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR if reduction == 1 else _reduced(cv2, reduction))
    except cv2.error as error:
        raise PictureError(f"The picture {path} cannot be decoded: {error.err}.") from error
    if picture is None:
        raise PictureError(f"{path} is no picture that can be decoded, or it is damaged.")
    return np.ascontiguousarray(picture)


def _reduced(cv2: ModuleType, reduction: int) -> int:
    flags = {2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4, 8: cv2.IMREAD_REDUCED_COLOR_8}
    flag: int = flags[reduction]
    return flag


def write_picture(path: Path, picture: Picture) -> None:
    """Write a picture in the format that the suffix names, whole or not at all.

    Raises:
        NanoEdgeError: when it cannot be encoded or written.
    """
    write_atomically(path, encode_picture(picture, path.suffix))


def encode_picture(picture: Picture, suffix: str, jpeg_quality: int | None = None) -> bytes:
    """Encode as `.png`, `.jpg`, ….

    Args:
        picture: uint8 BGR.
        suffix: names the format.
        jpeg_quality: 1 to 100; `None` leaves OpenCV's choice.

    Raises:
        InputError: for an unknown suffix.
    """
    cv2 = opencv()
    try:
        settings = [] if jpeg_quality is None else [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality]
        done, data = cv2.imencode(suffix, picture, settings)
    except cv2.error:
        done = False
    if not done:
        raise InputError(f"Pictures cannot be written as {suffix!r}; use .jpg or .png.")
    return bytes(data.tobytes())


def list_pictures(folder: Path) -> list[Path]:
    """All picture files of a folder, by name, not of its subfolders."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES and path.is_file())
