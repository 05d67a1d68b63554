"""Market data: depth, trades, tickers, candles and feeds, all derived from the books' logs."""
