"""`python -m tests.bench d1,flow`: runs the named works and prints the table."""

from __future__ import annotations

import importlib
import sys

from tests import services
from tests.bench.measure import write_results

WORKS = (
    "d1",
    "d1_text",
    "d2",
    "d3",
    "pg_parquet",
    "parquet_d1",
    "flow",
    "steps40",
    "many",
    "each",
    "recovery",
    "ladder",
    "scan",
    "tpch",
    "canvas",
    "hosts",
    "counters",
    "acceptance",
    "call",
    "push",
    "grid",
    "impact",
)


def main(names: list[str]) -> int:
    """Run the works; ends with 0 also when a goal does not hold (a benchmark informs, it does not judge)."""
    unknown = set(names) - set(WORKS)
    if unknown:
        print(f"No such work: {', '.join(sorted(unknown))}. There are: {', '.join(WORKS)}.")
        return 2
    rows = []
    try:
        for name in names or WORKS:
            rows += importlib.import_module(f"tests.bench.{name}").run()
    finally:
        services.stop_all()
    write_results(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main([name for argument in sys.argv[1:] for name in argument.split(",") if name]))
