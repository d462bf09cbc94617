"""Serving the page from a thread of its own."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

from nanoedge.errors import InputError, NanoEdgeError
from nanoedge.video.web.access import Access, ListenAddress

MOST_CONNECTIONS = 64
START_SECONDS = 20.0


def listening_socket(address: ListenAddress) -> socket.socket:
    """Taken before anything else begins, so that a taken port is told at once.

    Raises:
        InputError: when it cannot be had.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address.host, address.port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise InputError(f"{address.host}:{address.port} cannot be listened on: {error.strerror or error}.") from error
    return listener


class WebServer:
    """The page's server.

    Args:
        listener: from `listening_socket`.
        station: what is shown.
        live: the newest pictures.
        access: who may see it.
        most_viewers: live streams at a time.
    """

    def __init__(self, listener: socket.socket, station: Any, live: Any, access: Access, most_viewers: int) -> None:
        import uvicorn

        from nanoedge.video.web.app import Viewers, make_app

        self.viewers = Viewers(most_viewers)
        self._listener = listener
        config = uvicorn.Config(
            make_app(station, live, access, self.viewers),
            log_config=None,
            access_log=False,
            lifespan="off",
            limit_concurrency=MOST_CONNECTIONS,
            h11_max_incomplete_event_size=16 * 1024,
            ws_max_size=1024,
            ws_max_queue=4,
            ws_ping_interval=20,
            ws_ping_timeout=20,
            ws_per_message_deflate=False,
            timeout_keep_alive=10,
            timeout_graceful_shutdown=2,
            server_header=False,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="nanoedge-web", daemon=True)

    @property
    def port(self) -> int:
        """The one that was really taken."""
        return int(self._listener.getsockname()[1])

    def _run(self) -> None:
        import asyncio

        asyncio.run(self._server.serve(sockets=[self._listener]))

    def start(self) -> None:
        """Return when it answers.

        Raises:
            NanoEdgeError: when it does not start.
        """
        self._thread.start()
        end = time.monotonic() + START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > end:
                raise NanoEdgeError("The page's server did not start.")
            time.sleep(0.01)

    def stop(self) -> None:
        """End within some seconds."""
        self._server.should_exit = True
        self._thread.join(timeout=5)
        self._listener.close()
