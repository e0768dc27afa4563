"""The services that hosts share, and the rehearsal as a process that has them in its options."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from typing import Any, Literal

from studio.env import OPTIONS
from tests import services
from tests.hosts.host import ROOT
from tests.object_store import ObjectStore

Broker = Literal["redis", "rabbitmq"]


def shared_options(broker: Broker, exchange: dict[str, str], folder: Path) -> dict[str, str]:
    """What every host is told: a fresh database, the broker, the exchange, and the keys."""
    server, name = services.postgres_server(), f"hosts_{uuid.uuid4().hex[:12]}"
    broker_options = (
        {"REDIS_URL": f"{services.redis_server().url.rpartition('/')[0]}/5"}
        if broker == "redis"
        else {"BROKER_URL": services.rabbitmq_server().url}
    )
    return {
        "DATABASE_URL": server.create_database(name), **broker_options, **exchange,
        "ALLOWED_NETWORKS": "127.0.0.0/8", "SECRET_KEY": uuid.uuid4().hex * 2, "KEY_FILE": str(folder / "keys.json"),
        "UPLOAD_FOLDER": str(folder / "uploads"),
    }  # fmt: skip


def environment(options: dict[str, str], folder: Path) -> dict[str, str]:
    """The environment of the rehearsal: the options and nothing of the tests' own studio."""
    server = services.postgres_server()
    plain = {name: value for name, value in os.environ.items() if name not in {one.name for one in OPTIONS}}
    for kind in ("source", "target"):
        name = f"{kind}_{uuid.uuid4().hex[:12]}"
        plain[f"HOSTS_{kind.upper()}_URL"] = server.create_database(name)
        plain[f"HOSTS_{kind.upper()}"] = json.dumps(server.settings(name))
    plain.pop("CITYGO_TESTS", None)
    return {**plain, **options, "DATA_HOME": str(folder / "web"), "DJANGO_SETTINGS_MODULE": "studio.settings"}


def rehearse(
    broker: Broker, store: ObjectStore | None, runs: int, lease: float, seconds: float, before: Path | None = None
) -> dict[str, Any]:
    """Play it, with rows in a bucket, or with a worker of the version ``before`` and all in one folder; what was found.

    Raises AssertionError with the hosts' logs.
    """
    with tempfile.TemporaryDirectory(prefix="cg-stage-") as name:
        folder = Path(name)
        options = shared_options(broker, store.exchange(store.bucket()) if store else {}, folder)
        command = [sys.executable, "-m", "tests.hosts.rehearsal", f"--runs={runs}", f"--lease={lease}",
                   f"--seconds={seconds}", *([f"--before={before}"] if before else [])]  # fmt: skip
        done = subprocess.run(
            command, env=environment(options, folder), cwd=ROOT, capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-12_000:]}"
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found
