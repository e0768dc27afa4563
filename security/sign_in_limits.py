"""How many wrong sign-ins one address may make: guessing many names once each is noticed too.

Counted in the database, so that all web processes count together. IPv6 counts by /64, which is what one line gets.
"""

from __future__ import annotations

import ipaddress
from datetime import timedelta

from django.conf import settings
from django.db.models import F

from security import clock
from security.models import SignInFailures

WINDOW = timedelta(minutes=15)


def address_group(address: str) -> str:
    """The address, or the /64 of an IPv6 address; mapped IPv4 is IPv4; what is none (a socket) is one group."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)


def is_resting(address: str) -> bool:
    """Whether this address has to wait before it may try again."""
    most = settings.OPTIONS["SIGN_IN_FAILURES"]
    if not most:
        return False
    begun = clock.now() - WINDOW
    return SignInFailures.objects.filter(address=address_group(address), begun_at__gt=begun, count__gte=most).exists()


def count_address_failure(address: str) -> bool:
    """Count one wrong try; returns whether the address has to wait from now on."""
    group, now = address_group(address), clock.now()
    SignInFailures.objects.filter(begun_at__lte=now - WINDOW).delete()
    row, is_new = SignInFailures.objects.get_or_create(address=group, defaults={"count": 1, "begun_at": now})
    if not is_new:
        SignInFailures.objects.filter(pk=row.pk).update(count=F("count") + 1)
        row.refresh_from_db()
    return bool(row.count == settings.OPTIONS["SIGN_IN_FAILURES"])
