"""Events: what comes into sight is kept, the folder keeps its limit, and nothing of others is touched."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from nanoedge.detections import Detections
from nanoedge.errors import NanoEdgeError
from nanoedge.pictures import read_picture
from nanoedge.runtime.network import StageTimes
from nanoedge.video.outputs import events as writing
from nanoedge.video.outputs.events import Events
from nanoedge.video.result import Result
from nanoedge.video.sources.base import Frame

NAMES = ["person", "car"]


def seen(moment: float, *labels: str) -> Result:
    ids = [NAMES.index(label) for label in labels]
    found = Detections.of([[5, 5, 40, 40]] * len(ids), [0.9] * len(ids), ids, NAMES)
    picture = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    return Result(0, Frame(7, picture, captured=moment), found, StageTimes(0, 0, 0), moment)


def test_a_class_is_an_event_when_it_comes_into_sight(tmp_path: Path) -> None:
    events = Events(tmp_path / "new", "door", quiet=10)
    for moment, labels in (
        (0, ()),
        (1, ("person",)),
        (5, ("person", "person")),
        (14, ("person", "car")),
        (24, ("car",)),
        (25, ("person",)),
    ):
        events.write(seen(moment, *labels))
    assert [event.labels for event in events.newest] == [("person",), ("car",), ("person",)]
    documents = [json.loads(path.read_text()) for path in sorted((tmp_path / "new").glob("*.json"))]
    assert [document["labels"] for document in documents] == [["person"], ["car"], ["person"]]
    assert [len(document["detections"]) for document in documents] == [1, 2, 1]
    assert documents[0]["source"] == "door" and documents[0]["frame"] == 7
    pictures = sorted((tmp_path / "new").glob("*.jpg"))
    assert [path.stem for path in pictures] == [event.name for event in events.newest]
    assert read_picture(pictures[0]).shape == (64, 96, 3)


def test_what_a_full_disk_has_refused_is_kept_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = Events(tmp_path, "door", quiet=10)

    def full(path: Path, data: bytes) -> None:
        raise NanoEdgeError(f"{path} could not be written: No space left on device.")

    with monkeypatch.context() as disk:
        disk.setattr(writing, "write_atomically", full)
        with pytest.raises(NanoEdgeError):
            events.write(seen(1, "person"))
        assert not events.write(seen(2, "person"))  # not at each frame
    assert not events.write(seen(3, "person"))
    assert events.write(seen(12, "person"))
    assert not events.write(seen(13, "person"))
    assert [event.labels for event in events.newest] == [("person",)]


def test_the_folder_keeps_its_limit_also_over_runs(tmp_path: Path) -> None:
    (tmp_path / "mine.jpg").write_bytes(bytes(50_000))
    for run in range(2):
        events = Events(tmp_path, "door", megabytes=0.03)
        for number in range(20):
            events.write(seen(1000 * run + 20 * number, "person"))
            kept = [path for path in tmp_path.iterdir() if path.name != "mine.jpg"]
            assert sum(path.stat().st_size for path in kept) <= 30_000
    names = sorted(path.stem for path in tmp_path.glob("2*.jpg"))
    assert names and names[-1] == events.newest[-1].name
    assert (tmp_path / "mine.jpg").exists()
