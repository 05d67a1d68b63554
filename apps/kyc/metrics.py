"""What identity checks count, for Prometheus."""

from prometheus_client import Counter, Gauge

WAITING = Gauge("fairbook_kyc_waiting", "Applications on our clock", ["tier"])
OVERDUE = Gauge("fairbook_kyc_overdue", "Applications whose time is over", ["tier"])
REVEALS_REFUSED = Counter("fairbook_kyc_reveals_refused", "Looks at papers beyond the limit")
