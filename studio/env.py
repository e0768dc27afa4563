"""The one table of options. Nothing else in the product reads the process environment."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Option:
    """One option: its name in the environment, how it is read, its default, and what it is for."""

    name: str
    read: Callable[[str], Any]
    default: Any
    help: str


def _flag(value: str) -> bool:
    return value.strip().lower() in {"1", "true", "yes", "on"}


def _list(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _words(value: str) -> tuple[str, ...]:
    words = _list(value)
    if len(words) > 6 or any(len(word) > 30 or word.split() != [word] for word in words):
        raise ValueError("at most six words of at most 30 characters, without spaces, comma separated")
    return words


OPTIONS: tuple[Option, ...] = (
    Option("HOST", str, "127.0.0.1", "Address that the web server listens on."),
    Option("PORT", int, 8000, "Port that the web server listens on."),
    Option("DATA_HOME", str, str(ROOT / ".citygo"), "Folder for the database, uploads, results and logs."),
    Option("DATABASE_URL", str, "", "postgresql://… for production; empty means SQLite in DATA_HOME."),
    Option("REDIS_URL", str, "", "redis://… or unix://… for broker and live push; empty starts the bundled Valkey."),
    Option("BROKER_URL", str, "", "amqp://… uses RabbitMQ as the doorbell instead of Redis."),
    Option("EXCHANGE_URL", str, "", "Where hosts share rows: a folder, or s3://bucket/prefix; empty: DATA_HOME."),
    Option("EXCHANGE_ENDPOINT", str, "", "For s3://…: address of the store, https://host:port."),
    Option("EXCHANGE_KEY", str, "", "For s3://…: access key."),
    Option("EXCHANGE_SECRET", str, "", "For s3://…: secret key."),
    Option("EXCHANGE_REGION", str, "us-east-1", "For s3://…: region, as the store calls it."),
    Option("EXCHANGE_HOST_STYLE", _flag, False, "For s3://…: the bucket is part of the host name, not of the path."),
    Option("SPARK_URL", str, "", "Spark Connect server that large stages are left to: sc://host:port; empty: none."),
    Option("SPARK_ROWS", int, 50_000_000, "From so many estimated rows a stage is left to Spark."),
    Option("SPARK_EXCHANGE", str, "", "What Spark calls EXCHANGE_URL: a folder, or s3a://bucket/prefix; empty: none."),
    Option("UPLOAD_FOLDER", str, "", "Folder of people's files, the same on all hosts; empty: DATA_HOME/uploads."),
    Option("SECRET_KEY", str, "", "Django's signing key; empty: made once and kept in DATA_HOME."),
    Option("KEY_FILE", str, "", "File with the key-encryption keys for secrets; empty: DATA_HOME/keys.json."),
    Option("ALLOWED_HOSTS", _list, ("127.0.0.1", "localhost", "[::1]"), "Host names the studio answers to."),
    Option("TRUSTED_ORIGINS", _list, (), "Further origins that may post forms and open sockets (https://…)."),
    Option("SECURE", _flag, False, "Behind HTTPS: secure cookies and HSTS."),
    Option("DEBUG", _flag, False, "Development only: Django's debug mode."),
    Option("FILE_ROOTS", _list, (), "Folders that file nodes may lie under, comma separated."),
    Option("TIME_ZONE", str, "Asia/Shanghai", "Time zone of the city: whose midnight “today” means."),
    Option("ALLOWED_NETWORKS", _list, (), "Private networks that nodes may connect to: cidr or cidr:port."),
    Option("WEB_PROCESSES", int, 1, "Web server processes."),
    Option("WORKER_PROCESSES", int, 1, "Worker processes started by `manage.py up`."),
    Option("WORKER_SLOTS", int, 2, "Stages that one worker runs at once, each in a child process."),
    Option("WORKER_ID", str, "", "Name of this worker; empty: host and process."),
    Option("WORKER_OFFERS", _words, (), "What this worker offers besides, for what needs it: e.g. zone:harbour."),
    Option("CHILD_MEMORY_MB", int, 1024, "Memory limit of the engine in one child process."),
    Option("LEASE_SECONDS", float, 15.0, "A task whose worker was silent for so long is given to another."),
    Option("HEARTBEAT_SECONDS", float, 5.0, "How often a worker renews its leases."),
    Option("POLL_SECONDS", float, 5.0, "How often workers look into the database without being rung."),
    Option("DRAIN_SECONDS", float, 10.0, "What a worker that is told to stop gives its stages to end by themselves."),
    Option("STATEMENT_SECONDS", float, 600.0, "Longest statement in a source."),
    Option("CHECKPOINT_ROWS", int, 2_000_000, "A long read that can go on after a crash is kept every so many rows."),
    Option(
        "CALL_SLOTS", int, 1, "Calls of published flows that one web process works on at once, each in a child process."
    ),
    Option("CALL_SECONDS", float, 10.0, "Longest call of a published flow."),
    Option("CALL_ROWS", int, 10_000, "Rows of the largest answer to a call."),
    Option("CALL_MEMORY_MB", int, 256, "Memory limit of the engine in a child process that answers calls."),
    Option("CALLS_A_MINUTE", int, 1200, "Calls that one token, or one signed-in person, may make; 0: no limit."),
    Option("RUN_HOURS", float, 24.0, "Longest run."),
    Option("RESULT_DAYS", int, 30, "Days that results are kept."),
    Option("UPLOAD_MB", int, 2048, "Largest upload."),
    Option("PREVIEW_ROWS", int, 50000, "Rows of each source that a preview looks at."),
    Option("SIGN_IN_FAILURES", int, 60, "Wrong sign-ins from one address in 15 minutes, then it waits; 0: no limit."),
    Option("DEMO", _flag, False, "Load the demo city at start."),
    Option("NODE_PREFIX", str, "33A017", "Six characters that every new node number starts with: who issued it."),
    Option("FAILPOINTS", str, "", "Arms failpoints for tests: name=fault@hit, comma separated."),
)


def read_options(environ: dict[str, str] | None = None) -> dict[str, Any]:
    """All options by name; a value that cannot be read is named with its option."""
    source = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    for option in OPTIONS:
        raw = source.get(option.name, "")
        try:
            values[option.name] = option.read(raw) if raw != "" else option.default
        except ValueError as error:
            raise SystemExit(f"Option {option.name}={raw!r} cannot be read: {error}. {option.help}") from error
    return values


def name_settings() -> None:
    """Tell Django which settings to use, for processes that are not started through manage.py."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studio.settings")


def child_environment(**options: object) -> dict[str, str]:
    """The environment for a process that we start: ours, with ``options`` set (None takes one away)."""
    environment = dict(os.environ)
    for name, value in options.items():
        if value is None:
            environment.pop(name, None)
        else:
            environment[name] = str(value)
    return environment


def options_as_markdown() -> str:
    """The table of docs/options.md."""
    lines = [
        "# Options",
        "",
        "Read from the environment at start; an empty value means the default. Written by `make schema` from",
        "`studio/env.py`, the only place that reads the environment.",
        "",
        "| option | default | what for |",
        "|---|---|---|",
    ]
    for option in OPTIONS:
        default = option.default
        if isinstance(default, bool):
            default = "1" if default else "0"
        elif isinstance(default, tuple):
            default = ",".join(default)
        elif option.name == "DATA_HOME":
            default = ".citygo in the clone"
        help_text = option.help.replace("|", "\\|")
        lines.append(f"| `{option.name}` | {f'`{default}`' if default != '' else ''} | {help_text} |")
    return "\n".join(lines) + "\n"
