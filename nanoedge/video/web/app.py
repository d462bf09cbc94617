"""The server's routes: page, live stream, API, metrics, health."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse
from pydantic import BaseModel, ConfigDict, Field

from nanoedge import __version__
from nanoedge.pictures import encode_picture
from nanoedge.runtime.drawing import draw_detections
from nanoedge.video.pixels import bgr_of
from nanoedge.video.web.access import COOKIE, Access, shown_token
from nanoedge.video.web.live import Live
from nanoedge.video.web.station import Station

PAGE = Path(__file__).parent / "page"
FILES = {
    "app.js": "text/javascript",
    "plot.js": "text/javascript",
    "api.js": "text/javascript",
    "style.css": "text/css",
    "icon.svg": "image/svg+xml",
}

LARGEST_BODY = 64 * 1024
ACKNOWLEDGE_SECONDS = 30.0
"""A viewer that has not asked for the next picture for so long is let go."""

_SAFE_HEADERS = {
    "content-security-policy": "default-src 'self'; img-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


class Settings(BaseModel):
    """What may be changed while it runs; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    target_fps: float | None = Field(
        None, ge=0, le=1000, allow_inf_nan=False, description="frames a second at most; 0 looks at all"
    )


class Recording(BaseModel):
    """Whether a recording is written."""

    model_config = ConfigDict(extra="forbid")

    on: bool = Field(description="begin or end a recording")


@dataclass
class Viewers:
    """Who watches.

    Attributes:
        limit: the most at a time.
        now: how many.
        refused: how many came when it was full, since the start.
    """

    limit: int
    now: int = 0
    refused: int = 0


def make_app(station: Station, live: Live, access: Access, viewers: Viewers) -> FastAPI:
    """The application.

    Args:
        station: the running camera.
        live: its newest pictures.
        access: who may see it.
        viewers: counted here.
    """
    app = FastAPI(
        title="NanoEdge camera",
        version=__version__,
        description="A detector that looks at a camera.",
        docs_url=None,  # FastAPI's page loads from other sites
        redoc_url=None,
        openapi_url="/api/openapi.json",
    )

    @app.exception_handler(RequestValidationError)
    async def refuse(request: Request, error: RequestValidationError) -> JSONResponse:
        """A sentence; FastAPI's own answer repeats the input, which JSON may be unable to hold (NaN)."""
        found = error.errors()[0]
        place = ".".join(str(part) for part in found["loc"] if part != "body")
        return JSONResponse({"detail": f"{place}: {found['msg']}" if place else found["msg"]}, 422)

    @app.middleware("http")
    async def guard(request: Request, call: Callable[[Request], Awaitable[Response]]) -> Response:
        """Access first, then size, and headers on every answer."""
        response = _refused(request, access)
        if response is None:
            response = await call(request)
        response.headers.update(_SAFE_HEADERS)
        return response

    @app.get("/healthz", response_class=PlainTextResponse, summary="200 while results come, else 503")
    def healthz() -> PlainTextResponse:
        healthy, sentence = station.health()
        return PlainTextResponse(sentence + "\n", 200 if healthy else 503)

    @app.get("/metrics", response_class=PlainTextResponse, summary="Prometheus' text format")
    def metrics() -> PlainTextResponse:
        text = station.metrics(viewers.now, viewers.refused)
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4")

    @app.get("/", include_in_schema=False)
    def page() -> FileResponse:
        return FileResponse(PAGE / "index.html", media_type="text/html")

    @app.get("/docs", include_in_schema=False)
    def documentation() -> FileResponse:
        return FileResponse(PAGE / "api.html", media_type="text/html")

    @app.get("/static/{name}", include_in_schema=False)
    def static(name: str) -> FileResponse:
        if name not in FILES:
            raise HTTPException(404, "There is no such file.")
        return FileResponse(PAGE / name, media_type=FILES[name])

    _add_api(app, station, live)
    _add_stream(app, live, access, viewers)
    return app


def _refused(request: Request, access: Access) -> Response | None:
    """The answer to a request that may not pass, or the one that takes a token out of the address."""
    if request.url.path == "/healthz":
        return None
    shown = shown_token(request.headers, request.cookies, request.query_params)
    refusal = access.refusal(request.headers, shown)
    if refusal is not None:
        status, sentence = refusal
        if status == 401 and request.url.path == "/":
            return HTMLResponse(f"<!DOCTYPE html><title>NanoEdge</title><p>{sentence}</p>", status)
        return JSONResponse({"detail": sentence}, status)
    if int(request.headers.get("content-length") or 0) > LARGEST_BODY or "transfer-encoding" in request.headers:
        return JSONResponse({"detail": f"Requests have at most {LARGEST_BODY} bytes."}, 413)
    token = request.query_params.get("token")
    if token is not None and access.is_token(token) and request.url.path == "/":
        answer = RedirectResponse("/", 303)
        answer.set_cookie(COOKIE, token, httponly=True, samesite="strict", max_age=365 * 24 * 3600)
        return answer
    return None


def _add_api(app: FastAPI, station: Station, live: Live) -> None:
    @app.get("/api/status", summary="Rates, times, counters, machine")
    def status() -> dict[str, Any]:
        return station.status()

    @app.get("/api/snapshot.jpg", response_class=Response, summary="The newest picture")
    def snapshot(boxes: bool = True) -> Response:
        newest = live.newest()
        if newest is None:
            raise HTTPException(503, "There is no picture yet.")
        picture = bgr_of(newest.frame)
        drawn = draw_detections(picture, station.shown(newest.detections)) if boxes else picture
        return Response(encode_picture(drawn, ".jpg", 92), media_type="image/jpeg")

    @app.post("/api/settings", summary="Change how it runs")
    def settings(wanted: Settings) -> dict[str, Any]:
        if "target_fps" in wanted.model_fields_set:
            station.set_target_rate(wanted.target_fps)
        return station.status()

    @app.post("/api/recording", summary="Begin or end a recording")
    def recording(wanted: Recording) -> dict[str, Any]:
        problem = station.record(wanted.on)
        if problem is not None:
            raise HTTPException(409, problem)
        return station.status()

    @app.get("/api/events", summary="What came into sight, the newest first")
    def events(most: int = 50) -> list[dict[str, Any]]:
        return station.events(max(1, min(most, 200)))

    @app.get("/api/events/{name}.jpg", response_class=FileResponse, summary="The picture of an event")
    def event_picture(name: str) -> FileResponse:
        path = station.event_picture(name)
        if path is None:
            raise HTTPException(404, "There is no such event.")
        return FileResponse(path, media_type="image/jpeg")


def _add_stream(app: FastAPI, live: Live, access: Access, viewers: Viewers) -> None:
    @app.websocket("/live")
    async def stream(socket: WebSocket) -> None:
        """Pictures with what was found; the viewer sends any message when it is ready for the next."""
        refusal = access.refusal(socket.headers, shown_token(socket.headers, socket.cookies, socket.query_params))
        if refusal is not None:
            await socket.close(4401 if refusal[0] == 401 else 4403, refusal[1])
            return
        if viewers.now >= viewers.limit:
            viewers.refused += 1
            await socket.accept()
            await socket.close(4429, f"At most {viewers.limit} may watch.")
            return
        await socket.accept()
        viewers.now += 1
        try:
            await _send_pictures(socket, live)
        except (WebSocketDisconnect, TimeoutError, RuntimeError, OSError):
            pass  # it has gone, or is stalled
        finally:
            viewers.now -= 1


async def _send_pictures(socket: WebSocket, live: Live) -> None:
    """Until the viewer goes, or asks for nothing for a long time."""
    asked = asyncio.Event()

    async def read() -> None:
        while True:
            await socket.receive_text()
            asked.set()

    async def send() -> None:
        number = -1
        while True:
            await asyncio.wait_for(asked.wait(), ACKNOWLEDGE_SECONDS)
            asked.clear()
            message = await live.newer_than(number)
            number = message.number
            await asyncio.wait_for(socket.send_bytes(message.data), ACKNOWLEDGE_SECONDS)

    tasks = [asyncio.create_task(read()), asyncio.create_task(send())]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    for task in done:
        task.result()
