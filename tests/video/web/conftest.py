"""A camera with its page, in a process of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest


class RunningCamera:
    """`nanoedge camera --serve`.

    Attributes:
        url: of the page, without the token.
        token: that was printed.
    """

    def __init__(self, bundle: Path, *arguments: str) -> None:
        command = [sys.executable, "-m", "nanoedge", "camera", str(bundle), "--threads", "1", *arguments]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self._process.stderr is not None
        self.said: list[str] = []
        for line in self._process.stderr:
            self.said.append(line)
            found = re.search(r"the page is at (http://\S+/)(?:\?token=(\S+))?", line)
            if found:
                self.url, self.token = found[1], found[2]
                break
        else:
            raise AssertionError(f"it did not start: {self.said}")
        end = time.monotonic() + 60
        while self.get("healthz")[0] != 200:
            assert time.monotonic() < end, self.get("healthz")
            time.sleep(0.05)

    def get(self, path: str, body: Any = None, **headers: str) -> tuple[int, bytes]:
        """Status and body of an answer."""
        request = urllib.request.Request(self.url + path, headers=headers)
        if body is not None:
            request.data = body if isinstance(body, bytes) else json.dumps(body).encode()
            request.add_header("content-type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def json(self, path: str, body: Any = None, **headers: str) -> Any:
        """The document of an answer that must be 200."""
        status, answer = self.get(path, body, **headers)
        assert status == 200, answer
        return json.loads(answer)

    def megabytes(self) -> float:
        """Its resident memory."""
        return int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]) * 4096 / 1e6

    def threads(self) -> int:
        """How many it has."""
        return len(os.listdir(f"/proc/{self._process.pid}/task"))

    def open_files(self) -> int:
        """How many it has."""
        return len(os.listdir(f"/proc/{self._process.pid}/fd"))

    def stop(self) -> int:
        """End it as systemd does; its exit status."""
        self._process.send_signal(signal.SIGTERM)
        self._process.communicate(timeout=30)
        return self._process.returncode


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pictures with shapes that the small network knows."""
    from nanoedge.data.synthetic import write_synthetic_set

    folder = tmp_path_factory.mktemp("pictures")
    write_synthetic_set(folder, {"train": 6, "val": 1}, (160, 120), seed=1)
    return next(path.parent for path in sorted(folder.rglob("*")) if path.suffix in (".jpg", ".png"))


@pytest.fixture
def start(small_bundle: Path) -> Iterator[Callable[..., RunningCamera]]:
    """Starts cameras that are ended with the test."""
    running: list[RunningCamera] = []

    def begin(*arguments: str) -> RunningCamera:
        running.append(RunningCamera(small_bundle, *arguments))
        return running[-1]

    yield begin
    for camera in running:
        camera.stop()
