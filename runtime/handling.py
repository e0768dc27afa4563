"""What every kind of task has in common: make the work, then turn its outcome into the task's end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from runtime.claims import Claim
from runtime.endings import Ending
from runtime.engine.work import Part, Work

Keep = Callable[[Claim, Part], Mapping[str, int]]


@dataclass(frozen=True)
class Handler:
    """One kind of task. ``prepare`` checks rights and unseals settings, and raises before anything is read;
    ``finish`` gets the outcome of the child process. ``keep`` stores a finished part of a work that tells its parts, in
    a transaction of its own, and raises LeaseLostError when the claim is lost; it gives what the progress shows then.
    """

    prepare: Callable[[Claim], Work]
    finish: Callable[[Claim, Any], Ending]
    keep: Keep | None = None
    is_light: bool = False
    """Seconds at most, and somebody is waiting for it: it has slots of its own."""
