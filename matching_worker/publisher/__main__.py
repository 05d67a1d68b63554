"""The process of the publisher: `python -m matching_worker.publisher`."""

from apps.common.config import config
from apps.common.redis_clients import cache_client, journal_client
from apps.common.service import Service
from matching_worker.publisher.feed import Feed
from matching_worker.publisher.nudges import Nudges
from matching_worker.publisher.process import Publisher


def main() -> None:
    """Run until asked to stop."""
    service = Service(kind="publisher")
    feed = Feed(config.text("REDIS_URL"))
    nudges = Nudges(config.text("REDIS_URL"))
    nudges.start()
    try:
        Publisher(
            journal=journal_client(),
            cache=cache_client(socket_timeout=2),
            archive=config.path("FAIRBOOK_ARCHIVE_DIR"),
            service=service,
            feed=feed,
            nudges=nudges,
        ).run()
    finally:
        nudges.stop()
        feed.close()
        service.close()


if __name__ == "__main__":
    main()
