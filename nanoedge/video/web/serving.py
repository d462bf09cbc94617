"""The page beside a pipeline: its packages are loaded while the network is, and boxes do not wait for either."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from nanoedge.errors import NanoEdgeError
from nanoedge.video.outputs.events import Events
from nanoedge.video.outputs.switched_recording import SwitchedRecording
from nanoedge.video.web.access import Access, ListenAddress, new_token, read_token
from nanoedge.video.web.live import Live
from nanoedge.video.web.server import WebServer, listening_socket

if TYPE_CHECKING:
    from nanoedge.video.pipeline.pipeline import Pipeline

PACKAGES = ("fastapi", "uvicorn", "websockets")


class Serving:
    """What `--serve` starts.

    Args:
        address: `HOST:PORT`.
        token_file: where the token is; one is made when it is needed and not given.
        most_viewers: live pages at a time.
        score: what outputs report is above it.
        events: the folder of events, if there is one.
        recordings: what the page's button switches, if anything may be written.

    Attributes:
        live: the output that the page is shown from.
        failure: why the page could not be served; `None` while it can.

    Raises:
        InputError: for an address that cannot be listened on, or a token that cannot be read.
        NanoEdgeError: when the packages for it are not installed; says how.
    """

    def __init__(
        self,
        address: str,
        token_file: Path | None,
        most_viewers: int,
        score: float,
        events: Events | None,
        recordings: SwitchedRecording | None,
    ) -> None:
        missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
        if missing:
            raise NanoEdgeError(f"The page needs more packages ({', '.join(missing)}): pip install 'nanoedge[video]'.")
        self.live = Live()
        self.failure: Exception | None = None
        self._address = ListenAddress.from_text(address)
        token = None if token_file is None else read_token(token_file)
        self._made_token = token is None and not self._address.is_loopback
        self._token = new_token() if self._made_token else token
        self._listener = listening_socket(self._address)
        self._most_viewers, self._score = most_viewers, score
        self._events, self._recordings = events, recordings
        self._server: WebServer | None = None
        self._loading = threading.Thread(target=_load, name="nanoedge-web-loading")
        self._loading.start()
        self._starting = threading.Thread()

    def start(self, pipeline: Pipeline, log: Callable[[str], None]) -> None:
        """Serve as soon as everything is loaded; the page's address is logged then. A failure ends the pipeline."""
        self._starting = threading.Thread(
            target=self._serve, args=(pipeline, log), name="nanoedge-web-starting", daemon=True
        )
        self._starting.start()

    def _serve(self, pipeline: Pipeline, log: Callable[[str], None]) -> None:
        from nanoedge.video.web.station import Station

        self._loading.join()
        access = Access(self._token, frozenset({self._address.host.lower()}))
        try:
            _ = pipeline.detector  # is there before anything asks for it
            station = Station(pipeline, self.live, self._score, self._events, self._recordings)
            self._server = WebServer(self._listener, station, self.live, access, self._most_viewers)
            self._server.start()
        except Exception as error:
            self.failure = error  # raised again by the camera
            pipeline.stop()
            return
        url = self._address.url(self._server.port)
        shown = f"?token={self._token}" if self._made_token else ""
        more = ", with ?token=… from the token file behind it" if self._token and not self._made_token else ""
        log(f"the page is at {url}{shown}{more}")

    def stop(self) -> None:
        """End within some seconds."""
        self._starting.join(timeout=20)
        if self._server is not None:
            self._server.stop()
        else:
            self._listener.close()


def _load() -> None:
    """What the server imports, ahead of its start; what fails here fails there again, with a sentence."""
    try:
        import uvicorn  # noqa: F401

        import nanoedge.video.web.app  # noqa: F401
    except ImportError:
        return
