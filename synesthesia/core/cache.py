"""Thread-safe least-recently-used (LRU) cache of computed values, bounded in number."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

Value = TypeVar("Value")


class BoundedCache(Generic[Value]):
    """At most `capacity` values by key.

    `make` runs outside the lock, so one slow picture never holds up another's look-up; two threads that miss the same
    key at once may both make it, and the first one stored is what both get.
    """

    def __init__(self, capacity: int) -> None:
        assert capacity >= 1, f"capacity must be at least 1, got {capacity}"
        self.capacity = capacity
        self._entries: OrderedDict[str, Value] = OrderedDict()
        self._lock = Lock()

    def get(self, key: str, make: Callable[[], Value]) -> Value:
        """The value of `key`, made now if it isn't held."""
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
                return self._entries[key]
        made = make()
        with self._lock:
            value = self._entries.setdefault(key, made)
            self._entries.move_to_end(key)
            while len(self._entries) > self.capacity:
                self._entries.popitem(last=False)
            return value

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: object) -> bool:
        return key in self._entries
