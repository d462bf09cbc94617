"""Take docs/pictures/camera-page.jpg and camera-page-phone.jpg: the camera's page in a real browser.

Run from the repository's root, after `make demo`: python -m tools.draw_page demo/demo.nanoedge demo/data/images/val
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from nanoedge.pictures import opencv, read_picture
from tests.browser import browser_tab

PICTURES = Path(__file__).resolve().parent.parent / "docs" / "pictures"
JPEG_QUALITY = 85
WIDE, PHONE = (1200, 860), (390, 844)
SECONDS = 25
SHOWN = "Number(document.getElementById('picture').dataset.boxes) >= 4"


def main(bundle: str, source: str) -> None:
    """Start the camera, look at its page for a while, keep two pictures."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "nanoedge", "camera", bundle, "--source", source, "--loop", "--realtime"]
        outputs = ["--rate", "5", "--serve", "127.0.0.1:0", "--events", f"{folder}/events", "--recordings", folder]
        process = subprocess.Popen([*command, *outputs], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        try:
            assert process.stderr is not None
            address = next(found[1] for line in process.stderr if (found := re.search(r"page is at (\S+)", line)))
            with browser_tab(Path(folder)) as tab:
                tab.resize(*WIDE)
                tab.open(address)
                tab.wait_for("view.drawn > 5")
                time.sleep(SECONDS)  # for the plots
                tab.wait_for(SHOWN)
                tab.screenshot(Path(folder) / "wide.png")
                tab.resize(*PHONE, phone=True)
                tab.dark(True)
                time.sleep(2)
                tab.wait_for(SHOWN)
                tab.screenshot(Path(folder) / "phone.png")
        finally:
            process.terminate()
            process.wait(timeout=30)
        for name, kept in (("wide", "camera-page"), ("phone", "camera-page-phone")):
            picture = read_picture(Path(folder) / f"{name}.png")
            place = PICTURES / f"{kept}.jpg"
            opencv().imwrite(str(place), picture, [opencv().IMWRITE_JPEG_QUALITY, JPEG_QUALITY])


if __name__ == "__main__":
    main(*sys.argv[1:3])
