"""Django settings, all derived from the option table in studio/env.py."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from node_catalog.sdk.names import OWN_RECORDS
from studio import __version__
from studio.demo.accounts import accounts
from studio.env import ROOT, read_options

OPTIONS = read_options()
BASE_DIR = ROOT
DATA_HOME = Path(OPTIONS["DATA_HOME"]).resolve()
DATA_HOME.mkdir(parents=True, exist_ok=True, mode=0o700)
UPLOAD_FOLDER = Path(OPTIONS["UPLOAD_FOLDER"] or DATA_HOME / "uploads").resolve()
_shared = (
    "" if OPTIONS["EXCHANGE_URL"].startswith("s3://") else unquote(OPTIONS["EXCHANGE_URL"].removeprefix("file://"))
)
OWN_FOLDERS = (DATA_HOME, UPLOAD_FOLDER, *((Path(_shared).resolve(),) if _shared else ()))
"""What no node may lead into: the control database, keys, results, everybody's files."""
FILE_ROOTS = (
    *(str(Path(root).resolve()) for root in OPTIONS["FILE_ROOTS"]),
    str(UPLOAD_FOLDER),
    str(DATA_HOME / "demo"),
)
"""Where file nodes may lie. Never DATA_HOME itself: it holds the control database and the keys."""


def _kept_secret(name: str) -> str:
    """A random secret that is made once and kept in DATA_HOME, readable by the owner alone."""
    path = DATA_HOME / name
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48))
    return path.read_text().strip()


def _database(url: str) -> dict[str, Any]:
    if not url:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(DATA_HOME / "studio.sqlite3"),
            "CONN_MAX_AGE": 60,
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 30,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; "
                "PRAGMA busy_timeout=30000; PRAGMA foreign_keys=ON;",
            },
        }
    parts = urlparse(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise SystemExit(f"DATABASE_URL must start with postgresql://, not {parts.scheme}://")
    query = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(query.get("host", parts.hostname or "")),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "application_name": OWN_RECORDS,
            # Who stands still in a transaction keeps its locks: no longer than its tasks, so that others can have them.
            "options": f"-c idle_in_transaction_session_timeout={round(OPTIONS['LEASE_SECONDS'] * 1000)}",
            # A server that has gone without a word is noticed.
            "keepalives_idle": "15",
        },
    }


SECRET_KEY = OPTIONS["SECRET_KEY"] or _kept_secret("secret_key")
DEBUG = OPTIONS["DEBUG"]
ALLOWED_HOSTS = list(OPTIONS["ALLOWED_HOSTS"])
VERSION = __version__
DEMO_ACCOUNTS = accounts() if OPTIONS["DEMO"] else []
"""Who may sign in to the demo; offered by its sign-in page."""

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "channels",
    "security",
    "node_catalog",
    "flows",
    "runtime",
    "studio",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "studio.middleware.RequestContextMiddleware",
    "studio.middleware.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "security.middleware.SessionAuthenticationMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "studio.urls"
ASGI_APPLICATION = "studio.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]
DATABASES = {"default": _database(OPTIONS["DATABASE_URL"])}
AUTH_USER_MODEL = "security.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "security.passwords.CharacterClassValidator"},
]
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = OPTIONS["SECURE"]
SECURE_HSTS_SECONDS = 31536000 if OPTIONS["SECURE"] else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if OPTIONS["SECURE"] else None
CSRF_TRUSTED_ORIGINS = list(OPTIONS["TRUSTED_ORIGINS"])
CSRF_FAILURE_VIEW = "studio.problems.csrf_failure"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
TIME_ZONE = OPTIONS["TIME_ZONE"]
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
STATIC_ROOT = DATA_HOME / "static"
FRONTEND_DIST = ROOT / "frontend" / "dist"
STATICFILES_DIRS = [("app", str(FRONTEND_DIST))] if FRONTEND_DIST.exists() else []
STATIC_ROOT.mkdir(exist_ok=True)
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/app/assets/"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "security.authentication.SessionAuthentication",
        "security.authentication.BearerAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "studio.problems.handle",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "CityGo Studio API",
    "VERSION": __version__,
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
}

REDIS_URL = OPTIONS["REDIS_URL"]
BROKER_URL = OPTIONS["BROKER_URL"]
_redis_host = {"address": REDIS_URL, "socket_timeout": 30}
CHANNEL_LAYERS = (
    {"default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [_redis_host]}}}
    if REDIS_URL
    else {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
)
NODE_PREFIX = OPTIONS["NODE_PREFIX"]
KEY_FILE = Path(OPTIONS["KEY_FILE"] or DATA_HOME / "keys.json")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {"django.request": {"level": "ERROR"}, "ibis": {"level": "WARNING"}},
}


def options_as_json() -> str:
    """The options without secrets, for `manage.py options`."""
    hidden = {"EXCHANGE_KEY", "EXCHANGE_SECRET", "SECRET_KEY", "DATABASE_URL", "REDIS_URL", "BROKER_URL"}
    return json.dumps({k: ("set" if v else "") if k in hidden else v for k, v in OPTIONS.items()}, default=str)
