"""Take the exchange down: doors first, servers last. Nothing is lost.

python -m exchange_site.ops.down            what `make down` does
python -m exchange_site.ops.down --reset    and remove the data directory
"""

from __future__ import annotations

import contextlib
import shutil
import sys

from apps.common.config import ROOT
from exchange_site.ops import leftovers, places
from exchange_site.ops.processes import DOORS, SERVERS, all_processes
from exchange_site.ops.supervision import NoSupervisor, Supervisor


def take_down() -> bool:
    """Stop every process of this data directory. False when nothing was up."""
    was_up = False
    with contextlib.suppress(NoSupervisor):
        supervisor = Supervisor()
        known = supervisor.states()
        was_up = True
        for phase in range(DOORS, SERVERS - 1, -1):
            names = [p.name for p in all_processes() if p.phase == phase and p.name in known]
            supervisor.stop(*names)
        supervisor.shutdown()
        if (process := leftovers.running_supervisor()) is not None:
            process.wait(10)
    return bool(leftovers.clean_up()) or was_up


def reset() -> None:
    """Remove the data directory, if it is one of ours."""
    var = places.var()
    if not var.exists():
        return
    if var in (ROOT, *ROOT.parents) or not (var / "secrets.env").exists():
        raise SystemExit(f"{var} does not look like a data directory of ours: remove it by hand")
    sockets = places.socket_dir()
    shutil.rmtree(var)
    shutil.rmtree(sockets, ignore_errors=True)  # Elsewhere, where the data's path is too long.


def main() -> None:
    """Stop, say so, and perhaps remove the data."""
    print("stopped" if take_down() else "nothing was up")
    if "--reset" in sys.argv:
        reset()
        print(f"removed {places.var()}")


if __name__ == "__main__":
    main()
