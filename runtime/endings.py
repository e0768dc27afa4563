"""How the work of a task ends well, before that is written down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from runtime.reporting import Fact

Apply = Callable[[], list[Fact]]
"""What else belongs to the end of a task (results, catalogue changes), inside its transaction; gives more facts."""


@dataclass(frozen=True)
class Ending:
    """The kept result of a task, and what else belongs to the same transaction."""

    result: Mapping[str, Any]
    apply: Apply = list
    steps: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    expires_at: datetime | None = None
