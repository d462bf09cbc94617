"""`nanoedge camera` in a process of its own, whose lines of JSON are read as they come."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from tools.results.figures import shared_folder


def person_clip() -> Path:
    """768 x 432, 10 frames a second, 139 seconds, H.264."""
    return shared_folder() / "data" / "videos" / "one-by-one-person-detection.mp4"


class RunningCamera:
    """Started at once.

    Args:
        bundle: the bundle's folder.
        arguments: further ones; `--jsonl -` brings `lines`.

    Attributes:
        started: when, seconds of `time.monotonic`.
    """

    def __init__(self, bundle: Path, *arguments: str | Path, stdin: IO[bytes] | None = None) -> None:
        command = [sys.executable, "-m", "nanoedge", "camera", str(bundle), *map(str, arguments)]
        self.started = time.monotonic()
        self.process = subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self._said: list[str] = []
        self._reader = threading.Thread(target=self._read_errors, daemon=True)
        self._reader.start()

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._said.append(line)

    def page(self, seconds: float = 60) -> str:
        """The address of its page, when it is printed."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := re.search(r"the page is at (http://\S+)", "".join(self._said)):
                return found[1]
            time.sleep(0.02)
        raise SystemExit(f"The camera's page did not start: {''.join(self._said)}")

    def lines(self) -> Iterator[dict[str, Any]]:
        """What `--jsonl -` prints."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            yield json.loads(line)

    def megabytes(self) -> float:
        """Resident memory."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * 4096 / 1e6

    def threads(self) -> int:
        """How many there are."""
        return len(list(Path(f"/proc/{self.process.pid}/task").iterdir()))

    def open_files(self) -> int:
        """How many there are."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def stop(self, reader: threading.Thread | None = None) -> None:
        """End it as a service is ended; `reader` is who else reads `lines`."""
        self.process.send_signal(signal.SIGTERM)
        if reader is not None:
            reader.join(timeout=60)
        elif self.process.stdout is not None:
            self.process.stdout.read()
        self.process.wait(timeout=60)
        self._reader.join(timeout=5)
        if self.process.returncode:
            sys.exit(f"The camera ended with status {self.process.returncode}: {''.join(self._said)}")


def status(page: str) -> dict[str, Any]:
    """What the page's API says."""
    with urllib.request.urlopen(f"{page}api/status", timeout=30) as answer:
        document: dict[str, Any] = json.loads(answer.read())
    return document
