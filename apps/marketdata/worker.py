"""`python -m apps.marketdata.worker`: the process of market data."""

from apps.common.config import config
from apps.common.redis_clients import cache_client, journal_client
from apps.common.service import Service
from apps.marketdata.keeper import CandleKeeper
from apps.marketdata.process import MarketData


def main() -> None:
    """Run until asked to stop."""
    service = Service(kind="marketdata")
    service.check("marketdata", False, "starting")
    folders = (config.path("FAIRBOOK_ARCHIVE_DIR"), config.path("FAIRBOOK_SNAPSHOT_DIR"))
    journal = journal_client(socket_timeout=None)
    keeper = CandleKeeper()
    keeper.start()
    MarketData(journal, cache_client(), folders, service, keeper).run()
    keeper.stop()
    service.close()


if __name__ == "__main__":
    main()
