"""Sealed values: a random data key per secret (AES-256-GCM), wrapped by a key-encryption key from the key file.

The database holds only wrapped keys and sealed values; the key file holds only key-encryption keys. The associated
data binds each wrapped key to its key id and secret, and each value to its secret: swapping rows does not open.
"""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import transaction

from security.errors import SecretError
from security.ids import new_id
from security.models import Secret

NONCE = 12


def seal(purpose: str, plain: str) -> Secret:
    """Seal ``plain`` and store it; ``purpose`` names what it is for (never the value)."""
    secret = Secret(id=new_id(), purpose=purpose)
    _fill(secret, plain)
    secret.save(force_insert=True)
    return secret


def open_secret(secret_id: Any) -> str:
    """The plain value. Only the worker that owns the work may call this; never a web view."""
    secret = Secret.objects.filter(pk=secret_id).first()
    if secret is None:
        raise SecretError()
    data_key = _unwrap(secret)
    try:
        plain = _decrypt(data_key, bytes(secret.sealed), _value_data(secret))
    except InvalidTag as error:
        raise SecretError() from error
    return plain.decode()


def delete_secrets(ids: Any) -> None:
    """Forget sealed values for good."""
    Secret.objects.filter(pk__in=list(ids)).delete()


@transaction.atomic
def rotate() -> int:
    """Make a new key-encryption key and wrap every data key with it. Returns how many secrets were re-wrapped.

    Older keys stay in the key file, so that a restored backup can still be read.
    """
    _add_key()
    key_id, _ = _current_key()
    count = 0
    for secret in Secret.objects.select_for_update().exclude(key_id=key_id):
        data_key = _unwrap(secret)
        secret.key_id = key_id
        _wrap(secret, data_key)
        secret.save(update_fields=["key_id", "wrapped_key"])
        count += 1
    return count


# ── One secret ────────────────────────────────────────────────────────────────────────────────────────────


def _fill(secret: Secret, plain: str) -> None:
    data_key = AESGCM.generate_key(bit_length=256)
    secret.key_id = _current_key()[0]
    _wrap(secret, data_key)
    secret.sealed = _encrypt(data_key, plain.encode(), _value_data(secret))


def _wrap(secret: Secret, data_key: bytes) -> None:
    secret.wrapped_key = _encrypt(_key(secret.key_id), data_key, _key_data(secret))


def _unwrap(secret: Secret) -> bytes:
    try:
        return _decrypt(_key(secret.key_id), bytes(secret.wrapped_key), _key_data(secret))
    except InvalidTag as error:
        raise SecretError() from error


def _key_data(secret: Secret) -> bytes:
    return f"{secret.key_id}|{secret.id}".encode()


def _value_data(secret: Secret) -> bytes:
    return f"value|{secret.id}|{secret.purpose}".encode()


def _encrypt(key: bytes, plain: bytes, associated: bytes) -> bytes:
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, associated)


def _decrypt(key: bytes, sealed: bytes, associated: bytes) -> bytes:
    return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], associated)


# ── The key file ──────────────────────────────────────────────────────────────────────────────────────────


def _key_file() -> Path:
    return Path(settings.KEY_FILE)


def _new_entry() -> tuple[str, str]:
    return f"k-{new_id().hex[:16]}", base64.b64encode(AESGCM.generate_key(bit_length=256)).decode()


def _write(path: Path, content: dict[str, Any]) -> Path:
    """The content in a temporary file beside ``path``, readable by its owner alone, on disk."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{new_id().hex}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    return temporary


def _read_keys() -> dict[str, Any]:
    """The key file's content; made on first use. Two processes that start at once agree on one file."""
    path = _key_file()
    if not path.exists():
        key_id, key = _new_entry()
        temporary = _write(path, {"current": key_id, "keys": {key_id: key}})
        try:
            os.link(temporary, path)  # fails when the other process was first: its keys count
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
    return json.loads(path.read_text())  # type: ignore[no-any-return]


def _add_key() -> None:
    content = _read_keys()
    key_id, key = _new_entry()
    content["keys"][key_id] = key
    content["current"] = key_id
    os.replace(_write(_key_file(), content), _key_file())


def _current_key() -> tuple[str, bytes]:
    content = _read_keys()
    return content["current"], base64.b64decode(content["keys"][content["current"]])


def _key(key_id: str) -> bytes:
    known = _read_keys()["keys"].get(key_id)
    if known is None:
        raise SecretError()
    return base64.b64decode(known)
