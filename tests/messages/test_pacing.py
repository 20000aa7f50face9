"""A number's pace is one for all its senders, and kept without Redis too."""

from redis import Redis

from bot import queue
from bot.messages.pacing import Bucket, burst_of


def test_two_senders_share_one_bucket(redis: Redis) -> None:
    one, other = Bucket(redis, 1, rate=40), Bucket(redis, 1, rate=40)

    assert one.take(6) == 6
    assert other.take(100) < burst_of(40)


def test_numbers_do_not_share(redis: Redis) -> None:
    assert Bucket(redis, 1, rate=4).take(10) == Bucket(redis, 2, rate=4).take(10) == 1


def test_without_redis_the_sender_keeps_the_pace_by_itself() -> None:
    bucket = Bucket(queue.connect("redis://127.0.0.1:9"), 1, rate=4)

    assert bucket.take(5) == 1
    assert bucket.take(5) == 0
