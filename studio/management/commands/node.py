"""`manage.py node add|import|check|discover`: nodes from the command line."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from node_catalog.import_nodes import import_nodes
from node_catalog.models import Node
from node_catalog.nodes import create_node
from node_catalog.sdk.errors import NodeTypeError
from runtime.models import Task
from runtime.requests import request_check, request_discovery
from security.access import principal_for
from security.errors import SecurityError
from security.models import User
from studio.acting import acting_user
from studio.running import await_task, workers


class Command(BaseCommand):
    help = "Registers, tests and discovers nodes."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        add = actions.add_parser("add", help="register a node; prints its number as JSON")
        add.add_argument("--type", required=True, dest="kind", help="key of the node type, e.g. postgresql")
        add.add_argument("--name", required=True)
        add.add_argument("--settings", required=True, help="JSON, or @FILE")
        for name, words in (("check", "test the connection"), ("discover", "bring the catalogue up to date")):
            action = actions.add_parser(name, help=words)
            action.add_argument("number")
            action.add_argument("--local", action="store_true", help="do it in this process's own worker")
            action.add_argument("--timeout", type=float, default=3600.0)
        importing = actions.add_parser("import", help="register the nodes of a CSV or .xlsx, all or none")
        importing.add_argument("file")
        importing.add_argument("--dry-run", action="store_true", help="only check, and name every problem by line")
        for action in actions.choices.values():
            action.add_argument("--user", help="sign-in name of the person who does it")

    def handle(self, *args: Any, **options: Any) -> None:
        user = acting_user(options["user"])
        try:
            if options["action"] == "add":
                self._add(user, options)
            elif options["action"] == "import":
                self._import(user, options)
            else:
                self._ask(user, options)
        except (SecurityError, NodeTypeError) as error:
            problems = [getattr(p, "as_json", lambda p=p: vars(p))() for p in getattr(error, "problems", ())]
            self._print({"code": error.code, "message": error.message, "problems": problems})
            sys.exit(1)

    def _add(self, user: User, options: dict[str, Any]) -> None:
        values = {
            "type": options["kind"],
            "name": {"en": options["name"], "zh-CN": options["name"]},
            "settings": _settings(options["settings"]),
        }
        node = create_node(principal_for(user), values)
        self._print({"number": node.number, "id": str(node.pk), "type": node.type})

    def _import(self, user: User, options: dict[str, Any]) -> None:
        try:
            data = Path(options["file"]).read_bytes()
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}.") from error
        outcome = import_nodes(principal_for(user), data, options["dry_run"])
        for problem in outcome.problems:
            self._print({"line": problem.line, "field": problem.field, "message": problem.message})
        if outcome.problems:
            sys.exit(1)
        for node in outcome.nodes:
            self._print(node)

    def _ask(self, user: User, options: dict[str, Any]) -> None:
        node = Node.objects.visible_to(principal_for(user)).filter(number=options["number"]).first()
        if node is None:
            raise CommandError(f"There is no node {options['number']} that {user.username} may see.")
        ask = request_check if options["action"] == "check" else request_discovery
        with workers(is_local=options["local"]):
            task: Task = await_task(ask(node, user), options["timeout"])
        self._print({"node": node.number, "state": task.state, "result": task.result, "error": task.error})
        if task.state != "done" or (options["action"] == "check" and not (task.result or {}).get("ok", True)):
            sys.exit(1)

    def _print(self, value: Any) -> None:
        self.stdout.write(json.dumps(value, ensure_ascii=False, default=str))


def _settings(text: str) -> dict[str, Any]:
    try:
        values = json.loads(Path(text[1:]).read_bytes() if text.startswith("@") else text)
    except OSError as error:
        raise CommandError(f"{text[1:]} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise CommandError(f"--settings is no JSON: {error}.") from error
    if not isinstance(values, dict):
        raise CommandError("--settings wants a JSON object.")
    return values
