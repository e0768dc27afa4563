"""Three hosts that share only services and a bucket; one is lost in the middle. HOSTS_RUNS=1000 plays the whole piece,
with both brokers."""

from __future__ import annotations

import os

import pytest

from tests import services
from tests.hosts.stage import Broker, rehearse
from tests.object_store import ObjectStore

RUNS = int(os.environ.get("HOSTS_RUNS") or 15)
LEASE = 15.0 if RUNS > 100 else 4.0

pytestmark = [pytest.mark.services, pytest.mark.timeout(3600)]


@pytest.mark.parametrize("broker", ["redis", "rabbitmq"])
def test_one_of_three_hosts_is_lost_and_each_row_arrives_once(broker: Broker, object_store: ObjectStore) -> None:
    if broker == "rabbitmq" and RUNS < 100:
        pytest.skip("HOSTS_RUNS=1000, or make bench NAME=hosts")
    found = rehearse(broker, object_store, RUNS, LEASE, 300.0 * services.patience() + RUNS)
    print(found)
    assert found["runs"] == RUNS
    assert found["done_before_loss"] < RUNS
    assert len(found["attempts"]) >= 2
