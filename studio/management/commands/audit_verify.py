"""`manage.py audit_verify`: walk the audit chain and name the first record that does not fit."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from security.audit import verify


class Command(BaseCommand):
    help = "Checks the hash chain of the audit trail; ends with 1 and the first bad record when it is broken."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One optional head that was noted elsewhere: it catches a chain that was rewritten whole."""
        parser.add_argument("--expect", metavar="SEQ:HASH", default="", help="A head noted earlier elsewhere.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the number of records and the head to note."""
        expected = None
        if options["expect"]:
            seq, _, digest = options["expect"].partition(":")
            if not seq.isdecimal() or not digest:
                raise CommandError("--expect takes a record's number and hash, for example 120:9f3c…")
            expected = (int(seq), digest)
        outcome = verify(expected)
        if not outcome.is_ok:
            raise CommandError(
                f"The audit trail is broken at record {outcome.first_bad}: {outcome.reason}. "
                f"The {outcome.records} records before it are as they were written."
            )
        self.stdout.write(f"{outcome.records} records, unbroken. Head: {outcome.records}:{outcome.head}")
