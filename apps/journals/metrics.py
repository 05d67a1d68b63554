"""What every worker process counts, for Prometheus."""

from functools import cache

from prometheus_client import Counter, Gauge, Histogram

from apps.journals.turn import SealedBatch

_SECONDS = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.015, 0.03, 0.06, 0.125, 0.25, 0.5, 1, 2.5, 5)

BATCH_COMMANDS = Histogram(
    "fairbook_worker_batch_commands",
    "Commands and messages in a batch",
    ["worker"],
    buckets=(0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048),
)
DECIDED_SECONDS = Histogram(
    "fairbook_worker_decided_seconds",
    "From the read of a batch's inputs until it is sealed",
    ["worker"],
    buckets=_SECONDS,
)
DURABLE_SECONDS = Histogram(
    "fairbook_worker_durable_seconds",
    "From the read of a batch's inputs until the journal has fsynced it",
    ["worker"],
    buckets=_SECONDS,
)
COMMANDS = Counter("fairbook_worker_commands", "Commands and messages applied", ["worker"])
SEQ = Gauge("fairbook_worker_seq", "Commands applied since genesis", ["worker"])
BATCH = Gauge("fairbook_worker_batch", "The last batch", ["worker"])
EPOCH = Gauge("fairbook_worker_epoch", "The epoch that the owner holds (0: a standby)", ["worker"])
BLOCKED = Gauge("fairbook_worker_blocked", "1 while a poison command blocks a stream", ["worker"])
SNAPSHOT_AT = Gauge("fairbook_snapshot_timestamp_seconds", "When a snapshot was made", ["worker"])
DIVERGED = Gauge("fairbook_worker_diverged", "1 once the record and the replica differ", ["worker"])


class WorkerMeters:
    """The metrics of one worker, looked up once."""

    def __init__(self, worker: str) -> None:
        self.commands = COMMANDS.labels(worker)
        self.batch_commands = BATCH_COMMANDS.labels(worker)
        self.decided = DECIDED_SECONDS.labels(worker)
        self.durable = DURABLE_SECONDS.labels(worker)
        self.batch = BATCH.labels(worker)
        self.seq = SEQ.labels(worker)
        self.epoch = EPOCH.labels(worker)
        self.blocked = BLOCKED.labels(worker)

    def note(self, batch: SealedBatch, decided_s: float, durable_s: float) -> None:
        """Count one batch."""
        self.commands.inc(batch.commands)
        self.batch_commands.observe(batch.commands)
        self.decided.observe(decided_s)
        self.durable.observe(durable_s)
        self.batch.set(batch.number)
        self.seq.inc(batch.commands)


@cache
def of_worker(worker: str) -> WorkerMeters:
    """Return the one set of metrics of a worker."""
    return WorkerMeters(worker)
