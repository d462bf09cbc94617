"""The page in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.browser import browser_tab
from tests.video.web.conftest import RunningCamera
from tests.video.web.test_server import source

Start = Callable[..., RunningCamera]

BOXES = "Number(document.getElementById('picture').dataset.boxes)"


def slide(value: float) -> str:
    return (
        f"(() => {{ const slider = document.getElementById('threshold'); slider.value = '{value}';"
        f" slider.dispatchEvent(new Event('input')); return {BOXES}; }})()"
    )


def test_the_page_shows_boxes_and_its_knobs_work(start: Start, pictures: Path, tmp_path: Path) -> None:
    camera = start(*source(pictures), "--score", "0.01", "--events", str(tmp_path / "e"), "--recordings", str(tmp_path))
    with browser_tab(tmp_path) as tab:
        tab.resize(1200, 900)
        tab.open(camera.url)
        tab.wait_for("view.drawn > 5")
        tab.wait_for("document.getElementById('rate').textContent !== '\\u2013'")
        assert tab.value("document.getElementById('state').textContent") == "live"
        # the slider acts at once, in the same task
        assert tab.value(slide(1)) == 0
        assert tab.value(slide(0)) == tab.value("view.about.detections.length")
        tab.value("document.getElementById('none').onclick()")
        assert tab.value(BOXES) == 0
        tab.value("document.getElementById('all').onclick()")
        tab.value("document.getElementById('record').onclick()")
        tab.wait_for("document.getElementById('record').getAttribute('aria-pressed') === 'true'")
        tab.wait_for("known.recording_file")
        tab.value("document.getElementById('record').onclick()")
        tab.wait_for("document.getElementById('said').textContent.startsWith('written: recording-')")
        tab.wait_for("plots.rate.series.size === 1 && plots.stages.series.size === 10")
        for dark in (False, True):
            tab.dark(dark)
            tab.screenshot(tmp_path / f"wide-{dark}.png")
        tab.resize(390, 844, phone=True)
        assert tab.value("document.documentElement.scrollWidth") <= 390
        tab.screenshot(tmp_path / "phone.png")
        tab.open(camera.url + "docs")
        tab.wait_for("document.querySelectorAll('#paths tr').length > 5")
        assert tab.said == []
        assert all(address.startswith((camera.url, camera.url.replace("http", "ws"))) for address in tab.asked)


def test_a_lost_connection_is_shown_and_found_again(start: Start, pictures: Path, tmp_path: Path) -> None:
    camera = start(*source(pictures))
    port = camera.url.rstrip("/").rpartition(":")[2]
    with browser_tab(tmp_path) as tab:
        tab.open(camera.url)
        tab.wait_for("view.drawn > 2")
        camera.stop()
        tab.wait_for("document.getElementById('state').textContent === 'connection lost'")
        tab.wait_for("document.getElementById('notice').textContent === 'NanoEdge does not answer.'")
        drawn = tab.value("view.drawn")
        start(*source(pictures)[:-1], f"127.0.0.1:{port}")
        tab.wait_for(f"view.drawn > {drawn + 2}")
        tab.wait_for("document.getElementById('state').textContent === 'live'")
