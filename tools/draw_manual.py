"""Draw the pictures in docs/pictures: assignments of the demo's network at three epochs and after fine-tuning, and its
receptive fields.

Run from the repository's root: python -m tools.draw_manual [FOLDER]. Everything is drawn and trained in FOLDER
(default: a temporary one), some minutes on two cores; what is there already is used again.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from nanoedge.config.load import load_config
from nanoedge.data.synthetic import write_synthetic_set
from nanoedge.inspection.assignment_files import draw_assignments
from nanoedge.inspection.receptive_field_report import report_receptive_fields
from nanoedge.pictures import opencv, read_picture
from nanoedge.training.train import train

PICTURES = Path(__file__).resolve().parent.parent / "docs" / "pictures"
COUNTS = {"train": 400, "val": 80}
EPOCHS = (1, 4, 16)
NEW_NAMES = {"ring": "wheel", "star": "sawblade", "cross": "signpost", "arrow": "pointer"}
PICTURE, OTHER_PICTURE = "000004.jpg", "000003.jpg"  # with objects of several sizes
WIDTH, JPEG_QUALITY = 1200, 80


def main() -> None:
    """Train what is missing, draw everything."""
    if len(sys.argv) > 1:
        draw(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            draw(Path(folder))


def draw(folder: Path) -> None:
    """Use and fill `folder` with data, runs and drawings of full size."""
    data, run = folder / "shapes", folder / "run"
    if not data.exists():
        write_synthetic_set(data, COUNTS)
    if not run.exists():
        config = load_config("demo", [f"data.root={data}", f"training.epochs={EPOCHS[-1]}", "training.keep_every=1"])
        train(config, run, say=print)
    checkpoints = run / "checkpoints"
    for epoch in EPOCHS:
        _draw_assignment(checkpoints / f"epoch-{epoch}.ckpt", PICTURE, folder, f"assign-epoch-{epoch}")

    other, tuned = folder / "renamed", folder / "tuned"
    if not other.exists():
        _write_renamed_set(other)
    if not tuned.exists():
        settings = [f"data.root={other}", "training.epochs=1", "training.warmup_steps=10"]
        train(load_config("demo", settings), tuned, weights=checkpoints / f"epoch-{EPOCHS[-1]}.ckpt", say=print)
    _draw_assignment(tuned / "checkpoints" / "last.ckpt", OTHER_PICTURE, folder, "assign-fine-tuned")

    fields = folder / "receptive-field.png"
    report_receptive_fields(str(checkpoints / f"epoch-{EPOCHS[-1]}.ckpt"), out=fields, force=True)
    _publish(fields)


def _write_renamed_set(folder: Path) -> None:
    """Other pictures of the same shapes under names that the network has never heard."""
    for path in write_synthetic_set(folder, COUNTS, seed=1).values():
        document = json.loads(path.read_text())
        for category in document["categories"]:
            category["name"] = NEW_NAMES[category["name"]]
        path.write_text(json.dumps(document))


def _draw_assignment(checkpoint: Path, picture: str, folder: Path, name: str) -> None:
    drawn = folder / f"{name}.png"
    draw_assignments(checkpoint, names=[picture], split="val", out=drawn, force=True)
    _publish(drawn)


def _publish(drawn: Path) -> None:
    """A smaller JPEG for the manual."""
    cv2 = opencv()
    picture = read_picture(drawn)
    height, width = picture.shape[:2]
    if width > WIDTH:
        picture = cv2.resize(picture, (WIDTH, round(height * WIDTH / width)), interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    PICTURES.mkdir(parents=True, exist_ok=True)
    path = PICTURES / f"{drawn.stem}.jpg"
    path.write_bytes(data.tobytes())
    print(f"{path.name}: {len(data) / 1024:.0f} KB")


if __name__ == "__main__":
    main()
