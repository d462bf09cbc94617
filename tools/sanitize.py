"""Runs the sanitized C++ tests on a bundle of random weights: python -m tools.sanitize BUILD_FOLDER."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path


def main(arguments: list[str]) -> int:
    """Make a small bundle, then run the tests; the exit status is theirs."""
    build = Path(arguments[0])
    with tempfile.TemporaryDirectory() as folder:
        bundle = make_bundle(Path(folder))
        environment = {
            **os.environ,
            "NANOEDGE_TEST_BUNDLE": str(bundle),
            "UBSAN_OPTIONS": "print_stacktrace=1",
        }
        # OpenVINO's libraries are opened in a way that AddressSanitizer does not allow; its part is skipped, visibly.
        environment.pop("NANOEDGE_OPENVINO", None)
        done = subprocess.run([build / "tests" / "nanoedge-tests"], env=environment, check=False)
        return done.returncode


def make_bundle(folder: Path) -> Path:
    """A network of a few seconds' training as a bundle."""
    data, run, bundle = folder / "shapes", folder / "run", folder / "small.nanoedge"
    small = ["input.width=96", "input.height=64", "model.neck.channels=32", "model.head.channels=32"]
    small += ["model.agm.channels=32", "training.batch_size=8", "training.warmup_steps=4", "training.epochs=2"]
    commands = (
        ["data", "synth", data, "--train", "16", "--val", "4", "--size", "160x120"],
        ["train", "demo", f"data.root={data}", "data.workers=0", *small, "--out", run],
        ["export", run / "checkpoints" / "last.ckpt", "--target", "all", "--out", bundle],
    )
    for command in commands:
        subprocess.run([sys.executable, "-m", "nanoedge", *map(str, command), "-q"], check=True, stdout=sys.stderr)
    return bundle


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
