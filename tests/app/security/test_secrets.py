"""Sealed secrets: the value, its binding to its row, rotation, the key file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from security.errors import SecretError
from security.models import Secret
from security.secrets import delete_secrets, open_secret, rotate, seal

PLAIN = "pässwörd-密码"


@pytest.fixture(autouse=True)
def key_file(db: None, tmp_path: Path, settings: Any) -> Path:
    settings.KEY_FILE = tmp_path / "keys" / "keys.json"
    return settings.KEY_FILE


def test_sealed_and_opened(key_file: Path) -> None:
    secret = seal("node:x:password", PLAIN)
    assert open_secret(secret.pk) == PLAIN
    stored = Secret.objects.get()
    assert PLAIN.encode() not in bytes(stored.sealed) + bytes(stored.wrapped_key)
    assert key_file.stat().st_mode & 0o777 == 0o600
    assert bytes(seal("x", PLAIN).sealed) != bytes(stored.sealed)


def test_swapped_rows_do_not_open() -> None:
    one, other = seal("a", "one"), seal("a", "other")
    Secret.objects.filter(pk=one.pk).update(sealed=other.sealed, wrapped_key=other.wrapped_key)
    with pytest.raises(SecretError):
        open_secret(one.pk)
    Secret.objects.filter(pk=one.pk).update(sealed=other.sealed, wrapped_key=one.wrapped_key)
    with pytest.raises(SecretError):
        open_secret(one.pk)


def test_altered_or_re_purposed_values_do_not_open() -> None:
    secret = seal("a", PLAIN)
    Secret.objects.filter(pk=secret.pk).update(purpose="b")
    with pytest.raises(SecretError):
        open_secret(secret.pk)
    Secret.objects.filter(pk=secret.pk).update(purpose="a", sealed=bytes(secret.sealed)[:-1] + b"x")
    with pytest.raises(SecretError):
        open_secret(secret.pk)


def test_rotation_wraps_anew_and_opens_nothing(key_file: Path) -> None:
    secret = seal("a", PLAIN)
    before = Secret.objects.get()
    assert rotate() == 1
    after = Secret.objects.get()
    assert after.key_id != before.key_id
    assert bytes(after.sealed) == bytes(before.sealed)
    assert bytes(after.wrapped_key) != bytes(before.wrapped_key)
    assert open_secret(secret.pk) == PLAIN
    assert key_file.stat().st_mode & 0o777 == 0o600
    assert len(json.loads(key_file.read_text())["keys"]) == 2
    call_command("rotate_keys", verbosity=0)
    assert open_secret(secret.pk) == PLAIN


def test_without_its_key_a_secret_says_what_to_do(key_file: Path) -> None:
    secret = seal("a", PLAIN)
    key_file.unlink()
    with pytest.raises(SecretError) as caught:
        open_secret(secret.pk)
    assert "密码" in caught.value.message["zh-CN"]


def test_deleted() -> None:
    secret = seal("a", PLAIN)
    delete_secrets([secret.pk])
    with pytest.raises(SecretError):
        open_secret(secret.pk)
