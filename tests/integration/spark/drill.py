"""`make spark`: starts a real Apache Spark with Spark Connect and runs every test of this folder on it.

It needs Java 17 (Debian: openjdk-17-jre-headless). Spark itself comes out of the source package of pyspark (434 MB, by
pip; SPARK_ARCHIVE names one that is there already) and is kept in .venv/spark; SPARK_HOME names an installed one.
FLOWS=1000 draws so many random flows, other ones each time.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from studio.env import ROOT, child_environment

VERSION = "4.0.1"
KEPT = ROOT / ".venv" / "spark"
SECONDS = 120


def main() -> int:
    """Set up, start, test, end; the exit code of the tests."""
    if shutil.which("java") is None:
        print("Java 17 is needed: apt install openjdk-17-jre-headless (Debian). Nothing was tested.", file=sys.stderr)
        return 1
    with started(home()) as url:
        command = [sys.executable, "-m", "pytest", "-q", "--durations=5", str(Path(__file__).parent.relative_to(ROOT))]
        print(f"· tests on Apache Spark at {url}", flush=True)
        return subprocess.run(command, cwd=ROOT, env=child_environment(SPARK_TEST_URL=url)).returncode


def home() -> Path:
    """The folder of Spark, unpacked when it is not there yet."""
    given = os.environ.get("SPARK_HOME", "")
    if given:
        return Path(given)
    if not (KEPT / "jars").is_dir():
        with tempfile.TemporaryDirectory(dir=ROOT / ".venv") as folder:
            archive = Path(os.environ.get("SPARK_ARCHIVE", "") or download(folder))
            print(f"· unpacking {archive.name}", flush=True)
            with tarfile.open(archive) as packed:
                packed.extractall(folder, filter="data")
            shutil.move(Path(folder, f"pyspark-{VERSION}", "deps"), KEPT)
    return KEPT


def download(folder: str) -> Path:
    """The source package, which carries Spark's jars."""
    print(f"· downloading pyspark {VERSION} (434 MB)", flush=True)
    wanted = ["--no-deps", "--no-binary", ":all:", "--dest", folder, f"pyspark=={VERSION}"]
    subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", *wanted], check=True)
    return next(Path(folder).glob("pyspark-*.tar.gz"))


@contextlib.contextmanager
def started(spark_home: Path) -> Iterator[str]:
    """A server on two cores of this machine; its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (jar,) = (spark_home / "jars").glob("spark-connect_*.jar")
    settings = {
        "spark.connect.grpc.binding.port": port, "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.ui.enabled": "false", "spark.sql.shuffle.partitions": 2,
    }  # fmt: skip
    command = [
        str(spark_home / "bin" / "spark-submit"),
        *("--class", "org.apache.spark.sql.connect.service.SparkConnectServer"),
        *(word for name, value in settings.items() for word in ("--conf", f"{name}={value}")),
        *("--master", "local[2]", "--driver-memory", "1g", str(jar)),
    ]
    began, environment = time.monotonic(), child_environment(SPARK_HOME=str(spark_home))
    with tempfile.TemporaryFile() as log, subprocess.Popen(command, stdout=log, stderr=log, env=environment) as server:
        try:
            while not _answers(port):
                if server.poll() is not None or time.monotonic() - began > SECONDS:
                    log.seek(0)
                    raise SystemExit(f"Spark did not start:\n{log.read().decode(errors='replace')[-3000:]}")
                time.sleep(0.2)
            print(f"· Spark is up after {time.monotonic() - began:.0f} s", flush=True)
            yield f"sc://127.0.0.1:{port}"
        finally:
            server.terminate()


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


if __name__ == "__main__":
    sys.exit(main())
