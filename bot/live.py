"""What changes, pushed to the pages that show it: server-sent events, without a promise to anybody.

A subject is looked at by one thread of a process, however many watch it: soon after somebody published its topic, and
by itself, more often while it changes. So pages move without Redis too. A page that finds no place asks by itself.
"""

import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field

import structlog
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

log = structlog.get_logger()

QUICK_S, IDLE_S = 1.0, 3.0
"""Between two looks at a subject that changes, and at one that has not changed for a while."""
_SLOWER = 1.5
"""Each look in vain is so many times later than the one before."""
HEARTBEAT_S = 15.0
LIFE_S = 60.0
"""Then a stream ends and its page comes again, as who it still is, if nobody told before that they are not."""
_SHARE, _IDLE_SHARE = 5, 20
"""Looking takes one part in so many of the time at most, however large the subject; less while nothing changes."""
_KNOCK_S = 0.5
"""So long a newcomer waits for a place of somebody who is gone."""
_CHANNEL = "backchat:live:"
_TOLD = "live.told"

Look = Callable[[], object]
"""Tells how a subject stands now; two answers that are equal are no news. It runs in a thread without a request."""


class FullError(Exception):
    """As many watch already as this process has places for, or it is about to end; ask again in a few seconds."""


@dataclass(frozen=True, slots=True)
class News:
    """How a subject stands; `serial` grows with each change."""

    serial: int
    facts: object


def publish(redis: Redis, topic: str) -> bool:
    """Say, after the commit, that something about a topic has changed; False if Redis is away, and nothing is lost."""
    try:
        redis.publish(_CHANNEL + topic, b"")
    except RedisError as error:
        log.warning("live.unheard", error=type(error).__name__)
        return False
    return True


def inbox(environment: str) -> str:
    """The topic of an environment's conversations."""
    return f"inbox:{environment}"


def tell(session: Session, topic: str) -> None:
    """Have the runtime publish a topic once the session's transaction is committed, however often it is told."""
    session.info.setdefault(_TOLD, set()).add(topic)


def publish_told(redis: Redis, session: Session) -> None:
    """All of them on one way to Redis: a batch of intake moves hundreds of threads."""
    topics = sorted(session.info.pop(_TOLD, ()))
    if topics:
        try:
            with redis.pipeline(transaction=False) as pipe:
                for topic in topics:
                    pipe.publish(_CHANNEL + topic, b"")
                pipe.execute()
        except RedisError as error:
            log.warning("live.unheard", error=type(error).__name__)


def thread(conversation_id: int) -> str:
    """The topic of one conversation."""
    return f"thread:{conversation_id}"


def operator(operator_id: int) -> str:
    """The topic of what a team member may see: whether they are signed in, and what their role allows."""
    return f"operator:{operator_id}"


class _Feed:
    """One subject of a process and the thread that looks at it, until nobody watches any more."""

    def __init__(self, topic: str, look: Look, quick_s: float | None) -> None:
        self._look, self._quick_s = look, quick_s
        self.thread = threading.Thread(target=self.run, name=f"live {topic}", daemon=True)
        self._moved = threading.Condition()
        self._over, self._nudged = threading.Event(), threading.Event()
        self._news, self._knocks = News(0, None), 0
        self.watchers = 0

    def run(self) -> None:
        idle_s = QUICK_S
        try:
            while not self._over.is_set():
                self._nudged.clear()
                began = time.monotonic()
                changed = self._refresh()
                cost_s = time.monotonic() - began
                rest_s = max(self._quick_s or QUICK_S, cost_s * _SHARE)
                idle_s = QUICK_S if changed else min(max(IDLE_S, cost_s * _IDLE_SHARE), idle_s * _SLOWER)
                if not self._over.wait(rest_s):
                    self._nudged.wait(max(0.0, idle_s - rest_s))
        except (SQLAlchemyError, RedisError) as error:
            log.warning("live.blind", error=type(error).__name__)
        finally:
            self.end()

    def nudge(self) -> None:
        self._nudged.set()

    def end(self) -> None:
        self._over.set()
        self._nudged.set()
        with self._moved:
            self._moved.notify_all()

    def knock(self) -> None:
        """Have every stream write a heartbeat now: one whose reader is gone notices, and gives up its place."""
        with self._moved:
            self._knocks += 1
            self._moved.notify_all()

    def is_over(self) -> bool:
        return self._over.is_set()

    def next(self, after: int, timeout_s: float, doubted: Callable[[], bool] = bool) -> News | None:
        """What is newer than `after`; None if nothing came in time, somebody knocked, or nothing comes any more."""
        with self._moved:
            knocks = self._knocks
            self._moved.wait_for(
                lambda: self._news.serial > after or self._knocks > knocks or self.is_over() or doubted(), timeout_s
            )
            return self._news if self._news.serial > after else None

    def _refresh(self) -> bool:
        facts = self._look()
        if self._news.serial and facts == self._news.facts:
            return False
        with self._moved:
            self._news = News(self._news.serial + 1, facts)
            self._moved.notify_all()
        return True


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose eyes a stream is for: at news of `topic` they are asked for again."""

    topic: str
    is_welcome: Callable[[], bool]


@dataclass(slots=True, eq=False)
class Stream:
    """One watcher: iterate over what is new, None for a heartbeat. It has its place until it is closed."""

    feed: _Feed
    begin: Callable[[_Feed], None]
    leave: Callable[["Stream"], None]
    reader: Reader | None = None
    left: bool = False
    _doubted: threading.Event = field(default_factory=threading.Event)

    def __iter__(self) -> Iterator[News | None]:
        self.begin(self.feed)
        serial, until = 0, time.monotonic() + LIFE_S
        while (left_s := until - time.monotonic()) > 0 and not self.feed.is_over():
            news = self.feed.next(serial, min(left_s, HEARTBEAT_S), self._doubted.is_set)
            if self._doubted.is_set():
                self._doubted.clear()
                if self.reader is None or not self.reader.is_welcome():
                    return
            if not self.feed.is_over():
                serial = news.serial if news else serial
                yield news

    def doubt(self) -> None:
        """Ask before the next word whether it is still this reader's to hear, and ask now."""
        self._doubted.set()
        self.feed.knock()

    def close(self) -> None:
        if not self.left:
            self.left = True
            self.leave(self)


@dataclass
class Hub:
    """The streams of a process, `places` at most, and its one subscription."""

    redis: Redis
    places: int
    _feeds: dict[str, _Feed] = field(default_factory=dict)
    _streams: set[Stream] = field(default_factory=set)
    _left: threading.Condition = field(default_factory=threading.Condition)
    """Held by who reads or changes the feeds; told when somebody has left."""
    _over: threading.Event = field(default_factory=threading.Event)
    _listener: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self._listener = threading.Thread(target=self._listen, name="live", daemon=True)

    def watch(self, topic: str, look: Look, quick_s: float | None = None, reader: Reader | None = None) -> Stream:
        """Raises FullError. Close the stream, read or not, when its reader is gone.

        A topic with a `?` is one view of many on the topic before it: what is published there is news to all of them.
        `quick_s`, or else QUICK_S, lies between two looks at the least, however often the topic is published.
        """
        with self._left:
            if not self._has_place():
                for each in self._feeds.values():
                    each.knock()
                self._left.wait_for(self._has_place, _KNOCK_S)
            if self._over.is_set() or not self._has_place():
                raise FullError
            feed = self._feeds.get(topic)
            if feed is None or feed.is_over():
                feed = self._feeds[topic] = _Feed(topic, look, quick_s)
            feed.watchers += 1
            stream = Stream(feed, self._begin, lambda left: self._leave(topic, left), reader)
            self._streams.add(stream)
        return stream

    def glance(self, topic: str, look: Look) -> object:
        """How a subject stands, for one answer: what those who watch it were told last, if any do."""
        with self._left:
            feed = self._feeds.get(topic)
        news = feed.next(0, QUICK_S) if feed else None
        return news.facts if news else look()

    def end(self) -> None:
        """All streams end now, and no other begins."""
        self._over.set()
        with self._left:
            for feed in self._feeds.values():
                feed.end()
        if self._listener.is_alive():
            self._listener.join(2.0)

    def _begin(self, feed: _Feed) -> None:
        """Once somebody reads: look at the subject, and listen to what is published."""
        with self._left:
            for thread in (feed.thread, self._listener):
                if thread.ident is None and not self._over.is_set():
                    thread.start()

    def _has_place(self) -> bool:
        return sum(feed.watchers for feed in self._feeds.values()) < self.places

    def _leave(self, topic: str, stream: Stream) -> None:
        feed = stream.feed
        with self._left:
            self._streams.discard(stream)
            feed.watchers -= 1
            self._left.notify_all()
            if feed.watchers == 0:
                feed.end()
                if self._feeds.get(topic) is feed:
                    del self._feeds[topic]

    def _listen(self) -> None:
        while not self._over.is_set():
            try:
                with closing(self.redis.pubsub(ignore_subscribe_messages=True)) as heard:  # type: ignore[no-untyped-call]
                    heard.psubscribe(f"{_CHANNEL}*")
                    while not self._over.is_set():
                        if told := heard.get_message(timeout=0.5):
                            self._nudge(told["channel"].decode().removeprefix(_CHANNEL))
            except (RedisError, OSError, ValueError):  # the last two: its connection was closed under it
                self._over.wait(1.0)

    def _nudge(self, topic: str) -> None:
        with self._left:
            feeds = [feed for name, feed in self._feeds.items() if name.partition("?")[0] == topic]
            doubted = [stream for stream in self._streams if stream.reader and stream.reader.topic == topic]
        for feed in feeds:
            feed.nudge()
        for stream in doubted:
            stream.doubt()


def end_with_process(hub: Hub) -> None:
    """End its streams when the process is told to stop: the server would wait for them. Call it in the main thread.

    The server puts its own handlers of signals in place later, so we listen where every handler's signal passes.
    """
    ours, pythons = socket.socketpair()
    pythons.setblocking(False)
    signal.set_wakeup_fd(pythons.fileno(), warn_on_full_buffer=False)

    def listen() -> None:
        with pythons, suppress(OSError):
            while told := ours.recv(1):
                if told[0] in {signal.SIGTERM, signal.SIGINT}:
                    hub.end()

    threading.Thread(target=listen, name="live end", daemon=True).start()
