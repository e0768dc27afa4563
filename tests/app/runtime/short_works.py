"""A pool whose works are over at once, for stretches and lots."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runtime.engine.errors import CancelledError
from runtime.engine.work import StageOutcome, StageWork, Work

Step = Callable[[Callable[[], None]], None]
"""What happens in a work; it gets what a waiting worker calls."""


@dataclass
class ShortWorks:
    """Does each work at once, unless something shall happen in it: ``during``, by its stage or its number."""

    during: dict[str | int, Step] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    """The stages, in their order."""
    files: list[str] = field(default_factory=list)
    reads: dict[str, list[str]] = field(default_factory=dict)
    """The files that each stage has read."""
    verdicts: dict[str, list[str]] = field(default_factory=dict)
    """By which ports a stage goes on."""

    def run(
        self, work: Work, on_report: Any, cancel: Any, *, on_wait: Any = None, meanwhile: Any = None
    ) -> StageOutcome:
        assert isinstance(work, StageWork)
        if meanwhile is not None:
            meanwhile()
        key, path = work.stage.key, work.sink.path
        for name in {key, len(self.done)} & self.during.keys():
            self.during.pop(name)(on_wait)
        if cancel.is_set():
            raise CancelledError()
        Path(path).touch()
        self.done.append(key)
        self.files.append(path)
        self.reads[key] = [source.exchange_path for source in work.sources]
        verdict = {"taken": self.verdicts[key]} if key in self.verdicts else {}
        return StageOutcome(rows=1, reference=path, counts={f"step_{key}": 1}, verdict=verdict)
