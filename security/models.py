"""People, departments, roles, tokens, notices, secrets, and the audit chain."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from security import querysets
from security.ids import new_id


class Organisation(models.Model):
    """A department in the tree; ``path`` is the ids from the root, so that a subtree is one prefix."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.CharField(max_length=40, unique=True)
    name = models.JSONField()
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="children")
    path = models.CharField(max_length=600, db_index=True, default="")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = querysets.OrganisationQuerySet.as_manager()

    class Meta:
        ordering = ("path", "code")

    def __str__(self) -> str:
        return self.code

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store; ``path`` always follows from the parent: ``/`` then one ``<id in hex>/`` per level."""
        self.path = f"{self.parent.path if self.parent else '/'}{self.id.hex}/"
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], "path"}
        super().save(*args, **kwargs)


class UserManager(BaseUserManager.from_queryset(querysets.UserQuerySet)):  # type: ignore[misc]
    """Makes users; sign-in names are compared without case."""

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(username__iexact=username)  # type: ignore[no-any-return]


class User(AbstractBaseUser):
    """A person who signs in. Rights come from roles and the department, never from flags here."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    username = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=80)
    email = models.EmailField(blank=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="people")
    language = models.CharField(max_length=8, default="zh-CN")
    theme = models.CharField(max_length=8, default="light")
    is_active = models.BooleanField(default=True)
    must_change_password = models.BooleanField(default=False)
    failed_attempts = models.PositiveIntegerField(default=0)
    locked_until = models.DateTimeField(null=True, blank=True)
    password_changed_at = models.DateTimeField(null=True, blank=True)
    session_epoch = models.PositiveIntegerField(default=0)
    """Raised to end every session and token of this person at once."""
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UserManager()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        ordering = ("username",)


class RoleAssignment(models.Model):
    """One role of one person."""

    class Role(models.TextChoices):
        BUSINESS = "business"
        DATA_ADMIN = "data_admin"
        OPERATOR = "operator"
        PLATFORM_ADMIN = "platform_admin"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="role_assignments")
    role = models.CharField(max_length=20, choices=Role.choices)
    granted_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    granted_at = models.DateTimeField(auto_now_add=True)

    objects = querysets.RoleAssignmentQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[Any]] = [models.UniqueConstraint(fields=["user", "role"], name="one_role_once")]


class Token(models.Model):
    """A bearer token for the API; only its digest is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = querysets.OwnQuerySet.as_manager()


class Notice(models.Model):
    """One message in a person's inbox."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=40)
    title = models.JSONField()
    body = models.JSONField(default=dict)
    link = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True, blank=True)

    objects = querysets.OwnQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)


class Secret(models.Model):
    """A sealed value: its data key is wrapped by a key-encryption key that is never in the database."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    purpose = models.CharField(max_length=120)
    key_id = models.CharField(max_length=40)
    wrapped_key = models.BinaryField()
    sealed = models.BinaryField()
    updated_at = models.DateTimeField(auto_now=True)

    objects = querysets.SecretQuerySet.as_manager()


class AuditRecord(models.Model):
    """Append-only; each record's hash covers the previous one."""

    seq = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    actor = models.CharField(max_length=100)
    action = models.CharField(max_length=80, db_index=True)
    object_type = models.CharField(max_length=40)
    object_id = models.CharField(max_length=80, db_index=True)
    outcome = models.CharField(max_length=20)
    detail = models.JSONField(default=dict)
    ip = models.CharField(max_length=64, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    prev_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)

    objects = querysets.AuditQuerySet.as_manager()

    class Meta:
        ordering = ("seq",)


class AuditHead(models.Model):
    """The one row that is locked while a record is appended; it also shows when the tail was cut off."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    seq = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, default="")

    objects = querysets.AuditQuerySet.as_manager()


class SignInFailures(models.Model):
    """Wrong sign-ins from one address within the last quarter of an hour."""

    address = models.CharField(max_length=64, unique=True)
    count = models.PositiveIntegerField(default=0)
    begun_at = models.DateTimeField(db_index=True)

    objects = querysets.NobodysQuerySet.as_manager()
