"""What settlement counts, for Prometheus."""

from prometheus_client import Counter, Gauge

LAG_SECONDS = Gauge(
    "fairbook_settlement_lag_seconds", "Age of the oldest unsettled batch", ["worker"]
)
ENTRIES = Counter("fairbook_settlement_entries", "Ledger entries booked", ["worker"])
BATCHES = Counter("fairbook_settlement_batches", "Batches of the log booked", ["worker"])
SEQ = Gauge("fairbook_settlement_seq", "The partition's last booked command", ["worker"])
STOPPED = Gauge("fairbook_settlement_stopped", "1 while the cursor is stopped", ["worker"])
