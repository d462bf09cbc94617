"""A camera on the network: a real server on loopback in a process of its own, which can be taken away and return."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from pathlib import Path


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class NetworkCamera:
    """The camera; `kill` takes it away without a goodbye, `start` brings it back at the same address.

    Args:
        python: the interpreter that runs its program.
        program: its text; the port is its first argument.
        folder: where the program is kept.
        arguments: those behind the port.
    """

    def __init__(self, python: str, program: str, folder: Path, *arguments: str) -> None:
        self.port = free_port()
        file = folder / f"camera-{self.port}.py"
        file.write_text(program)
        self._command = [python, str(file), str(self.port), *arguments]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Until it listens."""
        self._process = subprocess.Popen(self._command)
        end = time.monotonic() + 30
        while time.monotonic() < end and self._process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        self.kill()
        raise AssertionError("the camera did not start")

    def freeze(self) -> None:
        """Keep its connections open and send nothing more."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = None
