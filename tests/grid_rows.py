"""Puts the history of an app into a studio's database: `python -m tests.grid_rows APP TASKS RUNS` with its DATA_HOME.

Rows only, nothing runs: TASKS iterations of a for-each in each of RUNS ended runs, in every state.
"""

from __future__ import annotations

import sys

import django

from studio import env


def main(app: str, tasks: int, runs: int) -> None:
    """Copy the app's newest run so many times, with tasks of its own."""
    env.name_settings()
    django.setup()

    from django.db import transaction
    from django.db.models import Max

    from runtime import states
    from runtime.models import Run, Task

    words = (states.DONE, states.DONE, states.DONE, states.FAILED, states.SKIPPED, states.CANCELLED)
    first = Run.objects.filter(app_id=app).order_by("-created_at").first()
    assert first is not None, "the app has been run once"
    number = Run.objects.aggregate(most=Max("number"))["most"]
    with transaction.atomic():
        for place in range(runs):
            run = Run.objects.create(
                number=number + 1 + place, app=first.app, flow=first.flow, version=first.version, plan=first.plan,
                state=states.DONE, started_by=first.started_by, organisation=first.organisation,
                started_at=first.started_at, finished_at=first.finished_at,
            )  # fmt: skip
            Task.objects.bulk_create(
                [
                    Task(
                        run=run,
                        kind=Task.Kind.STAGE,
                        stage=f"each{states.ITERATION}{item:06d}",
                        state=words[(item * 7 + place) % len(words)],
                    )
                    for item in range(tasks)
                ],
                batch_size=1000,
            )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
