"""Loads the demo city's departments and people."""

from __future__ import annotations

from django.db import transaction

from security import passwords
from security.models import Organisation, RoleAssignment, User
from studio.demo.accounts import DEPARTMENTS, PEOPLE


def load_departments() -> dict[str, Organisation]:
    """All departments by code; existing ones stay as they are."""
    found: dict[str, Organisation] = {}
    for department in DEPARTMENTS:
        parent = found.get(department.parent)
        values = {"name": department.name, "parent": parent}
        found[department.code], _ = Organisation.objects.get_or_create(code=department.code, defaults=values)
    return found


@transaction.atomic
def load_people(departments: dict[str, Organisation]) -> dict[str, User]:
    """All people by sign-in name; who exists keeps their password and roles."""
    found: dict[str, User] = {}
    hashed: dict[str, str] = {}
    for person in PEOPLE:
        user = User.objects.filter(username__iexact=person.username).first()
        if user is None:
            user = User(
                username=person.username,
                name=person.name,
                email=f"{person.username}@demo-city.example",
                organisation=departments[person.department],
                language=person.language,
            )
            # Hashing is slow on purpose; the demo's one public password is hashed once.
            if person.password not in hashed:
                passwords.set_password(user, person.password)
                hashed[person.password] = user.password
            user.password = hashed[person.password]
            user.save()
            RoleAssignment.objects.bulk_create([RoleAssignment(user=user, role=role) for role in person.roles])
        found[person.username] = user
    return found
