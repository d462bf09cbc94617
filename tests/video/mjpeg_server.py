"""A network camera: a real HTTP server on loopback that sends JPEG pictures without an end, in a process of its own."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path

SERVER = """
import http.server, sys, time
import cv2, numpy as np

port, rate, user = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]

class Camera(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path.startswith("/page"):
            body = b"<!DOCTYPE html><html><body>" + b"<p>This is a page.</p>" * 200
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return
        if user != "-" and self.headers.get("Authorization") != user:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="camera"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        number = 0
        while True:
            side = 64 if "grow" in self.path and number > 20 else 48
            picture = np.full((side, 64, 3), number % 200, np.uint8)
            jpeg = cv2.imencode(".jpg", picture)[1].tobytes()
            head = f"--frame\\r\\nContent-Type: image/jpeg\\r\\nContent-Length: {len(jpeg)}\\r\\n\\r\\n"
            try:
                self.wfile.write(head.encode() + jpeg + b"\\r\\n")
            except OSError:
                return
            number += 1
            time.sleep(1 / rate)

    def log_message(self, *arguments):
        pass

http.server.ThreadingHTTPServer.allow_reuse_address = True
http.server.ThreadingHTTPServer(("127.0.0.1", port), Camera).serve_forever()
"""


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class MjpegServer:
    """The camera; `kill` takes it away without a goodbye, `start` brings it back at the same address.

    Args:
        folder: for its program.
        rate: pictures a second.
        authorization: the header that is demanded; `-` for none.
    """

    def __init__(self, folder: Path, rate: float = 100, authorization: str = "-") -> None:
        self.port = free_port()
        self._program = folder / "camera.py"
        self._program.write_text(SERVER)
        self._rest = [str(rate), authorization]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/stream.mjpg"

    def start(self) -> None:
        command = [sys.executable, str(self._program), str(self.port), *self._rest]
        self._process = subprocess.Popen(command)
        end = time.monotonic() + 30
        while time.monotonic() < end:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise AssertionError("the camera did not start")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = None
