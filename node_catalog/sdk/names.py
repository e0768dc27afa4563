"""Names by which the studio is known to other systems."""

from __future__ import annotations

OWN_RECORDS = "CityGo Studio records"
"""What the studio's connections to its own database are called: work there is none of a source's other users."""
