"""COCO weights tuned on 240 pictures of coco_open300, measured on the other 60: python -m tools.results.coco_tuning."""

from __future__ import annotations

import json
import random
import tempfile
import time
from pathlib import Path

from tools.results.figures import Figure, at_least, nanoedge, publish, shared_folder

SPLIT_SEED = 0
VALIDATION = 60
LARGEST_FALL = 0.01
SETTINGS = ("recipe=fine-tuning", "training.epochs=2", "training.learning_rate=5e-5")
SETTINGS += ("training.final_learning_rate=5e-6", "training.freeze_norms=true", "training.evaluate_every=2")


def main(settings: tuple[str, ...] = ()) -> None:
    """Evaluate the weights, train two epochs from them, evaluate the averaged weights after the last one.

    Args:
        settings: more of them, for a trial.
    """
    shared = shared_folder()
    data = shared / "data" / "coco_open300"
    weights = shared / "weights" / "nanodet-plus" / "nanodet-plus-m_320.ckpt"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_splits(data / "annotations" / "instances_open300.json", folder)
        truth = ("--annotations", folder / "val.json", "--images", data / "images")
        imported = folder / "imported.ckpt"
        nanoedge("import-nanodet", weights, "--config", "nanodet-plus-m_320", "--out", imported)
        before = nanoedge("eval", imported, *truth)
        parts = [
            f"data.{part}={{annotations: {folder}/{part}.json, images: {data}/images}}" for part in ("train", "val")
        ]
        started = time.perf_counter()
        given = [*parts, "data.root=/", "data.workers=1", *SETTINGS, *settings]
        result = nanoedge("train", "nanodet-plus-m_320", *given, "--weights", weights, "--out", folder / "run")
        minutes = (time.perf_counter() - started) / 60
        after = nanoedge("eval", result["last"], *truth)
    figures = [
        at_least("AP after tuning", after["AP"], round(before["AP"] - LARGEST_FALL, 5)),
        Figure("AP of the weights", before["AP"]),
        Figure("AP50 after tuning", after["AP50"]),
        Figure("AP50 of the weights", before["AP50"]),
        Figure("training with its evaluation", round(minutes, 1), "min"),
    ]
    publish(
        figures, f"240 pictures to learn from, {VALIDATION} others to measure on; {' '.join([*SETTINGS, *settings])}"
    )


def write_splits(annotations: Path, folder: Path) -> None:
    """`train.json` and `val.json`: the pictures drawn with a fixed seed, all categories in both."""
    document = json.loads(annotations.read_text())
    images = sorted(document["images"], key=lambda image: image["id"])
    random.Random(SPLIT_SEED).shuffle(images)
    for name, chosen in (("val", images[:VALIDATION]), ("train", images[VALIDATION:])):
        ids = {image["id"] for image in chosen}
        kept = [row for row in document["annotations"] if row["image_id"] in ids]
        (folder / f"{name}.json").write_text(json.dumps({**document, "images": chosen, "annotations": kept}))


if __name__ == "__main__":
    main()
