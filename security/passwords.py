"""Password rules, their words in both languages, and the lock-out after wrong tries."""

from __future__ import annotations

import secrets
import string
from datetime import timedelta
from typing import Any

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db.models import F

from security import clock
from security.errors import InvalidError, Problem
from security.models import User
from security.text import Text, text

MAX_FAILURES = 5
LOCK_TIME = timedelta(minutes=15)
CLASSES = 3
MAX_LENGTH = 256
WORDS: dict[str, Text] = {
    "password_too_short": text("Use at least 10 characters.", "密码至少需要 10 个字符。"),
    "password_too_common": text("This password is too common; choose another.", "该密码过于常见，请换一个。"),
    "password_too_similar": text(
        "The password is too much like the name or e-mail.", "密码与用户名、姓名或邮箱过于相似。"
    ),
    "password_too_long": text("Use at most 256 characters.", "密码不能超过 256 个字符。"),
    "password_character_classes": text(
        "Use at least three of: capital letters, small letters, digits, other characters.",
        "密码需至少包含以下四类字符中的三类：大写字母、小写字母、数字、其他字符。",
    ),
    "password_unchanged": text("Choose a password other than the old one.", "新密码不能与原密码相同。"),
}
OTHER = text("This password is not safe enough; choose another.", "该密码不够安全，请换一个。")
_UNKNOWN: dict[str, str] = {}


class CharacterClassValidator:
    """At least three of the four classes: capitals, small letters, digits, others (Chinese counts as other)."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ValidationError when fewer classes occur."""
        found = {self._kind(character) for character in password}
        if len(found) < CLASSES:
            raise ValidationError(WORDS["password_character_classes"]["zh-CN"], code="password_character_classes")

    def get_help_text(self) -> str:
        """The rule in words."""
        return WORDS["password_character_classes"]["zh-CN"]

    @staticmethod
    def _kind(character: str) -> str:
        if character in string.ascii_uppercase:
            return "upper"
        if character in string.ascii_lowercase:
            return "lower"
        return "digit" if character in string.digits else "other"


def password_problems(password: str, user: User | None, pointer: str = "/new") -> list[Problem]:
    """Everything that is wrong with a new password, in both languages."""
    codes: list[str] = []
    if len(password) > MAX_LENGTH:
        codes.append("password_too_long")
    else:
        try:
            validate_password(password, user)
        except ValidationError as error:
            codes.extend(str(item.code) for item in error.error_list)
    return [Problem(pointer, code, WORDS.get(code, OTHER)) for code in codes]


def check_new_password(password: str, user: User | None, pointer: str = "/new") -> None:
    """Raise InvalidError with all problems of a new password."""
    problems = password_problems(password, user, pointer)
    if problems:
        raise InvalidError(problems=problems)


def set_password(user: User, password: str, must_change: bool = False) -> None:
    """Store a checked password on ``user`` (the caller saves) and end all sessions and the lock."""
    user.set_password(password)
    user.password_changed_at = clock.now()
    user.must_change_password = must_change
    user.failed_attempts, user.locked_until = 0, None
    user.session_epoch += 1


def random_password() -> str:
    """A password for one first sign-in: 16 characters of all four classes, without look-alikes."""
    letters = "abcdefghjkmnpqrstuvwxyz"
    pool = [letters, letters.upper(), "23456789", "-+*=?"]
    picked = [secrets.choice(group) for group in pool] + [secrets.choice("".join(pool[:3])) for _ in range(12)]
    secrets.SystemRandom().shuffle(picked)
    return "".join(picked)


def is_locked(user: User) -> bool:
    """Whether sign-in rests for this person now."""
    return user.locked_until is not None and user.locked_until > clock.now()


def count_failure(user: User) -> bool:
    """Count one wrong try; returns whether that locked the person."""
    User.objects.filter(pk=user.pk).update(failed_attempts=F("failed_attempts") + 1)
    user.refresh_from_db(fields=["failed_attempts"])
    if user.failed_attempts < MAX_FAILURES:
        return False
    User.objects.filter(pk=user.pk).update(failed_attempts=0, locked_until=clock.now() + LOCK_TIME)
    return True


def matches(user: User | None, password: str) -> bool:
    """Whether the password is right; an unknown name costs the same time as a known one."""
    if len(password) > MAX_LENGTH:
        password = ""
    encoded = user.password if user is not None and user.has_usable_password() else _unknown_password()
    is_right = check_password(password, encoded)
    return is_right and user is not None and encoded == user.password


def _unknown_password() -> str:
    """A hash that nothing matches, made once per process with today's hasher."""
    if "hash" not in _UNKNOWN:
        _UNKNOWN["hash"] = make_password(secrets.token_urlsafe(32))
    return _UNKNOWN["hash"]
