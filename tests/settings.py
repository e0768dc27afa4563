"""Settings of the test run: the product's own, over a throw-away DATA_HOME and nothing from the developer's shell.

Processes that tests start inherit the environment made here, and so find the same folder and database.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from studio.env import OPTIONS as OPTION_TABLE


def _fresh_home() -> str:
    home = tempfile.mkdtemp(prefix="citygo-")
    owner = os.getpid()
    atexit.register(lambda: os.getpid() == owner and shutil.rmtree(home, ignore_errors=True))
    return home


_worker = os.environ.get("PYTEST_XDIST_WORKER", "")
if os.environ.get("CITYGO_TESTS") != f"on{_worker}" and not os.environ.get("CITYGO_TEST_CHILD"):
    for _option in OPTION_TABLE:
        os.environ.pop(_option.name, None)
    os.environ["DATA_HOME"] = _fresh_home()
    os.environ["CITYGO_TESTS"] = f"on{_worker}"
    for _name in ("DATABASE_URL", "REDIS_URL", "BROKER_URL"):
        if os.environ.get(f"TEST_{_name}"):
            os.environ[_name] = os.environ[f"TEST_{_name}"]

from studio.settings import *  # noqa: E402, F403
from studio.settings import DATA_HOME, DATABASES, REST_FRAMEWORK  # noqa: E402

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, not memory: worker processes and threads of a test see the same database.
    DATABASES["default"]["TEST"] = {"NAME": str(Path(DATA_HOME) / "studio.sqlite3")}
elif os.environ.get("CITYGO_TEST_CHILD"):
    # A server's database of this name belongs to the developer; the test has made one of its own beside it.
    DATABASES["default"]["NAME"] = "_".join(filter(None, ("test", DATABASES["default"]["NAME"], _worker)))
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
REST_FRAMEWORK = {**REST_FRAMEWORK, "TEST_REQUEST_DEFAULT_FORMAT": "json"}
