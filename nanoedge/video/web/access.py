"""Who may see the page: an address to listen on, a token, and where requests come from."""

from __future__ import annotations

import hmac
import ipaddress
import secrets
import socket
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nanoedge.errors import InputError

COOKIE = "nanoedge_token"
SHORTEST_TOKEN = 12
MOST_FAILURES, FAILURE_SECONDS = 20, 60.0
"""Wrong tokens within a minute, of all clients together, after which every token is refused for a while."""

HOW_TO_ENTER = (
    "A token is needed: open this address with ?token=… behind it, as NanoEdge printed it when it started, or with the "
    "token of its --token-file."
)


@dataclass(frozen=True)
class ListenAddress:
    """Where the server listens.

    Attributes:
        host: name or number, without brackets.
        port: 0 takes a free one.
    """

    host: str
    port: int

    @classmethod
    def from_text(cls, text: str) -> ListenAddress:
        """From `HOST:PORT`, `:PORT` (loopback) or `[::1]:PORT`.

        Raises:
            InputError: when it is written otherwise.
        """
        host, colon, port = text.strip().rpartition(":")
        brackets = host[:1] == "[" and host[-1:] == "]"
        if (":" in host.strip("[]")) != brackets or ("[" in host or "]" in host) != brackets:
            colon = ""
        if not colon or not port.isdecimal() or int(port) > 65535:
            raise InputError(f"--serve takes HOST:PORT, such as 127.0.0.1:8080 or 0.0.0.0:8080, not {text!r}.")
        return cls(host.strip("[]") or "127.0.0.1", int(port))

    @property
    def is_loopback(self) -> bool:
        """Only programs on this machine reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def url(self, port: int) -> str:
        """Of the page, with the port that was really taken; for "all addresses" it has the one that others reach."""
        host = own_address() if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def own_address() -> str:
    """This machine's address on its network, by the way that packets would leave it; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # reserved for documentation, RFC 5737
            return str(probe.getsockname()[0])
        except OSError:
            return "localhost"


def read_token(path: Path) -> str:
    """The token in a file.

    Raises:
        InputError: when it cannot be read or is short enough to be guessed.
    """
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"The token file {path} cannot be read: {getattr(error, 'strerror', None) or error}."
        ) from error
    if len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise InputError(
            f"The token in {path} must be {SHORTEST_TOKEN} or more letters and digits without spaces; "
            "this makes one: python3 -c 'import secrets; print(secrets.token_urlsafe())'"
        )
    return token


def new_token() -> str:
    """256 bits that nobody guesses."""
    return secrets.token_urlsafe(32)


class Access:
    """Decides about requests.

    Args:
        token: what must be shown; `None` on loopback, where none is needed.
        names: hosts by which a server without a token may be called. A page of another site that was made to resolve to
            this machine (DNS rebinding) calls it by another name.
    """

    def __init__(self, token: str | None, names: frozenset[str] = frozenset()) -> None:
        self._token = token
        self._names = names | {"localhost", "127.0.0.1", "::1"}
        self._failures: deque[float] = deque(maxlen=MOST_FAILURES)
        self._lock = threading.Lock()

    @property
    def needs_token(self) -> bool:
        """Whether there is one."""
        return self._token is not None

    def refusal(self, headers: Mapping[str, str], shown: str | None) -> tuple[int, str] | None:
        """Status and sentence when a request may not pass; `None` when it may.

        Args:
            headers: of the request, names in small letters.
            shown: the token that it shows, in its cookie, header or address.
        """
        host = headers.get("host", "")
        if self._token is None and _host_name(host) not in self._names:
            return 403, f"This server is not called {host}."
        origin = headers.get("origin")
        if origin is not None and origin.lower().partition("://")[2] != host.lower():
            return 403, "Requests from pages of other sites are refused."
        if self._token is None:
            return None
        with self._lock:
            now = time.monotonic()
            if len(self._failures) == MOST_FAILURES and now - self._failures[0] < FAILURE_SECONDS:
                return 429, "Too many wrong tokens; wait a minute."
            if shown is not None and hmac.compare_digest(shown.encode(), self._token.encode()):
                return None
            if shown is not None:
                self._failures.append(now)
        return 401, HOW_TO_ENTER

    def is_token(self, text: str) -> bool:
        """Whether this is it."""
        return self._token is not None and hmac.compare_digest(text.encode(), self._token.encode())


def shown_token(headers: Mapping[str, str], cookies: Mapping[str, str], query: Mapping[str, str]) -> str | None:
    """The token that a request shows: `Authorization: Bearer …`, the cookie, or `?token=…`."""
    kind, _, bearer = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and bearer:
        return bearer.strip()
    return query.get("token") or cookies.get(COOKIE)


def _host_name(host: str) -> str:
    """The name of a `Host` header, without port and brackets, in small letters."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.rpartition(":")[0].lower() if host.rpartition(":")[2].isdecimal() and ":" in host else host.lower()
