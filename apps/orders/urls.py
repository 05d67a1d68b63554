"""Addresses of the trading dialect, and of what /api/v1 says of orders and journals."""

from django.urls import path

from apps.orders.views import account, hot, market, platform

app_name = "orders"
urlpatterns = [
    # Asynchronous (FAST_PATHS): nothing on their way waits for a database or a thread.
    path("api/v3/order", hot.order, name="order"),
    path("api/v3/order/test", hot.order_test, name="order-test"),
    path("api/v3/openOrders", hot.orders_open, name="open-orders"),
    path("api/v3/ping", hot.ping_view, name="ping"),
    path("api/v3/time", hot.time_view, name="time"),
    path("api/v3/account", account.account_view, name="account"),
    path("api/v3/userDataStream", account.stream_view, name="user-data-stream"),
    # In threads.
    path("api/v3/exchangeInfo", market.ExchangeInfo.as_view(), name="exchange-info"),
    path("api/v3/depth", market.Depth.as_view(), name="depth"),
    path("api/v3/trades", market.Trades.as_view(), name="trades"),
    path("api/v3/aggTrades", market.AggTrades.as_view(), name="agg-trades"),
    path("api/v3/klines", market.Klines.as_view(), name="klines"),
    path("api/v3/ticker/24hr", market.Ticker24h.as_view(), name="ticker-24h"),
    path("api/v3/ticker/price", market.TickerPrice.as_view(), name="ticker-price"),
    path("api/v3/ticker/bookTicker", market.BookTicker.as_view(), name="book-ticker"),
    path("api/v3/allOrders", account.AllOrders.as_view(), name="all-orders"),
    path("api/v3/myTrades", account.MyTrades.as_view(), name="my-trades"),
    path("sapi/v1/system/status", account.SystemStatus.as_view(), name="system-status"),
    path("sapi/v1/capital/config/getall", account.Coins.as_view(), name="coins"),
    path("sapi/v1/margin/allPairs", account.NoPairs.as_view(), name="margin-pairs"),
    path(
        "sapi/v1/margin/isolated/allPairs", account.NoPairs.as_view(), name="isolated-margin-pairs"
    ),
    path("sapi/v1/asset/tradeFee", account.TradeFee.as_view(), name="trade-fee"),
    path("fapi/v1/exchangeInfo", market.EmptyExchangeInfo.as_view(), name="usd-m-exchange-info"),
    path("dapi/v1/exchangeInfo", market.EmptyExchangeInfo.as_view(), name="coin-m-exchange-info"),
    path("api/v1/time", platform.Time.as_view(), name="platform-time"),
    path("api/v1/proofs/heads", platform.Heads.as_view(), name="heads"),
    path("api/v1/orders/<int:order_id>/life", platform.Life.as_view(), name="life"),
    path("api/v1/demo/faucet", platform.Faucet.as_view(), name="faucet"),
]
