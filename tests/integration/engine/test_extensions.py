"""Extensions are loaded with their signature checked once; a file that is another one since is checked again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from node_catalog.sdk.access import Attach
from runtime.engine import duck, extensions
from runtime.engine.cancel import Cancel
from runtime.engine.errors import EngineError
from runtime.engine.work import Limits

ATTACH = Attach(statements=(), extensions=("sqlite_scanner",))


def test_a_changed_extension_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / Path(extensions.extension_file("sqlite_scanner")).name
    shutil.copyfile(extensions.extension_file("sqlite_scanner"), copy)
    monkeypatch.setattr(extensions, "extension_file", lambda name: str(copy))
    for _ in range(2):
        with duck.open_source(Limits(), Cancel(), ATTACH) as source:
            assert source.script("select 1") == [(1,)]
    content = bytearray(copy.read_bytes())
    content[len(content) // 2] ^= 1
    copy.unlink()
    copy.write_bytes(content)
    with pytest.raises(EngineError), duck.open_source(Limits(), Cancel(), ATTACH):
        pass
