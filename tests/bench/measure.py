"""How benchmarks measure: wall time, CPU of whole process trees, peak memory, interleaved pairs, medians."""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from tests.bench.figures import read_lines, write_lines

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Cost:
    """What one run of a work cost: seconds of wall time and CPU, peak bytes of one process.

    ``peak_rss`` counts pages that other processes share in full, ``peak_pss`` each only by this one's part of it;
    ``largest`` names the process that reached ``peak_rss``.
    """

    wall: float
    cpu: float
    peak_rss: int
    peak_pss: int = 0
    largest: str = ""


@dataclass
class Comparison:
    """One line of the table. ``sense`` says whether the ratio must stay at most or at least at the goal.

    ``measured`` and ``load`` are those of the moment at which a bench makes the line: right after its work.
    """

    work: str
    figure: str
    ours: float
    against: float
    peer: str
    goal: float
    sense: Literal["at_most", "at_least"]
    unit: str = "s"
    limit: str = ""
    doubts: str = ""
    runs: dict[str, list[float]] = field(default_factory=dict)
    measured: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    load: float = field(default_factory=lambda: round(os.getloadavg()[0], 2))

    @property
    def ratio(self) -> float:
        return self.ours / self.against if self.against else float("nan")

    @property
    def holds(self) -> bool:
        return self.ratio <= self.goal if self.sense == "at_most" else self.ratio >= self.goal


def process_tree(roots: Iterable[int]) -> set[int]:
    """The processes ``roots`` and everything below them, by parent links in /proc."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                stat = Path(f"/proc/{entry}/stat").read_text()
            except OSError:
                continue
            parent = int(stat.rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry))
    found, queue = set(), list(roots)
    while queue:
        process = queue.pop()
        if process not in found:
            found.add(process)
            queue.extend(children.get(process, ()))
    return found


def cpu_seconds(processes: Iterable[int]) -> float:
    """User and system seconds of living processes and of their reaped children."""
    total = 0
    for process in processes:
        try:
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(int(value) for value in fields[11:15])
    return total / TICKS


def resident(process: int) -> int:
    """Resident bytes of one process that are its own or file backed (0 when it is gone)."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * PAGE
    except OSError:
        return 0


def proportional(process: int) -> int:
    """Bytes of one process, shared pages divided by who shares them (0 when it is gone or may not be looked at)."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024
    except (OSError, StopIteration):
        return 0


def named(process: int) -> str:
    """What runs in a process: the module or command that Python was given, else its program."""
    try:
        words = Path(f"/proc/{process}/cmdline").read_text().split("\0")
    except OSError:
        return ""
    words = [word for word in words if word and not word.startswith(("-", "{"))]
    return " ".join(Path(word).name for word in words[:3])[:60]


def measure(work: Callable[[], Any], roots: Callable[[], Iterable[int]], watched: Callable[[], Iterable[int]]) -> Cost:
    """Run ``work`` once; CPU is counted over the trees of ``roots``, the peak over single ``watched`` processes."""
    peak, share, largest, stop = 0, 0, "", threading.Event()

    def watch() -> None:
        nonlocal peak, share, largest
        while not stop.wait(0.05):
            size, process = max((resident(process), process) for process in process_tree(watched()))
            share = max(share, proportional(process))
            if size > peak:
                peak, largest = size, named(process)

    watcher = threading.Thread(target=watch, daemon=True)
    before_processes = process_tree(roots())
    before = cpu_seconds(before_processes)
    watcher.start()
    started = time.perf_counter()
    work()
    wall = time.perf_counter() - started
    after = cpu_seconds(process_tree(roots()) | before_processes)
    stop.set()
    watcher.join()
    return Cost(wall, max(after - before, 0.0), peak, share, largest)


def drive(once: Callable[[], Any], count: int, in_flight: int, pid: int) -> dict[str, float]:
    """``count`` times, ``in_flight`` at once: how many a second, p50 and p95 in ms, CPU ms of the tree for each."""

    def timed(_: int) -> float:
        started = time.perf_counter()
        once()
        return (time.perf_counter() - started) * 1000

    before, started = cpu_seconds(process_tree([pid])), time.perf_counter()
    with ThreadPoolExecutor(in_flight) as threads:
        times = sorted(threads.map(timed, range(count)))
    wall = time.perf_counter() - started
    spent = cpu_seconds(process_tree([pid])) - before
    return {
        "per_second": count / wall,
        "p50_ms": statistics.median(times),
        "p95_ms": times[int(0.95 * count)],
        "cpu_ms": spent / count * 1000,
    }


def medians(costs: list[Cost]) -> Cost:
    """The median of each figure."""
    return Cost(
        statistics.median(cost.wall for cost in costs),
        statistics.median(cost.cpu for cost in costs),
        int(statistics.median(cost.peak_rss for cost in costs)),
        int(statistics.median(cost.peak_pss for cost in costs)),
        costs[-1].largest,
    )


def compared(
    work: str, figure: str, runs: dict[str, list[float]], peer: str, goal: float, unit: str = "s"
) -> Comparison:
    """The median of what ``ours`` gave beside that of the ``peer``, which is to be passed at most ``goal`` times."""
    ours, against = (statistics.median(runs[who]) for who in ("ours", "peer"))
    return Comparison(work, figure, ours, against, peer, goal, "at_most", unit, runs=runs)


def write_results(rows: list[Comparison]) -> None:
    """Put the lines into latest.jsonl, in place of those of the same work and figure, and into the page; print them."""
    kept = {(line["work"], line["figure"]): line for line in read_lines()}
    for row in rows:
        kept[(row.work, row.figure)] = {**asdict(row), "ratio": round(row.ratio, 4), "holds": row.holds}
    write_lines([*kept.values()])
    heading = (
        f"{'work':<28}{'figure':<22}{'ours':>12}{'against':>12}  {'peer or limit':<30}{'ratio':>8}{'goal':>9}  holds"
    )
    print("\n" + heading + "\n" + "─" * len(heading))
    for row in rows:
        sign = "≤" if row.sense == "at_most" else "≥"
        print(
            f"{row.work:<28}{row.figure:<22}{row.ours:>12.3f}{row.against:>12.3f}  {row.peer:<30}{row.ratio:>8.2f}"
            f"{sign + format(row.goal, '.2f'):>9}  {'yes' if row.holds else 'NO'}"
        )
