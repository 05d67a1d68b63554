"""A Valkey of a test's own: to be killed, restarted, damaged, or cut off in mid-answer."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
import time
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from exchange_site.ops.servers import valkey_binary
from tests.helpers.ports import free_ports


class LocalValkey:
    """One server on a port of its own, with its data in a directory."""

    def __init__(
        self, directory: Path, *, durable: bool = True, options: tuple[str, ...] = ()
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        (self.port,) = free_ports(1)
        self._durable = durable
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> LocalValkey:
        """Start, and wait until it has loaded its data."""
        words = [str(valkey_binary()), "--port", str(self.port), "--bind", "127.0.0.1"]
        words += ["--dir", str(self.directory), "--save", "", "--io-threads", "1"]
        if self._durable:
            words += ["--appendonly", "yes", "--appendfsync", "always"]
            words += ["--maxmemory-policy", "noeviction"]
        self._process = subprocess.Popen([*words, *self._options], stdout=subprocess.DEVNULL)
        client = redis.Redis(port=self.port, retry=Retry(NoBackoff(), retries=0))
        for _ in range(400):
            assert self._process.poll() is None, "valkey refuses to start"
            try:
                client.ping()
            except redis.RedisError:
                time.sleep(0.025)
            else:
                client.close()
                return self
        raise AssertionError("valkey did not start in ten seconds")

    def kill(self) -> None:
        """Kill it, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def aof(self) -> Path:
        """Return the file that its last commands were appended to."""
        return max(self.directory.glob("appendonlydir/*.incr.aof"))


class CuttingProxy:
    """Stands between a client and a server, and loses answers when it is told to."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._lose_next = threading.Event()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def url_of(self, client: redis.Redis) -> str:
        """Return the proxy's address for the user that a client of the server logs in as."""
        known = client.connection_pool.connection_kwargs
        user = f"{known.get('username') or ''}:{known.get('password') or ''}"
        return f"redis://{user}@127.0.0.1:{self.port}/0"

    def lose_next_answer(self) -> None:
        """Let the next request through, and cut the line instead of giving the answer back."""
        self._lose_next.set()

    def close(self) -> None:
        """End everything."""
        self._listener.close()
        for pair in self._pairs:
            for end in pair:
                end.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._server_port))
            self._pairs.append((client, server))
            threading.Thread(target=self._pump, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client, True), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, is_answer: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if is_answer and self._lose_next.is_set():
                    self._lose_next.clear()
                    break
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
