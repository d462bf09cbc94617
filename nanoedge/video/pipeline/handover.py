"""What one thread hands over to the next: the newest, or everything in its turn."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Handover(Generic[T]):
    """A place for a few items between two threads.

    Args:
        capacity: how many it holds.
        keep_all: a full place makes the giver wait; else the oldest item is dropped, so that the taker gets the newest.

    Attributes:
        dropped: items that nobody took.
    """

    def __init__(self, capacity: int = 1, keep_all: bool = False) -> None:
        self.dropped = 0
        self._capacity = capacity
        self._keep_all = keep_all
        self._items: deque[T] = deque()
        self._changed = threading.Condition()
        self._closed = False

    def put(self, item: T) -> None:
        """Give; after `close` the item is forgotten."""
        with self._changed:
            while self._keep_all and len(self._items) >= self._capacity and not self._closed:
                self._changed.wait()
            if self._closed:
                return
            if len(self._items) >= self._capacity:
                self._items.popleft()
                self.dropped += 1
            self._items.append(item)
            self._changed.notify_all()

    def take(self, timeout: float | None = None) -> T | None:
        """The oldest item that is there, waited for; `None` after so many seconds, or when closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._closed, timeout)
            if not self._items:
                return None
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def close(self, forget: bool = False) -> None:
        """Nothing more is coming; what is there can still be taken unless it is to be forgotten."""
        with self._changed:
            self._closed = True
            if forget:
                self._items.clear()
            self._changed.notify_all()

    @property
    def finished(self) -> bool:
        """Closed and empty."""
        with self._changed:
            return self._closed and not self._items
