"""The hot path's client answers as the library's does, with many commands on one connection."""

import asyncio
import contextlib

import pytest
import redis
from redis.exceptions import NoScriptError

from apps.common.redis_clients import lean_async_client


@contextlib.asynccontextmanager
async def client(url, **options):
    lean = lean_async_client(url, **options)
    try:
        yield lean
    finally:
        await lean.aclose()


async def test_many_tasks_share_a_connection_and_each_gets_its_own_answer(servers):
    async with client(servers.cache_url) as lean:
        await asyncio.gather(*(lean.set(f"lean:{n}", n) for n in range(200)))
        found = await asyncio.gather(*(lean.get(f"lean:{n}") for n in range(200)))
        assert [int(value) for value in found] == list(range(200))
        mine = [
            line for line in await lean.client_list() if int(line["id"]) == await lean.client_id()
        ]
        assert len(mine) == 1
        await lean.xadd("lean:stream", {b"f": b"one"}, id="5-1")
        assert await lean.xread({"lean:stream": "0"}) == [
            [b"lean:stream", [(b"5-1", {b"f": b"one"})]]
        ]


async def test_an_error_reply_is_its_command_s_alone(servers):
    async with client(servers.cache_url) as lean:
        ok, wrong, missing = await asyncio.gather(
            lean.ping(),
            lean.execute_command("HGET", "only-a-key"),
            lean.evalsha("0" * 40, 0),
            return_exceptions=True,
        )
        assert ok is True
        assert isinstance(wrong, redis.ResponseError)
        assert isinstance(missing, NoScriptError)
        assert await lean.ping()


async def test_a_task_that_stops_waiting_takes_nobody_s_answer(servers):
    async with client(servers.cache_url) as lean:
        await lean.set("lean:left", b"right")
        gone = asyncio.create_task(lean.blpop(["lean:nothing"], timeout=0.2))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        gone.cancel()
        assert await lean.get("lean:left") == b"right"


async def test_silence_ends_the_connection_and_the_next_command_makes_another(servers):
    async with client(servers.cache_url, socket_timeout=0.2) as lean:
        first = await lean.client_id()
        with pytest.raises(redis.TimeoutError):
            await lean.blpop(["lean:nothing"], timeout=5)
        assert await lean.client_id() != first


async def test_a_server_that_is_away_is_an_error_and_one_that_is_back_is_found(servers):
    async with client("redis://127.0.0.1:1/0") as lean:
        with pytest.raises(redis.ConnectionError):
            await lean.ping()
    async with client(servers.cache_url) as lean, client(servers.cache_url) as other:
        first = await lean.client_id()
        await other.client_kill_filter(_id=str(first))
        with contextlib.suppress(redis.ConnectionError):  # It may notice before it is asked.
            await lean.ping()
        assert await lean.client_id() != first
