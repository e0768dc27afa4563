"""File paths that people name: only inside allowed folders, judged by the real path (links and ``..`` followed)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from node_catalog.sdk.errors import RefusedError, SourceError
from node_catalog.sdk.text import text


def allowed_path(path: str | Path, roots: Sequence[str], *, must_exist: bool = True) -> Path:
    """The real path of ``path`` when it lies under one of ``roots``.

    Raises RefusedError when it does not (whether or not it exists, so that nothing can be probed), and SourceError
    when it is allowed but missing.
    """
    given = Path(path)
    if "\0" in str(path) or not given.is_absolute():
        raise _refused(path)
    real = Path(os.path.realpath(given))
    if not any(is_within(real, Path(os.path.realpath(root))) for root in roots):
        raise _refused(path)
    if must_exist and not real.exists():
        message = text(
            f"“{given.name}” is not there any more. Check the name, or discover the node again.",
            f"找不到“{given.name}”。请检查名称，或重新发现该节点。",
        )
        raise SourceError("file.missing", message, given.name)
    return real


def is_within(path: Path, folder: Path) -> bool:
    """Whether ``path`` is ``folder`` or lies in it (both real)."""
    return path == folder or folder in path.parents


def inside(folder: Path, parts: Sequence[str]) -> Path:
    """The real path of ``parts`` under ``folder`` (itself real), which it must not leave."""
    if not parts or any(
        not part or part in (".", "..") or "/" in part or "\\" in part or "\0" in part for part in parts
    ):
        raise _refused("/".join(parts))
    real = Path(os.path.realpath(folder.joinpath(*parts)))
    if not is_within(real, folder):
        raise _refused("/".join(parts))
    return real


def _refused(path: str | Path) -> RefusedError:
    message = text(
        f"“{path}” does not lie in a folder that the studio may use. Use a folder under one of the configured file "
        "roots, or ask the platform administrator to add it to the option FILE_ROOTS.",
        f"“{path}”不在平台允许使用的文件夹内。请改用已配置的文件根目录下的路径，或请平台管理员把它加入 "
        "FILE_ROOTS 选项。",
    )
    return RefusedError("file.not_allowed", message, str(path))
