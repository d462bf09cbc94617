"""Addresses are shown without what opens them."""

from __future__ import annotations

import pytest
from nanoedge.video.sources.address import is_address, without_credentials


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://cam.local:554/live", "rtsp://cam.local:554/live"),
        ("rtsp://ann:p@ss:w0rd@cam.local/live", "rtsp://***@cam.local/live"),
        ("rtsp://ann@cam.local/live", "rtsp://***@cam.local/live"),
        ("http://cam/s?channel=1&token=abc&Password=x", "http://cam/s?channel=1&token=***&Password=***"),
        ("http://cam/s?user=a&pwd=b#fragment", "http://cam/s?user=***&pwd=***"),
        ("http://[fe80::1]:80/s", "http://[fe80::1]:80/s"),
    ],
)
def test_credentials_are_replaced(address: str, shown: str) -> None:
    assert without_credentials(address) == shown


def test_what_is_an_address() -> None:
    assert is_address("RTSP://x") and is_address("https://x/y")
    assert not is_address("clip.mp4") and not is_address("ftp://x") and not is_address("rtsp:/x")
