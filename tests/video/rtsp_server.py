"""A network camera that speaks RTSP and sends H.264, as most do: Debian's gst-rtsp-server, run by Debian's Python."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path

from tests.video.network_camera import NetworkCamera

# .ci/run installs the server: there a skip would hide a fault.
REQUIRED = os.environ.get("NANOEDGE_REQUIRE_RTSP") == "1"
PACKAGES = "gir1.2-gst-rtsp-server-1.0 and python3-gi"
PYTHON = "/usr/bin/python3"
LIBRARIES = """
import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer
"""
SERVER = f"""{LIBRARIES}
import sys

port, rate, width, height, user, password = sys.argv[1:]
Gst.init(None)
server = GstRtspServer.RTSPServer(address="127.0.0.1", service=port)
factory = GstRtspServer.RTSPMediaFactory(shared=True)
factory.set_launch(
    f"( videotestsrc is-live=true pattern=ball ! "
    f"video/x-raw,format=I420,width={{width}},height={{height}},framerate={{rate}}/1 ! "
    f"openh264enc gop-size={{rate}} complexity=low ! h264parse config-interval=-1 ! rtph264pay name=pay0 pt=96 )"
)
if user:
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth = GstRtspServer.RTSPAuth()
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    server.set_auth(auth)
    rights = GstRtspServer.RTSPPermissions()
    for right in ("access", "construct"):
        rights.add_permission_for_role("viewer", f"media.factory.{{right}}", True)
    factory.set_permissions(rights)
server.get_mount_points().add_factory("/stream", factory)
server.attach(None)
GLib.MainLoop().run()
"""


class RtspServer(NetworkCamera):
    """A white ball that moves on black.

    Args:
        folder: for its program.
        rate: frames a second.
        size: width and height.
        user: who may see it; empty for everybody.
        password: the user's.
    """

    def __init__(
        self, folder: Path, rate: int = 25, size: tuple[int, int] = (64, 48), user: str = "", password: str = ""
    ) -> None:
        super().__init__(PYTHON, SERVER, folder, *map(str, (rate, *size, user, password)))

    def address(self, credentials: str = "", path: str = "stream") -> str:
        """`rtsp://credentials@127.0.0.1:port/path`."""
        return f"rtsp://{credentials}{'@' if credentials else ''}127.0.0.1:{self.port}/{path}"


@cache
def rtsp_server_is_installed() -> bool:
    """Whether Debian's packages are there."""
    try:
        return subprocess.run([PYTHON, "-c", LIBRARIES], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
