"""A network camera that speaks HTTP and sends JPEG pictures without an end, or one for each request."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.video.network_camera import NetworkCamera

SERVER = """
import http.server, sys, time
import cv2, numpy as np

port, rate, width, height = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
user = sys.argv[5]

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
        if self.path.startswith("/snapshot"):
            jpeg = cv2.imencode(".jpg", np.full((height, width, 3), 100, np.uint8))[1].tobytes()
            self.send_header("Content-Type", "image/jpeg")
            self.send_header("Content-Length", str(len(jpeg)))
            self.end_headers()
            self.wfile.write(jpeg)
            return
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        number = 0
        while True:
            rows = width if "grow" in self.path and number > 20 else height
            picture = np.full((rows, width, 3), number % 200, np.uint8)
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


class MjpegServer(NetworkCamera):
    """A picture that becomes brighter.

    Args:
        folder: for its program.
        rate: pictures a second.
        size: width and height.
        authorization: the header that is demanded; `-` for none.
    """

    def __init__(
        self, folder: Path, rate: float = 100, size: tuple[int, int] = (64, 48), authorization: str = "-"
    ) -> None:
        super().__init__(sys.executable, SERVER, folder, *map(str, (rate, *size, authorization)))

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/stream.mjpg"

    @property
    def snapshot_address(self) -> str:
        return f"http://127.0.0.1:{self.port}/snapshot.jpg"
