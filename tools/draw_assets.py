"""Draw the pictures in assets/pictures: eight synthetic scenes, the last one without objects.

Run from the repository's root: python tools/draw_assets.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from nanoedge.data.synthetic import draw_scene
from nanoedge.pictures import opencv

FOLDER = Path(__file__).resolve().parent.parent / "assets" / "pictures"
COUNT = 8
WIDTH, HEIGHT = 640, 480
SEED = 2
JPEG_QUALITY = 85


def main() -> None:
    """Write scene-1.jpg to scene-8.jpg."""
    cv2 = opencv()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for number in range(1, COUNT + 1):
        scene = draw_scene(np.random.default_rng([SEED, number]), WIDTH, HEIGHT, negative=number == COUNT)
        _, data = cv2.imencode(".jpg", scene.picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        path = FOLDER / f"scene-{number}.jpg"
        path.write_bytes(data.tobytes())
        print(f"{path.name}: {len(scene.class_ids)} objects, {len(data) / 1024:.0f} KB")


if __name__ == "__main__":
    main()
