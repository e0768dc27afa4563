"""Node numbers: ``33A017/DB00003F7K-E``. Issued once, never reused, no meaning beyond issuer and kind.

Six characters of issuer prefix, two letters of kind, eight random characters of GB 32100's alphabet (no I, O, S,
V, Z) and one check character over kind and body (weights 3^i mod 31). A dataset adds a four-digit ordinal.
"""

from __future__ import annotations

import re
import secrets

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
KINDS = ("DB", "MQ", "FL", "AP", "DE", "HT", "FW")
BODY = 8
_PREFIX = re.compile(r"^[0-9A-Z]{6}$")
_NUMBER = re.compile(rf"^[0-9A-Z]{{6}}/({'|'.join(KINDS)})([{ALPHABET}]{{{BODY}}})-([{ALPHABET}])$")


def new_node_number(prefix: str, kind: str) -> str:
    """A fresh random number; the caller's unique key decides whether it is taken (31^8 are free per kind)."""
    return node_number(prefix, kind, "".join(secrets.choice(ALPHABET) for _ in range(BODY)))


def node_number(prefix: str, kind: str, body: str) -> str:
    """The number with a given body (the demo's fixed numbers). Raises ValueError for parts that do not fit."""
    if not _PREFIX.match(prefix):
        raise ValueError(f"node number prefix {prefix!r} is not six capital letters or digits")
    if kind not in KINDS:
        raise ValueError(f"node kind {kind!r} is none of {', '.join(KINDS)}")
    if len(body) != BODY or any(char not in ALPHABET for char in body):
        raise ValueError(f"node number body {body!r} is not {BODY} characters of {ALPHABET}")
    return f"{prefix}/{kind}{body}-{check_character(kind + body)}"


def check_character(coded: str) -> str:
    """The check character of GB 32100 over ``coded`` (kind and body)."""
    total = sum(ALPHABET.index(char) * pow(3, index, 31) for index, char in enumerate(coded))
    return ALPHABET[-total % 31]


def is_node_number(value: str) -> bool:
    """Whether ``value`` is a well-formed node number with the right check character."""
    match = _NUMBER.match(value)
    return match is not None and check_character(match[1] + match[2]) == match[3]


def dataset_number(node_number: str, ordinal: int) -> str:
    """``33A017/DB00003F7K-E.0001``: the node's number and the dataset's ordinal (1 to 9999)."""
    if not 1 <= ordinal <= 9999:
        raise ValueError(f"dataset ordinal {ordinal} is not within 1 and 9999")
    return f"{node_number}.{ordinal:04d}"


def is_dataset_number(value: str) -> bool:
    """Whether ``value`` is a dataset's number."""
    node, dot, ordinal = value.rpartition(".")
    return bool(dot) and len(ordinal) == 4 and ordinal.isdigit() and ordinal != "0000" and is_node_number(node)
