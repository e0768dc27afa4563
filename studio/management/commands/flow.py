"""`manage.py flow check|plan|run FILE`: documents from the command line, for automation and tests."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.csv as pc
from django.core.management.base import BaseCommand, CommandError, CommandParser

from flows.checking import blocking, check_document
from flows.create_app import create_app
from flows.errors import FlowError
from flows.graph.errors import GraphError
from flows.graph.load import read_document
from flows.models import Flow
from flows.planning import complete_parameters
from node_catalog.palette import registry
from runtime import results
from runtime.engine.results import parquet_of
from runtime.models import Run
from runtime.scheduler import start_run
from security.access import principal_for
from security.models import User
from studio.acting import acting_user
from studio.running import await_run, workers


class Command(BaseCommand):
    help = "Checks, plans or runs a flow document."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        for name, words in (
            ("check", "print the findings as JSON; ends with 1 when there is an error"),
            ("plan", "print the stages: engine, SQL text, inputs, what is pushed to which source"),
            ("run", "run it and print a summary as JSON; ends with 0 only when the run is done"),
        ):
            action = actions.add_parser(name, help=words)
            action.add_argument("file", type=Path)
            action.add_argument("--user", help="sign-in name of the person whose rights count")
            if name != "check":
                action.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", dest="values")
            if name == "run":
                action.add_argument("--output", action="append", default=[], metavar="NAME=PATH", dest="outputs")
                action.add_argument("--local", action="store_true", help="run it in this process's own worker")
                action.add_argument("--timeout", type=float, default=86400.0, help="seconds to wait for the end")

    def handle(self, *args: Any, **options: Any) -> None:
        user = acting_user(options["user"])
        raw = _read(options["file"])
        if options["action"] == "check":
            self._check(raw, user)
        elif options["action"] == "plan":
            self._plan(raw, user, _values(options["values"], raw))
        else:
            self._run(raw, user, options)

    def _check(self, raw: dict[str, Any], user: User) -> None:
        checked, _ = check_document(raw, user)
        self._print([msgspec.to_builtins(finding) for finding in checked.findings])
        if blocking(checked.findings):
            sys.exit(1)

    def _plan(self, raw: dict[str, Any], user: User, values: dict[str, Any]) -> None:
        checked, sources = check_document(raw, user)
        loaded = read_document(raw, registry())
        errors = blocking(checked.findings)
        if errors or loaded.document is None:
            self._print({"findings": [msgspec.to_builtins(finding) for finding in errors]})
            sys.exit(1)
        plan = sources.plan(loaded.document, complete_parameters(loaded.document, values))
        self._print({"stages": [_stage(stage) for stage in plan.stages], "notes": list(plan.notes)})

    def _run(self, raw: dict[str, Any], user: User, options: dict[str, Any]) -> None:
        outputs = dict(_pair(text, "--output") for text in options["outputs"])
        try:
            flow = _flow_of(raw, user, options["file"])
            with workers(is_local=options["local"]):
                run = start_run(flow, None, user, _values(options["values"], raw))
                run = await_run(run, options["timeout"])
        except (FlowError, GraphError) as error:
            problems = getattr(error, "problems", [])
            self._print({"state": "refused", "code": error.code, "message": error.message, "problems": problems})
            sys.exit(1)
        if run.state == "done":
            for name, path in outputs.items():
                _export(run, name, Path(path), user)
        self._print(_summary(run))
        if run.state != "done":
            sys.exit(1)

    def _print(self, value: Any) -> None:
        self.stdout.write(json.dumps(value, ensure_ascii=False, default=str, indent=2))


def _read(path: Path) -> dict[str, Any]:
    try:
        raw = json.loads(path.read_bytes())
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{path} is no JSON: {error}.") from error
    if not isinstance(raw, dict):
        raise CommandError(f"{path} holds no JSON object.")
    return raw["document"] if raw.get("kind") == "bundle" and isinstance(raw.get("document"), dict) else raw


def _pair(text: str, option: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise CommandError(f"{option} wants NAME=VALUE, not {text!r}.")
    return name, value


def _values(texts: list[str], raw: dict[str, Any]) -> dict[str, Any]:
    """Parameters as typed by their schema: JSON for everything but text."""
    properties = (raw.get("inputs") or {}).get("properties") or {}
    values: dict[str, Any] = {}
    for name, value in (_pair(text, "--set") for text in texts):
        if properties.get(name, {}).get("type") == "string":
            values[name] = value
            continue
        try:
            values[name] = json.loads(value)
        except ValueError:
            values[name] = value
    return values


def _flow_of(raw: dict[str, Any], user: User, path: Path) -> Flow:
    """The flow of an app that stands for this file: the same one each time, with the file's content as its draft."""
    given = raw.get("title")
    title = given if isinstance(given, dict) and given else {"en": path.stem}
    words = {"en": title.get("en") or path.stem, "zh-CN": title.get("zh-CN") or title.get("en") or path.stem}
    template = f"file:{path.name}"[:60]
    flow = Flow.objects.filter(app__owner=user, app__template=template, app__deleted_at=None).first()
    if flow is None:
        app = create_app(user, words, bundle={"document": raw, "layout": {"positions": {}}})
        app.template = template
        app.save(update_fields=["template"])
        return app.flows.get()
    flow.draft.document = raw
    flow.draft.revision += 1
    flow.draft.save()
    return flow


def _export(run: Run, name: str, path: Path, user: User) -> None:
    """Copy a result as Parquet, or write it as plain CSV (as it is: no marks for spreadsheet programs)."""
    result = run.results.filter(name=name).first()
    if result is None:
        raise CommandError(f"The flow has no output named {name!r}.")
    _, stored = results.open_result(principal_for(user), result.pk)
    if path.suffix == ".parquet":
        with stored.open() as source, path.open("wb") as target:
            shutil.copyfileobj(source, target)
        return
    with parquet_of(stored) as file, pc.CSVWriter(path, file.schema_arrow) as writer:
        for batch in file.iter_batches():
            writer.write_batch(batch)


def _stage(stage: Any) -> dict[str, Any]:
    return {
        "key": stage.key,
        "engine": stage.engine,
        "steps": list(stage.steps),
        "text": stage.text,
        "after": list(stage.after),
        "sink": msgspec.to_builtins(stage.sink),
        "inputs": [
            {
                "alias": binding.alias,
                "kind": binding.kind,
                "dataset": binding.dataset,
                "datasets": [read.dataset for read in binding.reads],
                "dialect": binding.dialect,
                "text": binding.text,
                "columns": list(binding.schema.names),
                "pushed": list(binding.pushed),
                "thinned": list(binding.thinned),
            }
            for binding in stage.bindings
        ],
    }


def _summary(run: Run) -> dict[str, Any]:
    finished, started = run.finished_at, run.started_at
    stored = run.results.filter(removed_at=None)
    return {
        "run": str(run.pk),
        "number": run.number,
        "state": run.state,
        "error": run.error,
        "steps": {key: {"state": step.get("state"), "rows": step.get("rows")} for key, step in run.steps.items()},
        "rows_out": run.rows_out,
        "bytes": sum(result.size_bytes for result in stored),
        "results": {result.name: {"rows": result.rows, "bytes": result.size_bytes} for result in stored},
        "seconds": round((finished - started).total_seconds(), 3) if finished and started else None,
    }
