"""Addresses of streams, without the credentials that may be in them."""

from __future__ import annotations

import re
import shlex
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from nanoedge.errors import InputError

SCHEMES = ("rtsp", "rtsps", "http", "https", "rtmp", "srt", "udp", "tcp")
HIDDEN = "***"
_CREDENTIALS = re.compile(r"\S*:\S*@")
_SECRET_NAMES = re.compile(r"pass|pwd|secret|token|key|auth|user|login|sign|credential", re.IGNORECASE)


def is_address(text: str) -> bool:
    """Whether it begins as a stream's address does."""
    scheme, colon, _ = text.partition("://")
    return bool(colon) and scheme.lower() in SCHEMES


def check_address(address: str) -> None:
    """Refuse an address that no stream can have.

    Raises:
        InputError: without repeating what may be a password.
    """
    scheme = address.partition("://")[0]
    try:
        parts = urlsplit(address)
        whole = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        whole = False
    if not whole:
        raise InputError(
            f"The source {scheme}://… is no whole address, such as {scheme}://user:password@host:port/path; in a "
            "password, / is written %2F, @ %40, : %3A, [ %5B and ] %5D."
        )


def hidden(text: str) -> str:
    """A text that is no address but may hold credentials, as a mistyped one does, fit for messages."""
    return _CREDENTIALS.sub(f"{HIDDEN}@", text)


def as_option(text: str) -> str:
    """The option for a source that was typed without; an address, which may hold secrets, is not repeated."""
    return f"--source {'ADDRESS' if '://' in text else shlex.quote(hidden(text))}"


def without_credentials(address: str) -> str:
    """The address with user, password and secrets of its query replaced, fit for logs and pages."""
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    if "@" in parts.netloc:
        host = f"{HIDDEN}@{host}"
    query = parse_qsl(parts.query, keep_blank_values=True)
    shown = [(name, HIDDEN if _SECRET_NAMES.search(name) else value) for name, value in query]
    return urlunsplit((parts.scheme, host, parts.path, urlencode(shown, safe="*/:,"), ""))


def secrets_of(address: str) -> list[str]:
    """What must not be repeated from messages of libraries, the longest first."""
    parts = urlsplit(address)
    found = {address, parts.netloc.rpartition("@")[0], *parts.netloc.rpartition("@")[0].split(":", 1)}
    found |= {value for name, value in parse_qsl(parts.query) if _SECRET_NAMES.search(name)}
    return sorted((secret for secret in found if secret), key=len, reverse=True)
