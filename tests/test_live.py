"""Pages are told what changes, whoever else is told it, and nobody relies on it."""

import threading
from collections.abc import Iterator
from itertools import count

import pytest
from redis import Redis

from bot import live, queue
from bot.live import FullError, Hub, News, Reader
from tests.harness.children import wait_until


@pytest.fixture
def hub(redis: Redis) -> Iterator[Hub]:
    opened = Hub(redis, places=3)
    yield opened
    opened.end()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """After one look in vain nobody looks again by themselves, but only when something is published."""
    monkeypatch.setattr(live, "QUICK_S", 0.01)
    monkeypatch.setattr(live, "IDLE_S", 3600.0)
    monkeypatch.setattr(live, "_SLOWER", 1e9)


class Subject:
    """Something that moves; counts how often it is looked at."""

    def __init__(self) -> None:
        self.at, self.looks = 0, 0
        self.looked = threading.Event()

    def look(self) -> int:
        self.looks += 1
        self.looked.set()
        return self.at


def facts_of(news: News | None) -> object:
    assert news
    return news.facts


def test_however_many_watch_a_subject_it_is_looked_at_once(hub: Hub) -> None:
    subject = Subject()
    streams = [iter(hub.watch("broadcast:1", subject.look)) for _ in range(3)]
    assert [facts_of(next(stream)) for stream in streams] == [0, 0, 0]
    assert subject.looks == 1


def test_what_has_not_changed_is_not_told_again(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "QUICK_S", 0.01)
    monkeypatch.setattr(live, "HEARTBEAT_S", 0.5)
    subject = Subject()
    stream = iter(hub.watch("broadcast:1", subject.look))
    assert facts_of(next(stream)) == 0
    assert next(stream) is None  # looked many times, and there was nothing but a heartbeat to tell
    assert subject.looks > 2
    subject.at = 7
    assert facts_of(next(stream)) == 7


def test_it_is_looked_at_when_somebody_publishes_its_topic(hub: Hub, redis: Redis, patient: None) -> None:
    subject = Subject()
    stream = iter(hub.watch("broadcast:1", subject.look))
    next(stream)
    heard = iter(hub.watch("broadcast:2", Subject().look))
    next(heard)
    wait_until(lambda: redis.pubsub_numpat() == 1, "the one subscription of the process")
    wait_until(lambda: subject.looks == 2, "the look in vain")
    subject.at = 1
    subject.looked.clear()
    assert live.publish(redis, "broadcast:2")
    assert not subject.looked.wait(0.2)
    assert live.publish(redis, "broadcast:1")
    assert facts_of(next(stream)) == 1


def test_without_redis_pages_move_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "QUICK_S", 0.01)
    away = queue.connect("redis://127.0.0.1:1/0")
    numbers = count()
    hub = Hub(away, places=1)
    stream = iter(hub.watch("broadcast:1", lambda: next(numbers)))
    first, second = facts_of(next(stream)), facts_of(next(stream))
    hub.end()
    assert int(str(second)) > int(str(first)) >= 0  # the hub may have looked again before the first was read
    assert not live.publish(away, "broadcast:1")


def test_who_finds_no_place_is_told_so_and_gets_it_when_another_leaves(hub: Hub) -> None:
    streams = [hub.watch(f"broadcast:{number}", Subject().look) for number in range(3)]
    with pytest.raises(FullError):
        hub.watch("broadcast:0", Subject().look)
    streams[0].close()
    streams[0].close()  # twice is once
    hub.watch("broadcast:0", Subject().look)
    with pytest.raises(FullError):
        hub.watch("broadcast:0", Subject().look)


def test_when_all_places_are_taken_each_stream_writes_so_that_whoever_is_gone_is_noticed(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "HEARTBEAT_S", 3600.0)
    streams = [iter(hub.watch("broadcast:1", Subject().look)) for _ in range(3)]
    for stream in streams:
        next(stream)
    told: list[News | None] = []
    waiting = threading.Thread(target=lambda: told.append(next(streams[0])))
    waiting.start()

    def is_told() -> bool:
        with pytest.raises(FullError):
            hub.watch("broadcast:1", Subject().look)
        return told == [None]

    wait_until(is_told, "a heartbeat, long before its time")
    waiting.join()


def test_the_thread_that_looks_ends_with_the_last_who_watches(hub: Hub) -> None:
    def looking() -> bool:
        return any(thread.name == "live broadcast:9" for thread in threading.enumerate())

    first, second = (hub.watch("broadcast:9", Subject().look) for _ in range(2))
    assert not looking()  # nobody reads yet
    next(iter(first))
    first.close()
    assert looking()
    second.close()
    wait_until(lambda: not looking(), "nobody to look any more")


def test_all_streams_end_when_the_process_does(hub: Hub) -> None:
    stream = iter(hub.watch("broadcast:1", Subject().look))
    next(stream)
    threading.Timer(0.05, hub.end).start()
    assert list(stream) == []
    with pytest.raises(FullError):
        hub.watch("broadcast:1", Subject().look)


def test_a_stream_ends_in_time_so_that_its_page_comes_again(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LIFE_S", 0.05)
    assert len(list(hub.watch("broadcast:1", Subject().look))) <= 2  # that it comes to an end is the point


@pytest.mark.usefixtures("patient")
def test_a_stream_ends_once_its_reader_is_not_welcome_any_more_and_no_other_does(hub: Hub, redis: Redis) -> None:
    subject, welcome = Subject(), [True]
    mine = iter(hub.watch("broadcast:1", subject.look, reader=Reader(live.operator(1), lambda: welcome[0])))
    other = iter(hub.watch("broadcast:1", subject.look, reader=Reader(live.operator(2), lambda: False)))
    assert [facts_of(next(mine)), facts_of(next(other))] == [0, 0]
    wait_until(lambda: redis.pubsub_numpat() > 0, "the hub to listen")
    live.publish(redis, live.operator(1))
    assert next(mine) is None, "still welcome: a heartbeat, at once"
    welcome[0] = False
    live.publish(redis, live.operator(1))
    assert list(mine) == []
    live.publish(redis, "broadcast:1")
    subject.at = 1
    live.publish(redis, "broadcast:1")
    assert facts_of(next(news for news in other if news)) == 1
