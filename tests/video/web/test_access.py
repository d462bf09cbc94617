"""Who may see the page."""

from __future__ import annotations

from pathlib import Path

import pytest
from nanoedge.errors import InputError
from nanoedge.video.web import access as accesses
from nanoedge.video.web.access import Access, ListenAddress, new_token, read_token, shown_token

TOKEN = "correct-horse-battery"


@pytest.mark.parametrize(
    ("text", "host", "port", "loopback"),
    [
        ("127.0.0.1:8080", "127.0.0.1", 8080, True),
        (":0", "127.0.0.1", 0, True),
        ("localhost:80", "localhost", 80, True),
        ("[::1]:8080", "::1", 8080, True),
        ("0.0.0.0:8080", "0.0.0.0", 8080, False),
        ("192.168.1.5:8080", "192.168.1.5", 8080, False),
        ("pi.local:8080", "pi.local", 8080, False),
    ],
)
def test_addresses(text: str, host: str, port: int, loopback: bool) -> None:
    address = ListenAddress.from_text(text)
    assert (address.host, address.port, address.is_loopback) == (host, port, loopback)


@pytest.mark.parametrize(
    "text", ["8080", "host:", "host:port", "host:70000", "", "[::1:80", "::1]:80", "::1:80", "[host]:80"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="--serve takes HOST:PORT"):
        ListenAddress.from_text(text)


def test_loopback_needs_no_token_but_its_own_name() -> None:
    access = Access(None)
    for host in ("localhost:8080", "127.0.0.1:8080", "[::1]:8080", "LOCALHOST"):
        assert access.refusal({"host": host}, None) is None
    refused = access.refusal({"host": "evil.example:8080"}, None)
    assert refused is not None and refused[0] == 403


def test_pages_of_other_sites_are_refused() -> None:
    access = Access(None)
    assert access.refusal({"host": "localhost:8080", "origin": "http://localhost:8080"}, None) is None
    for origin in ("http://evil.example", "null", "http://localhost:9999"):
        refused = access.refusal({"host": "localhost:8080", "origin": origin}, None)
        assert refused is not None and refused[0] == 403


def test_another_address_demands_the_token_and_counts_wrong_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(accesses.time, "monotonic", lambda: now)
    access = Access(TOKEN)
    headers = {"host": "192.168.1.5:8080"}
    assert access.refusal(headers, TOKEN) is None
    refused = access.refusal(headers, None)
    assert refused is not None and refused[0] == 401 and TOKEN not in refused[1]
    for _ in range(accesses.MOST_FAILURES):
        wrong = access.refusal(headers, "wrong")
        assert wrong is not None and wrong[0] == 401
    blocked = access.refusal(headers, TOKEN)
    assert blocked is not None and blocked[0] == 429
    now += accesses.FAILURE_SECONDS + 1
    assert access.refusal(headers, TOKEN) is None


def test_a_token_is_shown_in_three_ways() -> None:
    assert shown_token({"authorization": f"Bearer {TOKEN}"}, {}, {}) == TOKEN
    assert shown_token({}, {accesses.COOKIE: TOKEN}, {}) == TOKEN
    assert shown_token({}, {}, {"token": TOKEN}) == TOKEN
    assert shown_token({"authorization": "Basic abc"}, {}, {}) is None


def test_token_files(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    assert read_token(path) == TOKEN
    for content in ("short", "has spaces in the middle", ""):
        path.write_text(content)
        with pytest.raises(InputError, match="must be 12 or more"):
            read_token(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_token(tmp_path / "gone")
    assert len(new_token()) > 40 and new_token() != new_token()
