"""Write down that a process starts, then become it.

    python launch.py RUN_DIR NAME NICE COMMAND...

The supervisor starts everything through this file. It costs no memory, because it execs. What it
becomes finds in its environment the secrets that its row of the table needs, and no others. The
record, `RUN_DIR/NAME.json` = {"name", "pid", "starts": [...], "restarts", "since"}, is where
`services` finds restarts and times. A process that dies at once again and again is slowed down
here: the first few restarts are immediate, because a killed service must be back quickly.
Standard library only, and little of that: this runs before every start.
"""

import json
import os
import sys
import time

QUICK_STARTS = 6  # within WINDOW_S; after that, a pause before each start
WINDOW_S = 10.0
PAUSE_S = 2.0


def main() -> None:
    """Record the start and exec the command."""
    run_dir, name, nice, *command = sys.argv[1:]
    path = os.path.join(run_dir, f"{name}.json")
    try:
        with open(path) as file:
            starts = json.load(file)["starts"]
    except (OSError, ValueError, KeyError):
        starts = []
    recent = [at for at in starts if time.time() - at < WINDOW_S]
    if len(recent) >= QUICK_STARTS:
        time.sleep(PAUSE_S)
    now = time.time()
    starts.append(now)
    record = {
        "name": name,
        "pid": os.getpid(),
        "starts": starts[-100:],
        "restarts": len(starts) - 1,
        "since": now,
    }
    draft = f"{path}.{os.getpid()}"
    with open(draft, "w") as file:
        json.dump(record, file)
    os.replace(draft, path)
    environ = _environ()
    os.nice(int(nice))
    os.execvpe(command[0], command, environ)


def _environ() -> dict[str, str]:
    """Return what the process is to know; for a worker, see that the servers know it."""
    if "FAIRBOOK_NEEDS" not in os.environ:
        return dict(os.environ)  # Started by a person, not by the supervisor.
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    from exchange_site.ops import environs, roles

    role = os.environ.get("FAIRBOOK_ROLE", roles.NOBODY)
    if roles.is_worker(role):
        from exchange_site.ops import acl

        acl.add(role)
    return environs.environ_of(os.environ, needs=os.environ["FAIRBOOK_NEEDS"].split(), role=role)


main()
