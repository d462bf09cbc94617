"""The page's server, asked by real clients."""

from __future__ import annotations

import json
import socket
import struct
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest
from tests.conftest import run_nanoedge
from tests.video.web.conftest import RunningCamera
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

Start = Callable[..., RunningCamera]


def source(pictures: Path) -> list[str]:
    return ["--source", str(pictures), "--loop", "--realtime", "--rate", "25", "--serve", "127.0.0.1:0"]


def live(camera: RunningCamera, **options: Any) -> ClientConnection:
    return connect(camera.url.replace("http", "ws") + "live", **options)


def message(data: str | bytes) -> tuple[dict[str, Any], np.ndarray]:
    assert isinstance(data, bytes)
    length = struct.unpack("<I", data[:4])[0]
    picture = cv2.imdecode(np.frombuffer(data[4 + length :], np.uint8), cv2.IMREAD_COLOR)
    return json.loads(data[4 : 4 + length]), picture


def test_everything_is_answered(start: Start, pictures: Path, tmp_path: Path) -> None:
    events, recordings = tmp_path / "events", tmp_path / "recordings"
    camera = start(*source(pictures), "--score", "0.01", "--events", str(events), "--recordings", str(recordings))
    status = camera.json("api/status")
    assert status["healthy"] and status["connected"] and status["threads"] == 1
    assert status["score_threshold"] == 0.01 and status["classes"]
    code, snapshot = camera.get("api/snapshot.jpg?boxes=false")
    assert code == 200 and cv2.imdecode(np.frombuffer(snapshot, np.uint8), 1).shape == (120, 160, 3)
    code, metrics = camera.get("metrics")
    assert code == 200 and b"nanoedge_result_rate " in metrics and b'nanoedge_events_total{what="detected"}' in metrics
    described = camera.json("api/openapi.json")
    assert {"/api/status", "/api/settings", "/api/recording", "/healthz", "/metrics"} <= set(described["paths"])
    assert camera.json("api/settings", {"target_fps": 5})["target_fps"] == 5
    assert camera.json("api/settings", {"target_fps": 0})["target_fps"] is None
    assert camera.json("api/recording", {"on": True})["recording"]
    time.sleep(1)
    assert not camera.json("api/recording", {"on": False})["recording"]
    with live(camera) as viewer:
        viewer.send("next")
        about, picture = message(viewer.recv(timeout=10))
        assert picture.shape == (120, 160, 3) and (about["width"], about["height"]) == (160, 120)
        assert {"number", "latency_ms", "age_ms", "detections"} <= set(about)
        assert camera.get("metrics")[1].count(b"nanoedge_viewers 1\n") == 1
    listed = camera.json("api/events")
    assert listed
    assert camera.get(f"api/events/{listed[0]['name']}.jpg")[1][:2] == b"\xff\xd8"
    assert camera.stop() == 0
    assert [path.suffix for path in recordings.iterdir()] == [".mp4"]


def test_what_is_asked_wrongly_gets_a_4xx(start: Start, pictures: Path) -> None:
    camera = start(*source(pictures))
    for path in ("static/../app.py", "static/..%2fapp.py", "static/%2e%2e/app.py", "api/events/..%2f..%2fetc.jpg", "x"):
        assert camera.get(path)[0] == 404, path
    for wrong in (b'{"target_fps": -1}', b'{"target_fps": NaN}', b'{"target_fps": 1e999}', b'{"x": 1}', b"[", b"{}x"):
        status, answer = camera.get("api/settings", wrong)
        assert status == 422 and json.loads(answer)["detail"]
    assert camera.get("api/settings", {"unknown": 1})[0] == 422
    assert camera.get("api/settings", b"{")[0] == 422
    assert camera.get("api/settings", bytes(100_000))[0] == 413
    assert camera.get("api/recording", {"on": True})[0] == 409
    assert camera.get("api/status", Host="evil.example")[0] == 403
    assert camera.get("api/settings", {"target_fps": 1}, Origin="http://evil.example")[0] == 403
    with pytest.raises(InvalidStatus):
        live(camera, additional_headers={"Origin": "http://evil.example"})
    with socket.create_connection((urlsplit(camera.url).hostname, urlsplit(camera.url).port)) as raw:
        raw.sendall(b"GET /" + b"a" * 100_000)
        raw.settimeout(10)
        assert raw.recv(100).startswith(b"HTTP/1.1 4")
    assert camera.json("api/status")["healthy"]


def test_a_viewer_that_stalls_or_one_too_many_disturbs_nobody(start: Start, pictures: Path) -> None:
    camera = start(*source(pictures), "--max-viewers", "3")
    with live(camera) as first, live(camera) as second:
        with live(camera) as stalled:
            stalled.send("next")
            with live(camera) as refused, pytest.raises(ConnectionClosed) as closed:
                refused.recv(timeout=10)
            assert closed.value.rcvd is not None and closed.value.rcvd.code == 4429
            numbers: dict[str, list[int]] = {"first": [], "second": []}
            for _ in range(8):
                for name, viewer in (("first", first), ("second", second)):
                    viewer.send("next")
                    numbers[name].append(message(viewer.recv(timeout=10))[0]["number"])
            for found in numbers.values():
                assert sorted(set(found)) == found  # each newer than the one before
        end = time.monotonic() + 20
        while b"nanoedge_viewers 2\n" not in camera.get("metrics")[1]:
            assert time.monotonic() < end


def test_another_address_demands_its_token(start: Start, pictures: Path, tmp_path: Path) -> None:
    camera = start(*source(pictures)[:-1], "0.0.0.0:0")
    assert camera.token and len(camera.token) > 40
    assert "localhost" not in camera.url and "0.0.0.0" not in camera.url  # an address that a phone can open
    assert camera.get("api/status")[0] == camera.get("metrics")[0] == camera.get("")[0] == 401
    assert camera.get("api/status", Authorization="Bearer wrong")[0] == 401
    assert camera.json("api/status", Authorization=f"Bearer {camera.token}")["healthy"]
    with pytest.raises(InvalidStatus):
        live(camera)
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    with opener.open(f"{camera.url}?token={camera.token}", timeout=10) as answer:
        assert answer.url == camera.url and b"<canvas" in answer.read()
    with opener.open(f"{camera.url}api/status", timeout=10) as answer:
        assert answer.status == 200
    token = tmp_path / "token"
    token.write_text("a-token-of-ones-own\n")
    second = start(*source(pictures), "--token-file", str(token))
    assert second.token is None and not any("a-token" in line for line in second.said)
    assert second.get("api/status")[0] == 401
    assert second.get("api/status", Authorization="Bearer a-token-of-ones-own")[0] == 200


def test_a_port_that_is_taken_is_told_before_anything_begins(small_bundle: Path, pictures: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        arguments = ["camera", str(small_bundle), "--source", str(pictures), "--serve", f"127.0.0.1:{port}"]
        done = run_nanoedge(*arguments, expect=2)
    assert f"127.0.0.1:{port} cannot be listened on: Address already in use" in done.stderr
