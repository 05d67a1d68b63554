"""The users of the embedded Valkeys: written down before a server starts, added in its life.

A server reads its users from a file of mode 0600 that holds digests of their passwords. `make up`
writes it anew from the table (`roles.py`). A market that is listed later needs a user more: the
launcher of its book adds it, once, and has the server keep it.

    python -m exchange_site.ops.acl journal     what a server of your own needs to know
"""

from __future__ import annotations

import contextlib
import hashlib
import socket
import sys
import time
from pathlib import Path

from apps.common.config import Config, config
from apps.journals import keys
from exchange_site.ops import books, environs, roles

FILE = "users.acl"
PATIENCE_S = 10.0
_NOBODY_ELSE = "user default off resetkeys resetchannels -@all"


class NotAdded(Exception):
    """The server did not take a user. The message says why."""


def folder_of(server: str, settings: Config = config) -> Path:
    """Return the data directory of an embedded Valkey."""
    if server == "journal":
        return settings.path("FAIRBOOK_JOURNAL_DIR")
    return settings.path("FAIRBOOK_VAR") / server


def workers() -> list[str]:
    """Name the workers of this exchange, as far as it is known before it starts."""
    listed = books.read()
    markets = [*config.words("FAIRBOOK_MARKETS"), *(book.market for book in listed.books)]
    return [
        *(keys.worker_of_partition(n) for n in range(config.integer("FAIRBOOK_RISK_PARTITIONS"))),
        *(keys.worker_of_market(market) for market in markets if market not in listed.closed),
    ]


def write(server: str) -> Path:
    """Write the users of a server that is about to start."""
    lines = [_NOBODY_ELSE]
    for role, rights in roles.all_roles(workers()).items():
        if rules := getattr(rights, server):
            lines.append(f"user {role} {_definition(role, server, rules, config)}")
    path = folder_of(server) / FILE
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text("\n".join(lines) + "\n")
    draft.replace(path)
    return path


def add(role: str, settings: Config = config) -> None:
    """See that the running embedded servers know a worker's role. Costs nothing if they do."""
    for server, url in (("journal", "JOURNAL_URL"), ("cache", "REDIS_URL")):
        if not settings.is_set(url) and not settings.is_production:
            _add(role, server, settings)


def _definition(role: str, server: str, rules: str, settings: Config) -> str:
    digest = _digest(role, server, settings)
    return f"on #{digest} resetkeys resetchannels -@all {rules}"


def _digest(role: str, server: str, settings: Config) -> str:
    return hashlib.sha256(environs.password_of(role, server, settings).encode()).hexdigest()


def _add(role: str, server: str, settings: Config) -> None:
    if _is_written(role, server, settings):
        return
    rules = getattr(roles.rights_of(role), server)
    definition = ["reset", *_words(_definition(role, server, rules, settings))]
    with _line(server, settings) as line:
        line.say("ACL", "SETUSER", role, *definition)
        line.say("ACL", "SAVE")


def _is_written(role: str, server: str, settings: Config) -> bool:
    """Whether the server's file knows this role by this password: then the server does, too."""
    digest = f"#{_digest(role, server, settings)}"
    with contextlib.suppress(FileNotFoundError):
        lines = (folder_of(server, settings) / FILE).read_text().splitlines()
        return any(line.startswith(f"user {role} ") and digest in line for line in lines)
    return False


def _words(definition: str) -> list[str]:
    """Split rules into the command's arguments: what stands in parentheses is one."""
    words: list[str] = []
    for word in definition.split():
        if words and words[-1].startswith("(") and not words[-1].endswith(")"):
            words[-1] += f" {word}"
        else:
            words.append(word)
    return words


def _line(server: str, settings: Config) -> _Line:
    """Connect as the admin; a server that is being started again is worth a moment."""
    ends_at = time.monotonic() + PATIENCE_S
    while True:
        try:
            return _Line(server, settings)
        except OSError as error:
            if time.monotonic() > ends_at:
                raise NotAdded(f"{server} does not answer: {error}") from None
            time.sleep(0.1)


class _Line:
    """A connection of the admin, without a client library: the launcher has none."""

    def __init__(self, server: str, settings: Config) -> None:
        port = settings.integer(f"FAIRBOOK_{server.upper()}_PORT")
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=2)
        self._answers = self._socket.makefile("rb")
        word = environs.password_of(roles.ADMIN, server, settings)
        self.say("AUTH", roles.ADMIN, word)

    def __enter__(self) -> _Line:
        return self

    def __exit__(self, *_: object) -> None:
        self._answers.close()
        self._socket.close()

    def say(self, *words: str) -> None:
        """Send a command that is answered by OK."""
        body = b"".join(b"$%d\r\n%s\r\n" % (len(w.encode()), w.encode()) for w in words)
        self._socket.sendall(b"*%d\r\n%s" % (len(words), body))
        answer = self._answers.readline().strip()
        if not answer or answer.startswith(b"-LOADING"):
            raise OSError("it is starting or stopping")
        if answer != b"+OK":
            raise NotAdded(f"{words[0]} was refused: {answer.decode(errors='replace')}")


def main() -> None:
    """Print the users that a person's own server needs, with places for their passwords."""
    server = sys.argv[1] if sys.argv[1:] in (["journal"], ["cache"]) else ""
    if not server:
        sys.exit(f"usage: python -m exchange_site.ops.acl {' | '.join(roles.SERVERS)}")
    print(_NOBODY_ELSE)
    for role, rights in roles.all_roles(["book:*", "risk:*"]).items():
        if rules := getattr(rights, server):
            name = role.removesuffix(":*")
            print(f"user {name} on >PASSWORD resetkeys resetchannels -@all {rules}")


if __name__ == "__main__":
    main()
