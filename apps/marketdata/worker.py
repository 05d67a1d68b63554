"""`python manage.py run_marketdata` and `python -m apps.marketdata.worker`."""

from apps.common.config import config
from apps.common.redis_clients import cache_client, journal_client
from apps.common.service import Service
from apps.marketdata.process import CandleSink, MarketData


def main(sink: CandleSink | None = None) -> None:
    """Run until asked to stop. Without a sink, candles older than a day are not kept."""
    service = Service(kind="marketdata")
    service.check("marketdata", False, "starting")
    folders = (config.path("FAIRBOOK_ARCHIVE_DIR"), config.path("FAIRBOOK_SNAPSHOT_DIR"))
    journal = journal_client(socket_timeout=None)
    MarketData(journal, cache_client(), folders, service, sink).run()
    service.close()


if __name__ == "__main__":
    main()
