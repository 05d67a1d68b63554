"""The publisher: fills reach their group, settlement is nudged, and nothing waits for either."""

import asyncio
import json
import time

import pytest
from channels_redis.pubsub import RedisPubSubChannelLayer
from django.conf import settings

from apps.common.service import Service
from apps.ledger import tasks
from matching_worker.publisher import feed as feed_door
from matching_worker.publisher import nudges as nudges_door
from matching_worker.publisher.feed import Feed
from matching_worker.publisher.nudges import Nudges
from matching_worker.publisher.process import CURSOR, Publisher
from tests.helpers.journal_world import JournalWorld
from tests.helpers.ports import free_ports

QUEUE_KEY = nudges_door.KEY_PREFIX + nudges_door.QUEUE


class Doors:
    """Both doors, remembering what went through."""

    def __init__(self):
        self.messages = []
        self.partitions = []

    def send(self, messages):
        self.messages += messages
        return True

    def note(self, partitions):
        self.partitions.append(partitions)

    def fills(self):
        return [
            (group, fill["trade_id"], fill["price_ticks"], fill["lots"], fill["taker_side"])
            for group, message in self.messages
            for fill in message["fills"]
        ]


@pytest.fixture
def world(journal):
    return JournalWorld(journal, partitions=2)


@pytest.fixture
def doors():
    return Doors()


@pytest.fixture
def start(journal, cache, tmp_path, doors):
    def start_publisher(feed=doors, nudges=doors):
        service = Service(kind="publisher", handle_signals=False, configure_logs=False)
        publisher = Publisher(
            journal=journal,
            cache=cache,
            archive=tmp_path,
            service=service,
            feed=feed,
            nudges=nudges,
        )
        while publisher.turn(block_ms=1):
            pass
        return publisher

    return start_publisher


def trade(world, *, lots=3, people=(1, 2)):
    """Let alice (partition 0) sell to bob (partition 1)."""
    alice = world.account(people[0], partition=0, BTC=1)
    bob = world.account(people[1], partition=1, USDT=1_000)
    world.place(alice, "S", lots=lots, at=10_000)
    world.run()
    world.place(bob, "B", lots=lots, at=10_000)
    world.run()


def test_each_fill_is_said_once_to_its_markets_group(world, start, doors):
    publisher = start()
    trade(world)

    publisher.turn(block_ms=1)
    publisher.turn(block_ms=1)

    assert doors.fills() == [("market.BTC-USDT", 1, 10_000, 3, "B")]
    ((_, message),) = doors.messages
    assert set(message) == {"type", "market", "batch", "hash", "at_ns", "fills"}
    assert "account" not in json.dumps(message), "groups are public"


def test_settlement_of_both_sides_partitions_is_nudged(world, start, doors):
    publisher = start()
    trade(world)

    publisher.turn(block_ms=1)

    assert doors.partitions == [{0, 1}]


def test_a_new_publisher_starts_at_the_logs_end(world, start, doors):
    trade(world)

    start()

    assert doors.messages == []


def test_a_publisher_goes_on_where_the_last_one_stopped(world, start, doors, cache):
    start()
    trade(world)
    second = start()
    del second
    trade(world, lots=5, people=(3, 4))

    start()

    assert [lots for _, _, _, lots, _ in doors.fills()] == [3, 5]
    assert int(cache.hget(CURSOR, "book:BTC-USDT")) == world.replicas["book:BTC-USDT"].batch


def test_a_consumer_of_the_group_hears_the_fills(world, start, doors, servers):
    feed = Feed(servers.cache_url)
    publisher = start(feed=feed)
    trade(world)

    async def hear():
        layer = RedisPubSubChannelLayer(hosts=[servers.cache_url], prefix=feed_door.PREFIX)
        channel = await layer.new_channel()
        await layer.group_add("market.BTC-USDT", channel)
        await asyncio.to_thread(publisher.turn, block_ms=1)
        heard = await asyncio.wait_for(layer.receive(channel), 5)
        await layer.flush()
        return heard

    heard = asyncio.run(hear())
    feed.close()

    assert heard["type"] == "market.fills"
    assert [fill["lots"] for fill in heard["fills"]] == [3]


def test_many_fills_are_few_nudges(cache, servers):
    nudges = Nudges(servers.cache_url)
    nudges.start()

    until = time.monotonic() + 0.5
    while time.monotonic() < until:
        nudges.note({0})
    nudges.stop()

    queued = cache.llen(QUEUE_KEY)
    assert 1 <= queued <= 4, "5 a second at most"
    envelope = json.loads(cache.lindex(QUEUE_KEY, 0))
    assert envelope["headers"]["task"] == tasks.settle.name


def test_a_queue_that_nobody_drains_does_not_grow(cache, servers):
    cache.rpush(QUEUE_KEY, *["waiting"] * nudges_door.WAITING_MAX)
    nudges = Nudges(servers.cache_url)
    nudges.start()

    nudges.note({0, 1})
    time.sleep(0.3)
    nudges.stop()

    assert cache.llen(QUEUE_KEY) == nudges_door.WAITING_MAX


def test_a_broker_that_is_down_never_stalls_the_loop():
    nudges = Nudges(f"redis://127.0.0.1:{free_ports(1)[0]}/0")
    nudges.start()

    started = time.monotonic()
    for partition in range(100):
        nudges.note({partition})
    took = time.monotonic() - started
    deadline = time.monotonic() + 5
    while not nudges.failed and time.monotonic() < deadline:
        time.sleep(0.02)
    nudges.stop()

    assert took < 0.1
    assert nudges.failed >= 1
    assert nudges.sent == 0


def test_a_layer_that_is_down_costs_a_moment_and_then_nothing():
    feed = Feed(f"redis://127.0.0.1:{free_ports(1)[0]}/0")
    message = ("market.BTC-USDT", {"type": "market.fills", "fills": []})

    started = time.monotonic()
    sent = [feed.send([message]) for _ in range(100)]
    took = time.monotonic() - started
    feed.close()

    assert sent == [False] * 100
    assert feed.dropped == 100
    assert took < feed_door.SEND_TIMEOUT_S + 0.5


def test_both_doors_lead_where_the_site_listens():
    layer = settings.CHANNEL_LAYERS["default"]

    assert layer["BACKEND"] == "channels_redis.pubsub.RedisPubSubChannelLayer"
    assert layer["CONFIG"]["prefix"] == feed_door.PREFIX
    options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    assert options["global_keyprefix"] == nudges_door.KEY_PREFIX
    assert tasks.settle.name == nudges_door.SETTLE
    assert settings.CELERY_TASK_ROUTES["apps.ledger.tasks.*"] == {"queue": nudges_door.QUEUE}
