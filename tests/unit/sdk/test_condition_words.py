"""Conditions are told in the reader's language, and nothing in quotes is touched."""

from __future__ import annotations

import pytest

from node_catalog.sdk.condition_words import in_words


@pytest.mark.parametrize(
    "condition, english, chinese",
    [
        ('"PM2.5" is not null', "PM2.5 is not null", "PM2.5 不为空"),
        ("a > 75 and b = '海曙 and 区'", "a > 75 and b = '海曙 and 区'", "a > 75 且 b = '海曙 and 区'"),
        ("a IS NULL or b between 1 and 2", "a IS NULL or b between 1 and 2", "a 为空 或 b 介于 1 且 2"),
        ('"in and out" in (1, 2)', "in and out in (1, 2)", "in and out 属于 (1, 2)"),
        ("\"a\"\"b\" like 'x''y'", "a\"b like 'x''y'", "a\"b 符合 'x''y'"),
        ("info > 1 and \"unclosed", "info > 1 and \"unclosed", "info > 1 且 \"unclosed"),
    ],
)  # fmt: skip
def test_in_words(condition: str, english: str, chinese: str) -> None:
    assert in_words(condition) == {"en": english, "zh-CN": chinese}
