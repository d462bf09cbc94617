"""Addresses of streams, without the credentials that may be in them."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

SCHEMES = ("rtsp", "rtsps", "http", "https", "rtmp", "srt", "udp", "tcp")
HIDDEN = "***"
_SECRET_NAMES = re.compile(r"pass|pwd|secret|token|key|auth|user|login|sign|credential", re.IGNORECASE)


def is_address(text: str) -> bool:
    """Whether it begins as a stream's address does."""
    scheme, colon, _ = text.partition("://")
    return bool(colon) and scheme.lower() in SCHEMES


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
