"""`manage.py up`: the whole studio with one command."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import DatabaseError

from studio import env
from studio.demo.accounts import PEOPLE
from studio.demo.state import is_loaded
from studio.frontend import is_built
from studio.supervisor.children import StartError
from studio.supervisor.supervisor import Supervisor


class Command(BaseCommand):
    help = "Start everything (doorbell, web, workers, scheduler, demo city when DEMO=1), watch it, stop it on Ctrl-C."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        self.began = time.monotonic()
        supervisor = Supervisor(settings.OPTIONS, Path(settings.DATA_HOME), self.say)
        supervisor.handle_signals()
        code = 0
        try:
            self.start(supervisor)
            supervisor.watch()
        except StartError as error:
            code = 1
            for line in error.lines:
                self.stderr.write(line)
        except KeyboardInterrupt:
            pass
        finally:
            if supervisor.children:
                self.say("stopping 正在停止 …")
            supervisor.stop()
        self.say("stopped 已停止")
        sys.exit(code)

    def start(self, supervisor: Supervisor) -> None:
        """All parts in order; each line says how far we are."""
        supervisor.claim()
        self.say(f"data folder 数据目录: {supervisor.home}")
        self.migrate()
        self.say(f"doorbell 消息服务: {supervisor.start_broker()}")
        if supervisor.is_stopping:
            return
        supervisor.start_processes()
        self.say(
            f"processes 进程: {settings.OPTIONS['WEB_PROCESSES']} web, "
            f"{settings.OPTIONS['WORKER_PROCESSES']} worker, 1 scheduler; logs 日志: {supervisor.home / 'logs'}"
        )
        if settings.OPTIONS["DEMO"] and not is_loaded():
            self.load_demo(supervisor)
        supervisor.await_ready()
        if not supervisor.is_stopping:
            self.welcome(supervisor.address)

    def migrate(self) -> None:
        """Bring the database to this version; a database that does not answer is said plainly."""
        try:
            call_command("migrate", interactive=False, verbosity=0)
        except DatabaseError as error:
            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise StartError(
                f"The database does not answer or refuses us: {reason}. Check DATABASE_URL.",
                f"数据库没有响应或拒绝连接：{reason}。请检查 DATABASE_URL。",
            ) from error
        engine = "SQLite" if "sqlite" in settings.DATABASES["default"]["ENGINE"] else "PostgreSQL"
        self.say(f"database 数据库: {engine}")

    def load_demo(self, supervisor: Supervisor) -> None:
        """Load the demo city in a process of its own, so that this one stays small; its lines are shown."""
        process = subprocess.Popen(
            [sys.executable, str(env.ROOT / "manage.py"), "demo"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=supervisor.environment(),
        )
        assert process.stdout is not None
        last: list[str] = []
        for line in process.stdout:
            last = [*last[-20:], line.rstrip()]
            if line.startswith("demo"):
                self.say(line.rstrip())
            if supervisor.is_stopping:
                process.terminate()
        if process.wait() != 0 and not supervisor.is_stopping:
            raise StartError("The demo city could not be loaded:", *last, "演示城市加载失败，原因见上。")

    def welcome(self, address: str) -> None:
        """The address and who may sign in."""
        lines = ["", f"  CityGo Studio {settings.VERSION} is ready 已就绪:  {address}", ""]
        if not is_built():
            lines += [
                "  The pages are not built; run `make setup` (needs Node.js). 网页尚未构建，请运行 make setup。",
                "",
            ]
        if settings.OPTIONS["DEMO"]:
            lines.append("  Demo sign-ins 演示账号:")
            lines += [f"    {one.username:<12} {one.password:<18} {one.role_words}" for one in PEOPLE if one.is_offered]
            lines.append("")
        lines.append("  Stop with Ctrl-C. 按 Ctrl-C 停止。")
        for line in lines:
            self.stdout.write(line)
        self.stdout.flush()

    def say(self, line: str) -> None:
        """One line of progress with the seconds since the start."""
        self.stdout.write(f"[{time.monotonic() - self.began:5.1f} s] {line}")
        self.stdout.flush()
