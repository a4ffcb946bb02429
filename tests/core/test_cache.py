"""The memory for photographs is bounded, and safe for people who come at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from synesthesia.core.cache import BoundedCache


def test_made_once_and_the_oldest_goes_first() -> None:
    made: list[str] = []
    cache: BoundedCache[str] = BoundedCache(2)

    def ask(key: str) -> str:
        return cache.get(key, lambda: made.append(key) or key.upper())

    assert [ask(key) for key in ("a", "b", "a", "c")] == ["A", "B", "A", "C"]
    assert made == ["a", "b", "c"]
    assert len(cache) == 2
    assert "b" not in cache  # "a" was used since
    ask("b")
    assert made == ["a", "b", "c", "b"]


def test_a_failure_is_not_kept() -> None:
    cache: BoundedCache[int] = BoundedCache(2)

    def fail() -> int:
        raise OSError

    for _ in range(2):
        with pytest.raises(OSError):
            cache.get("a", fail)
    assert cache.get("a", lambda: 1) == 1


def test_many_threads_agree() -> None:
    cache: BoundedCache[object] = BoundedCache(4)
    with ThreadPoolExecutor(8) as pool:
        values = list(pool.map(lambda i: (i % 4, cache.get(str(i % 4), object)), range(400)))
    assert len(cache) == 4
    for key in range(4):
        assert len({id(value) for i, value in values if i == key}) == 1
