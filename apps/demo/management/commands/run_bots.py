"""manage.py run_bots: the demo's market makers and takers, as a process of their own."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

from django.core.management.base import BaseCommand

from apps.common.config import config
from apps.common.service import EXIT_LEAVE_STOPPED, Service
from apps.demo import bots
from apps.demo.client import ApiClient, ApiRefusal, demo_users, local_url


class Command(BaseCommand):
    """Quote and trade around a simulated price, over the public API."""

    help = "Run the demo's bots: about 5 orders a second over all markets. FAIRBOOK_BOTS=0: none."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Run until a stop is asked for."""
        if config.is_production or not config.flag("FAIRBOOK_BOTS"):
            raise SystemExit(EXIT_LEAVE_STOPPED)
        service = Service(kind="bot")
        service.check("market", False, "waiting for the exchange")
        asyncio.run(self._run(service))
        service.close()

    async def _run(self, service: Service) -> None:
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()

        def stop() -> None:
            loop.call_soon_threadsafe(stopping.set)

        service.on_stop(stop)
        if service.stopping.is_set():
            return
        async with AsyncExitStack() as stack:
            entries = await self._markets(stopping)
            if not entries:
                return
            names = (bots.MAKER, *bots.TAKERS)
            users = demo_users()
            clients = {
                name: await stack.enter_async_context(
                    ApiClient(
                        local_url(), key=users[name]["api_key"], secret=users[name]["api_secret"]
                    )
                )
                for name in names
            }
            takers = [clients[name] for name in bots.TAKERS]
            runs = [
                bots.run_market(
                    bots.MarketBots(market, clients[bots.MAKER], takers),
                    stopping=stopping,
                    ready=lambda _symbol: service.check("market", True),
                )
                for market in entries
            ]
            await asyncio.gather(*runs)

    async def _markets(self, stopping: asyncio.Event) -> list[bots.Market]:
        """Wait for the exchange and for the demo's users; then read what is traded."""
        async with ApiClient(local_url()) as client:
            while not stopping.is_set():
                try:
                    info = await client.public("/api/v3/exchangeInfo")
                    if info["symbols"] and bots.MAKER in demo_users():
                        return [
                            bots.Market.read(entry, center)
                            for entry in info["symbols"]
                            if (center := center_of(entry)) is not None
                        ]
                except ApiRefusal:
                    pass
                await asyncio.sleep(0.5)
        return []


def center_of(entry: dict[str, Any]) -> float | None:
    """Return the price that the oracle walks around: the market's price at its listing.

    None where staff listed the market: the bots own nothing of it.
    """
    from apps.markets.demo import MARKETS

    known = {spec.symbol.replace("-", ""): spec for spec in MARKETS}
    spec = known.get(entry["symbol"])
    return spec.reference_ticks * spec.tick_units / 10**spec.price_decimals if spec else None
