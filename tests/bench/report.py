"""A bench's figures as a table for people, beside what was promised."""

from __future__ import annotations

from typing import Any

AT_LEAST = {
    "book.commands_per_s": 250_000,
    "shard.orders_per_s": 100_000,
    "shard.fills_per_s": 50_000,
    "risk.commands_per_s": 50_000,
    "settle.fills_per_s": 1_000,
    "order.max_per_s_at_15ms": 50,
    "recovery.commands_per_s": 16_667,  # A million from genesis in a minute.
}
AT_MOST = {
    "book.cost_ratio": 1.5,
    "book.bytes_per_order": 1_000,
    "book.worst_command_ms": 5,
    "shard.decided_p50_us": 400,
    "shard.decided_p99_us": 800,
    "order.p99_ms": 15,
    "settle.lag_p99_ms": 1_000,
    "recovery.from_snapshot_s": 10,  # And a million commands,
    "recovery.from_genesis_s": 60,  # as here.
    "recovery.failover_s": 5,
    "snapshot.durable_p999_us": 5_000,
    "idle.cpu_percent": 25,
    "idle.rss_mb": 2_500,
    "up.first_s": 180,
    "up.again_s": 20,
}
BY_THE_DISK = {
    "shard.durable_p50_us": ("fsync_p50_us", 500),
    "shard.durable_p99_us": ("fsync_p99_us", 1_000),
}


def table(document: dict[str, Any]) -> str:
    """Return one line per figure."""
    skipped = document["skipped"]
    lines = [
        f"{document['cpu']}, {document['cores']} cores, Python {document['python']}, "
        f"build {document['build']}, load before {document['load']}, medians of {document['runs']}",
        f"fdatasync p50 {document['fsync_p50_us']:.0f} µs, p99 {document['fsync_p99_us']:.0f} µs",
        "",
    ]
    for name, figure in document.items():
        if "." in name:
            shown = "-" if figure is None else _number(figure)
            note = skipped.get(name) or _promise(name, figure, document)
            lines.append(f"{name:28} {shown:>12}  {note}".rstrip())
    return "\n".join(lines)


def _number(figure: float) -> str:
    return f"{figure:,.0f}" if abs(figure) >= 100 else f"{figure:,.4g}"


def _promise(name: str, figure: float, document: dict[str, Any]) -> str:
    if name in AT_LEAST:
        least = AT_LEAST[name]
        return f"{'ok' if figure >= least else 'MISSED'}: at least {least:,}"
    most = AT_MOST.get(name)
    if name in BY_THE_DISK:
        disk, more = BY_THE_DISK[name]
        most = round(2 * document[disk] + more)
    return f"{'ok' if figure <= most else 'MISSED'}: at most {most:,}" if most else ""
