"""Bearer tokens for programs: made once, shown once, kept as a digest."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction

from security import audit, clock
from security.access import Principal
from security.authentication import new_token, token_digest
from security.errors import ConflictError
from security.models import Token
from security.text import text

MAX_TOKENS = 20
MAX_DAYS = 365


def create_token(principal: Principal, name: str, days: int, request: Any = None) -> tuple[Token, str]:
    """A token that ends after ``days``; the second value is the secret, never shown again."""
    active = Token.objects.visible_to(principal).filter(revoked_at=None, expires_at__gt=clock.now()).count()
    if active >= MAX_TOKENS:
        raise ConflictError(
            "token.too_many",
            text(
                f"You have {MAX_TOKENS} tokens already. Delete one that is no longer used.",
                f"您已有 {MAX_TOKENS} 个令牌，请先删除不再使用的令牌。",
            ),
        )
    plain = new_token()
    with transaction.atomic():
        token = Token.objects.create(
            user=principal.user,
            name=name,
            prefix=plain[:10],
            digest=token_digest(plain),
            expires_at=clock.now() + timedelta(days=days),
        )
        audit.record("token.create", "token", token.pk, principal, detail={"name": name}, request=request)
    return token, plain


def revoke_token(principal: Principal, token: Token, request: Any = None) -> None:
    """End a token at once."""
    with transaction.atomic():
        token.revoked_at = clock.now()
        token.save(update_fields=["revoked_at"])
        audit.record("token.revoke", "token", token.pk, principal, request=request)
