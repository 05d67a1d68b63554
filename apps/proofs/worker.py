"""`python -m apps.proofs.worker`: the process that makes the proofs."""

from __future__ import annotations

import os
from collections.abc import Sequence

from apps.common.config import config
from apps.common.redis_clients import journal_client
from apps.common.service import Service
from apps.proofs.contracts import OutsideHead
from apps.proofs.prover import HeadsUnavailable, Places, Prover


def main() -> None:
    """Run until asked to stop."""
    service = Service(kind="prover")
    service.check("prover", False, "starting")
    places = Places(
        archive=config.path("FAIRBOOK_ARCHIVE_DIR"),
        snapshots=config.path("FAIRBOOK_SNAPSHOT_DIR") / "prover",
        proofs=config.path("FAIRBOOK_PROOF_DIR"),
    )
    _set_django_up()
    Prover(
        journal_client(socket_timeout=5),
        places,
        service,
        secret=bytes.fromhex(config.text("FAIRBOOK_PROOF_SECRET")),
        cut_s=config.integer("FAIRBOOK_PROOF_CUT_S"),
        keep=keep_heads,
    ).run()
    service.close()


def keep_heads(heads: Sequence[OutsideHead]) -> None:
    """Keep heads in PostgreSQL."""
    from django.db import DatabaseError, InterfaceError, connection

    from apps.proofs import services

    try:
        services.keep_heads(heads)
    except (DatabaseError, InterfaceError) as error:
        connection.close()
        raise HeadsUnavailable(type(error).__name__) from error


def _set_django_up() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exchange_site.settings")
    django.setup()


if __name__ == "__main__":
    main()
