"""Run in a fresh process by the parity check: one engine of a bundle over some pictures, raw outputs into a file.

python -m nanoedge.export.raw_outputs BUNDLE ENGINE PRECISION OUTPUT.npz PICTURE…
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import cast

import numpy as np

from nanoedge.bundle import FilePrecision
from nanoedge.errors import NanoEdgeError
from nanoedge.pictures import read_picture
from nanoedge.runtime.detector import Detector


def main(arguments: list[str]) -> int:
    """Write `output` [pictures, priors, channels], float32; errors go to standard error as one sentence."""
    bundle, engine, precision, output, *pictures = arguments
    try:
        detector = Detector(bundle, engine, precision=cast("FilePrecision", precision))
        outputs = [detector.forward(detector.preprocess(read_picture(picture))[0])[0] for picture in pictures]
        np.savez(Path(output), output=np.stack(outputs))
    except NanoEdgeError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
