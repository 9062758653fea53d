"""Connections that ask nothing neither stay for ever nor keep others out."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import asynccontextmanager

import httpx
import pytest

from monitor.testing import MemoryStore
from monitor.web import connections, server
from tests.unit.web.test_app import app_over

REQUEST = b"GET /health/live HTTP/1.1\r\nhost: here\r\n\r\n"


@asynccontextmanager
async def serving():
    listener = server.listen("127.0.0.1", 0)
    running = asyncio.create_task(server.serve(app_over(MemoryStore()), listener))
    try:
        yield listener.getsockname()[1]
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def closed(reader, *, within_s=30.0):
    async with asyncio.timeout(within_s):
        try:
            return await reader.read() == b""
        except ConnectionResetError:
            return True


@pytest.mark.parametrize("said", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nhost: here\r\nx-slow: "])
async def test_a_head_that_does_not_come_in_time_ends_its_connection(monkeypatch, said):
    monkeypatch.setattr(connections, "HEADER_S", 0.3)
    monkeypatch.setattr(connections, "SWEEP_S", 0.05)
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(said)
        assert await closed(reader)
        writer.close()


async def test_a_request_for_a_websocket_leaves_the_sweep_at_work(monkeypatch):
    monkeypatch.setattr(connections, "HEADER_S", 0.3)
    monkeypatch.setattr(connections, "SWEEP_S", 0.05)
    upgrade = b"connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: "
    # A body is announced and does not come, so that the handshake stays open.
    asked = REQUEST[:-2] + upgrade + b"dGhlIHNhbXBsZSBub25jZQ==\r\ncontent-length: 9\r\n\r\n"
    async with serving() as port:
        _, upgrading = await asyncio.open_connection("127.0.0.1", port)
        upgrading.write(asked)
        await asyncio.sleep(0.2)
        reader, idle = await asyncio.open_connection("127.0.0.1", port)
        assert await closed(reader, within_s=5)
        for writer in (idle, upgrading):
            writer.close()


async def test_a_connection_that_asked_before_may_not_dawdle_over_its_next_head(monkeypatch):
    monkeypatch.setattr(connections, "HEADER_S", 0.3)
    monkeypatch.setattr(connections, "SWEEP_S", 0.05)
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(REQUEST)
        assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 200")
        writer.write(REQUEST[:20])
        assert await closed(reader)
        writer.close()


async def test_who_waits_longest_makes_room_and_who_asks_is_answered(monkeypatch):
    monkeypatch.setattr(server, "most_connections", lambda: 4)
    monkeypatch.setattr(connections, "HEADER_S", 600.0)
    async with serving() as port:
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(12)]
        async with httpx.AsyncClient(trust_env=False) as client:
            for _ in range(5):
                assert (await client.get(f"http://127.0.0.1:{port}/health/live")).status_code == 200
        assert await closed(idle[0][0])
        for _, writer in idle:
            writer.close()


async def test_an_answer_does_not_wait_for_the_receipt_of_its_own_head():
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        taken_s = []
        for _ in range(20):
            begun = time.perf_counter()
            writer.write(REQUEST)
            await reader.readuntil(b"}")
            taken_s.append(time.perf_counter() - begun)
        writer.close()
    # A delayed acknowledgement comes after 40 ms, but for a connection's first answer; the quickest of the
    # others shows whether there was one.
    assert min(taken_s[1:]) < 0.03


def test_a_process_that_may_open_few_files_takes_few_connections(monkeypatch):
    for files, most in ((256, 64), (1024, 256), (1 << 20, 256), (20, connections.FEWEST_CONNECTIONS)):
        monkeypatch.setattr(connections.resource, "getrlimit", lambda _, files=files: (files, files))
        assert connections.most_connections() == most


async def test_files_that_ran_out_are_told_in_one_line(caplog):
    loop = asyncio.get_running_loop()
    context = {
        "message": "socket.accept() out of system resource",
        "exception": OSError(24, "Too many open files"),
    }
    async with serving() as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        with caplog.at_level(logging.WARNING):
            for _ in range(2000):
                loop.call_exception_handler(context)
        assert len(caplog.records) == 1
        assert "ulimit -n" in caplog.text
        loop.call_exception_handler({"message": "something else"})
        writer.close()
    assert "something else" in caplog.text
