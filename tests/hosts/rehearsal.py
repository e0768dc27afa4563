"""Many runs of two stages on several hosts: all are done, each row is there once.

    python -m tests.hosts.rehearsal --runs 1000 --lease 15          three hosts, of which one is lost in the middle
    python -m tests.hosts.rehearsal --runs 200 --before FOLDER      a worker of an older version beside one of this

A process of its own, with the options of the studio in its environment: it plays the part of the web process. Prints
what it found as one line of JSON, and ends with an error when anything is lost or doubled.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import django

from tests.hosts.host import Host, has_namespaces

ROWS = 500
START_SECONDS = 120.0


def main(arguments: Sequence[str] = ()) -> None:
    """Play it."""
    options = argparse.ArgumentParser()
    options.add_argument("--runs", type=int, default=30)
    options.add_argument("--lease", type=float, default=15.0)
    options.add_argument("--seconds", type=float, default=600.0, help="the longest that all runs may take")
    options.add_argument("--before", type=Path, help="a checkout of an older version, with its .venv")
    given = options.parse_args(arguments or None)
    django.setup()

    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    leases = {"LEASE_SECONDS": str(given.lease), "HEARTBEAT_SECONDS": str(given.lease / 3)}
    with tempfile.TemporaryDirectory(prefix="cg-hosts-") as folder:
        each = {**leases, "WORKER_SLOTS": "1"}
        if given.before:
            each["DATA_HOME"] = os.environ["DATA_HOME"]  # an upgrade in place: one folder for both versions
            hosts = [
                Host("older", Path(folder) / "older", each, schedules=False, root=given.before.resolve()),
                Host("newer", Path(folder) / "newer", each),
            ]
        else:
            names = ("harbour", "market", "tower")
            hosts = [Host(name, Path(folder) / name, each, schedules=name != "tower") for name in names]
        try:
            found = _play(hosts, given.runs, given.seconds, lost=None if given.before else hosts[1])
        except BaseException:
            for host in hosts:
                print(f"── {host.name}\n{host.log.read_text(errors='replace')[-3000:]}", file=sys.stderr)
            raise
        finally:
            for host in hosts:
                host.kill()
    print(json.dumps({"runs": given.runs, "namespaces": has_namespaces(), **found}))


def _play(hosts: list[Host], runs: int, seconds: float, lost: Host | None) -> dict[str, Any]:
    from runtime import states
    from runtime.models import Attempt, Run, Worker
    from runtime.scheduler import start_run
    from tests.integration.runtime import city

    city.wait_for(lambda: Worker.objects.count() == len(hosts), START_SECONDS, "all hosts report their workers")
    staff, flow, version = _make_flow()
    began = time.monotonic()
    for number in range(runs):
        start_run(flow, version, staff, {"tag": number})
    ended = Run.objects.filter(state__in=states.RUN_FINISHED)
    city.wait_for(lambda: ended.count() >= runs // 3, seconds, "a third of the runs is done")
    if lost is not None:
        city.wait_for(lambda: _holds_work(lost.name), seconds, f"{lost.name} is at work")
        lost.kill()
    done_then, killed_at = ended.count(), time.monotonic()
    city.wait_for(lambda: ended.count() == runs, seconds, "all runs end")
    took = time.monotonic() - began

    by_state = Counter(Run.objects.values_list("state", flat=True))
    assert by_state == {states.DONE: runs}, (by_state, Run.objects.exclude(error=None).first().error)
    rows = _rows_by_tag()
    assert rows == dict.fromkeys(range(runs), (ROWS, ROWS)), {tag: n for tag, n in rows.items() if n != (ROWS, ROWS)}
    attempts = Attempt.objects.exclude(task__run=None).values_list("worker", flat=True)
    return {
        "seconds": round(took, 1),
        "seconds_after_loss": round(took - (killed_at - began), 1),
        "done_before_loss": done_then,
        "attempts": dict(Counter(worker.partition(":")[0] for worker in attempts)),
        "attempts_lost": Attempt.objects.exclude(task__run=None).exclude(outcome=states.DONE).count(),
    }


def _holds_work(host: str) -> bool:
    from runtime import states
    from runtime.models import Task

    return Task.objects.filter(owner__startswith=f"{host}:", state__in=states.ACTIVE).exists()


def _make_flow() -> tuple[Any, Any, Any]:
    """Readings are checked, and the good ones (all of them) appended to a table with the number of their run."""
    import psycopg

    from flows.versions import save_version
    from tests.integration.runtime import city

    source, target = json.loads(os.environ["HOSTS_SOURCE"]), json.loads(os.environ["HOSTS_TARGET"])
    with psycopg.connect(os.environ["HOSTS_SOURCE_URL"]) as connection:
        connection.execute(
            "create table readings as select n as id, 's' || n % 7 as station, n * 1.5 as pm25 "
            f"from generate_series(1, {ROWS}) as n"
        )
    staff = city.make_staff()
    node = city.add_node(staff, "postgresql", "Readings", source)
    sink = city.add_node(staff, "postgresql", "Kept", target)
    (readings,) = city.discover(node, staff)
    put = {"node": sink.number, "path": ["kept"], "mode": "append", "create": True}
    rules = {"rules": [{"name": "fair", "expression": "pm25 > 0", "at_least": 1.0}], "on_fail": "stop"}
    flow = city.make_flow(
        staff,
        {
            "read": city.read_step(readings),
            "tag": {"type": "derive", "settings": {"columns": [{"name": "tag", "expression": ":tag"}]}},
            "test": {"type": "check", "settings": rules},
            "end": {"type": "write", "settings": put},
        },
        [("read.out", "tag.in"), ("tag.out", "test.in"), ("test.out", "end.in")],
    )
    flow.draft.document |= {"inputs": {"type": "object", "properties": {"tag": {"type": "integer"}}}}
    flow.draft.save()
    return staff, flow, save_version(flow.app, staff)


def _rows_by_tag() -> dict[int, tuple[int, int]]:
    """Number of the run → rows, and different ids."""
    import psycopg

    with psycopg.connect(os.environ["HOSTS_TARGET_URL"]) as connection:
        rows = connection.execute("select tag, count(*), count(distinct id) from kept group by tag").fetchall()
    return {tag: (count, ids) for tag, count, ids in rows}


if __name__ == "__main__":
    main()
