"""Reading request bodies: unknown fields are refused, and every problem is told at once in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import translation
from django.utils.functional import lazy
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from security.errors import InvalidError, Problem
from security.text import Text, text

LANGUAGES = {"en": "en", "zh-CN": "zh-hans"}
TEXT_SCHEMA = {
    "type": "object",
    "properties": {"en": {"type": "string"}, "zh-CN": {"type": "string"}},
    "additionalProperties": False,
}


def _in_active_language(en: str, zh: str) -> str:
    return en if (translation.get_language() or "").startswith("en") else zh


both = lazy(_in_active_language, str)
"""A message that reads in the language that is active when it is used: ``both("…", "……")``."""


class Input(serializers.Serializer):  # type: ignore[type-arg]
    """Base of request bodies: a field that is not known is a problem, not ignored."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = [str(key) for key in data if key not in self.fields]
            if unknown:
                message = both("This field is not known here.", "此处没有这个字段。")
                raise serializers.ValidationError(
                    {key[:80]: [ErrorDetail(message, code="unknown")] for key in unknown} | self._known_problems(data)
                )
        return super().to_internal_value(data)

    def _known_problems(self, data: Mapping[str, Any]) -> dict[str, Any]:
        try:
            super().to_internal_value({key: value for key, value in data.items() if key in self.fields})
        except serializers.ValidationError as error:
            return dict(error.detail) if isinstance(error.detail, dict) else {}
        return {}


@extend_schema_field(TEXT_SCHEMA)
class LocalText(serializers.Field):  # type: ignore[type-arg]
    """A text in both languages; input may leave one out, or be one plain text for both."""

    def __init__(self, max_length: int = 200, required_text: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.max_text = max_length
        self.required_text = required_text

    def to_internal_value(self, data: Any) -> Text:
        if isinstance(data, str):
            data = {"en": data, "zh-CN": data}
        if not isinstance(data, Mapping) or set(data) - set(LANGUAGES):
            raise serializers.ValidationError(
                both('Give an object with the texts "en" and "zh-CN".', "请提供包含 en 和 zh-CN 两种文字的对象。"),
                code="text.form",
            )
        found: Text = {}
        for language, value in data.items():
            if not isinstance(value, str) or len(value) > self.max_text or "\0" in value:
                raise serializers.ValidationError(
                    both(f"At most {self.max_text} characters.", f"最多 {self.max_text} 个字符。"), code="text.length"
                )
            if value.strip():
                found[language] = value.strip()
        if self.required_text and not found:
            raise serializers.ValidationError(both("This text is needed.", "此项必填。"), code="required")
        return found

    def to_representation(self, value: Any) -> Any:
        return value or {}


def read_input(serializer: type[serializers.Serializer], data: Any, **options: Any) -> dict[str, Any]:  # type: ignore[type-arg]
    """The validated body; raises InvalidError with all problems, each with pointer and both wordings."""
    found: dict[str, dict[tuple[str, int], ErrorDetail]] = {}
    for language, name in LANGUAGES.items():
        with translation.override(name):
            checked = serializer(data=data, **options)
            if checked.is_valid():
                return dict(checked.validated_data)
            found[language] = dict(_details(checked.errors))
    english, chinese = found["en"], found["zh-CN"]
    raise InvalidError(
        problems=[
            Problem(key[0], f"input.{detail.code}", text(str(detail), str(chinese.get(key, detail))))
            for key, detail in english.items()
        ]
    )


def _details(errors: Any, pointer: str = "") -> Any:
    """((pointer, n), detail) for every single message of a serializer's nested errors."""
    if isinstance(errors, Mapping):
        for key, value in errors.items():
            step = "" if key == "non_field_errors" else "/" + str(key).replace("~", "~0").replace("/", "~1")
            yield from _details(value, pointer + step)
    elif isinstance(errors, list | tuple):
        for number, value in enumerate(errors):
            if isinstance(value, Mapping | list):
                yield from _details(value, f"{pointer}/{number}")
            else:
                yield (pointer, number), value
    else:
        yield (pointer, 0), errors
