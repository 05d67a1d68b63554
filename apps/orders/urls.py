"""Addresses of the trading dialect, and of what /api/v1 says of orders and journals."""

from django.urls import path

from apps.orders.views import account, changes, hot, market, platform, several, transfers

app_name = "orders"
urlpatterns = [
    # Asynchronous (FAST_PATHS): nothing on their way waits for a database or a thread.
    path("api/v3/order", hot.order, name="order"),
    path("api/v3/order/test", hot.order_test, name="order-test"),
    path("api/v3/order/amend/keepPriority", changes.amend_view, name="order-amend"),
    path("api/v3/order/cancelReplace", changes.replace_view, name="order-replace"),
    path("api/v3/order/oco", several.old_pair_view, name="order-oco"),
    path("api/v3/orderList/oco", several.pair_view, name="order-list-oco"),
    path("api/v3/orderList", several.list_view, name="order-list"),
    path("api/v3/openOrderList", several.open_lists_view, name="open-order-lists"),
    path("api/v1/orders/batch", several.batch_view, name="order-batch"),
    path("api/v1/cancelAllAfter", several.cancel_after_view, name="cancel-all-after"),
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
    path("api/v1/orders/<int:order_id>/life", platform.Life.as_view(), name="life"),
    path("api/v1/account/transfers", transfers.Transfers.as_view(), name="transfers"),
    path(
        "api/v1/account/transfers/<uuid:transfer_id>",
        transfers.OneTransfer.as_view(),
        name="transfer",
    ),
    path("api/v1/demo/faucet", platform.Faucet.as_view(), name="faucet"),
]
