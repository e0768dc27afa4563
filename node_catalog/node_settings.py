"""A node's settings: checked by its connector, secrets apart and sealed, no way into the studio's own folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from django.conf import settings as django_settings

from node_catalog.errors import invalid, settings_problems
from node_catalog.models import Node
from node_catalog.palette import registry
from node_catalog.sdk.contract import Connector, Settings
from node_catalog.sdk.errors import SettingsError
from node_catalog.sdk.load_limits import limits_of, parse_limits
from node_catalog.sdk.schema import parse, secret_fields
from security.errors import InvalidError, Problem
from security.secrets import delete_secrets, seal
from security.text import text

FOLDER_FIELDS = ("path", "folder")
ADDRESS_FIELDS = ("host", "port", "url", "token_url")
KEPT = "kept-and-sealed"
"""Stands for a sealed value while the other settings are checked; never stored, never sent."""
OPEN_FOLDERS = ("demo",)
"""Folders inside DATA_HOME that shared nodes may read: the demo city's data."""


@dataclass(frozen=True)
class CheckedSettings:
    """Settings that fit: the open part as stored, and the secrets that were given now (None: to be forgotten)."""

    open: dict[str, Any]
    secrets: dict[str, str | None]


def connector_of(key: str) -> type[Connector]:
    """The connector of a node type; an unknown key is a problem of the field ``type``."""
    found = registry().connectors.get(key)
    if found is None:
        raise invalid(
            "/type", "type.unknown", f"There is no node type “{key[:40]}”.", f"没有名为“{key[:40]}”的节点类型。"
        )
    return found


def check_settings(key: str, data: Any, node: Node | None = None) -> CheckedSettings:
    """Check ``data`` (secrets included) for a new node, or for a changed ``node`` whose unnamed secrets stay.

    Raises InvalidError with all problems.
    """
    connector = connector_of(key)
    if not isinstance(data, Mapping):
        raise invalid("/settings", "settings.form", "Settings must be an object.", "设置应为对象。")
    hidden = secret_fields(connector.Settings)
    stored = node.secrets if node else {}
    # An empty field keeps what is stored (forms show secrets empty); null forgets it.
    given = {name: data[name] for name in hidden if name in data and not (data[name] == "" and name in stored)}
    kept = {name for name in stored if name not in given}
    full = {**data, **dict.fromkeys(kept, KEPT)}
    full = {name: value for name, value in full.items() if not (name in hidden and value in (None, ""))}
    try:
        parsed = parse(connector.Settings, full)
    except SettingsError as error:
        raise InvalidError(problems=settings_problems(error)) from error
    plain = {name: value for name, value in msgspec.to_builtins(parsed).items() if name not in hidden}
    problems = _folder_problems(plain) + _address_problems(plain, node, kept)
    if problems:
        raise InvalidError(problems=problems)
    return CheckedSettings(
        _kept(connector.Settings, plain, node), {name: value or None for name, value in given.items()}
    )


def _kept(form: type[Settings], plain: Mapping[str, Any], node: Node | None) -> dict[str, Any]:
    """Settings as they are stored: one left at its default is not.

    So a worker of the version before, which may not know it, can still read the node. An address is always there, to be
    compared with a changed one.
    """
    defaults = {
        field.encode_name: msgspec.to_builtins(field.default)
        for field in msgspec.structs.fields(form)
        if field.default is not msgspec.NODEFAULT
    }
    known = {*ADDRESS_FIELDS, *(node.settings if node else ())}
    return {
        name: value for name, value in plain.items() if name in known or name not in defaults or value != defaults[name]
    }


def check_limits(key: str, data: Mapping[str, Any], node: Node | None = None, given: Mapping[str, Any] = {}) -> Any:
    """Load limits as they are stored: None when all are the defaults. Raises InvalidError with all problems.

    ``given`` are the secrets that were filled in now: without them none is sent to another replica than before.
    """
    connector = connector_of(key)
    try:
        kept = parse_limits(connector, data)
    except SettingsError as error:
        raise InvalidError(problems=settings_problems(error, "/limits")) from error
    before = limits_of(connector, node.limits if node else None).replica
    if node is not None and kept.get("replica", "") not in ("", before):
        problems = _again(sorted(set(node.secrets) - set(given)))
        if problems:
            raise InvalidError(problems=problems)
    return kept or None


def store_secrets(node: Node, secrets: Mapping[str, str | None]) -> None:
    """Seal what was given and forget what was emptied; the node's row keeps only ids. The caller saves the node."""
    references = dict(node.secrets)
    for name, value in secrets.items():
        if name in references:
            delete_secrets([references.pop(name)])
        if value is not None:
            references[name] = str(seal(f"node:{node.number}:{name}", value).pk)
    node.secrets = references


def forget_secrets(node: Node) -> None:
    """Delete all sealed values of a node that is taken away."""
    delete_secrets(node.secrets.values())
    node.secrets = {}


def _folder_problems(plain: Mapping[str, Any]) -> list[Problem]:
    """The studio's own folder holds its database, keys, results and everybody's uploads: no node leads there."""
    problems = []
    home = Path(django_settings.DATA_HOME).resolve()
    own = {home, *django_settings.OWN_FOLDERS}
    for name in FOLDER_FIELDS:
        value = plain.get(name)
        if not isinstance(value, str) or not value:
            continue
        real = Path(value).resolve()
        is_open = any(real.is_relative_to(home / folder) for folder in OPEN_FOLDERS)
        if not is_open and any(real.is_relative_to(one) or one.is_relative_to(real) for one in own):
            problems.append(
                Problem(
                    f"/settings/{name}",
                    "path.own_folder",
                    text(
                        "This is the studio's own folder. Choose a folder that is listed in the option FILE_ROOTS.",
                        "这是平台自身的数据目录，不能作为节点。请选择 FILE_ROOTS 选项中列出的目录。",
                    ),
                )
            )
    return problems


def _address_problems(plain: Mapping[str, Any], node: Node | None, kept: set[str]) -> list[Problem]:
    """A kept password is not sent to a new address: whoever changes the address must know the password."""
    if node is None or not kept or all(plain.get(name) == node.settings.get(name) for name in ADDRESS_FIELDS):
        return []
    return _again(sorted(kept))


def _again(names: Iterable[str]) -> list[Problem]:
    message = text(
        "The address has changed: enter the password again, so that the stored one is not sent somewhere else.",
        "连接地址已更改，请重新填写密码，以免已保存的密码被发往其他地址。",
    )
    return [Problem(f"/settings/{name}", "secret.again", message) for name in names]
