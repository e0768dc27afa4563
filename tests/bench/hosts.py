"""Three hosts that share a database, a broker and a bucket do HOSTS_RUNS (1000) runs of two stages; one is lost midway.

Nothing may be lost or doubled: the rehearsal ends with an error then. The figure is the time from the loss to the end
of the last run, beside what the runs left over would have taken at the pace before it, and one lease.
"""

from __future__ import annotations

import os

from tests import object_store
from tests.bench.measure import Comparison
from tests.hosts.stage import Broker, rehearse

RUNS = int(os.environ.get("HOSTS_RUNS") or 1000)
LEASE = 15.0
BROKERS: tuple[Broker, ...] = ("redis", "rabbitmq")


def run() -> list[Comparison]:
    """Both brokers, one after the other."""
    rows = []
    with object_store.started() as store:
        for broker in BROKERS:
            found = rehearse(broker, store, RUNS, LEASE, 3600.0)
            print(f"  {broker}: {found}")
            before = (found["seconds"] - found["seconds_after_loss"]) / max(1, found["done_before_loss"])
            expected = before * 1.5 * (RUNS - found["done_before_loss"]) + LEASE
            rows.append(
                Comparison(
                    "hosts", f"{RUNS} runs, one of three hosts lost, {broker}: all done, each row once",
                    found["seconds_after_loss"], expected, "two thirds of the pace, and one lease", 1.5, "at_most",
                    limit="seconds from the loss to the end", doubts="all hosts on one machine of two cores",
                )
            )  # fmt: skip
    return rows
