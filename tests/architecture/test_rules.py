"""House rules that no linter knows."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

from studio.env import OPTIONS, options_as_markdown

PACKAGES = ("studio", "runtime", "flows", "node_catalog", "security")
LONGEST_FILE = 500


def _sources(repo: Path, *roots: str, suffixes: tuple[str, ...] = (".py",)) -> Iterator[Path]:
    for root in roots:
        for path in sorted((repo / root).rglob("*")):
            if path.suffix in suffixes and "migrations" not in path.parts and "node_modules" not in path.parts:
                yield path


def test_import_contracts(repo: Path) -> None:
    assert lint_imports(config_filename=str(repo / "pyproject.toml"), no_cache=True) == 0


def test_the_environment_is_read_in_one_file(repo: Path) -> None:
    wrong = []
    for path in _sources(repo, *PACKAGES):
        if path == repo / "studio" / "env.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv", "putenv"}:
                wrong.append(f"{path.relative_to(repo)}:{node.lineno}")
    assert not wrong, "Read options from django.conf.settings.OPTIONS instead:\n" + "\n".join(wrong)


def test_no_file_is_too_long(repo: Path) -> None:
    files = [
        *_sources(repo, *PACKAGES, "tests"),
        *_sources(repo, "frontend/src", suffixes=(".ts", ".tsx")),
    ]
    wrong = []
    for path in files:
        lines = path.read_text(encoding="utf-8").count("\n")
        if lines > LONGEST_FILE:
            wrong.append(f"{path.relative_to(repo)}: {lines} lines")
    assert not wrong, f"Over {LONGEST_FILE} lines a noun is missing:\n" + "\n".join(wrong)


def test_views_fetch_only_what_is_visible(repo: Path) -> None:
    """API code never starts from all objects: `visible_to()` is the only way in."""
    wrong = []
    for path in _sources(repo, *(f"{package}/api" for package in PACKAGES if package != "studio")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if re.search(r"\.objects\.(all|get|first|last)\(", line):
                wrong.append(f"{path.relative_to(repo)}:{number}: {line.strip()}")
    assert not wrong, "\n".join(wrong)


def test_the_map_names_what_exists(repo: Path) -> None:
    text = (repo / "docs" / "map.md").read_text(encoding="utf-8")
    paths = re.findall(r"`([\w./-]+)`", text)
    assert len(paths) > 40
    missing = [path for path in paths if "/" in path and not (repo / path).exists()]
    assert not missing, missing


def test_links_between_documents_lead_somewhere(repo: Path) -> None:
    missing = []
    for path in [repo / "README.md", *(repo / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
            if "://" not in target and not (path.parent / target).exists():
                missing.append(f"{path.relative_to(repo)}: {target}")
    assert not missing, missing


def test_options_are_documented(repo: Path) -> None:
    assert (repo / "docs" / "options.md").read_text(encoding="utf-8") == options_as_markdown(), "run `make schema`"
    assert len({option.name for option in OPTIONS}) == len(OPTIONS)
    assert all(option.help.endswith(".") for option in OPTIONS)


@pytest.mark.parametrize(
    "name", ["requirements.txt", "requirements-check.txt", "requirements-dev.txt", "frontend/package-lock.json"]
)
def test_locks_name_no_registry(repo: Path, name: str) -> None:
    text = (repo / name).read_text(encoding="utf-8")
    hosts = set(re.findall(r'(?:index-url|"resolved": ")\s*(?:https?://)?([\w.-]+)', text))
    assert not hosts, hosts
    if name.endswith(".txt"):
        assert "--hash=sha256:" in text and "://" not in text


def test_locks_fit_the_direct_requirements(repo: Path) -> None:
    for name in ("requirements", "requirements-check", "requirements-dev"):
        locked = (repo / f"{name}.txt").read_text(encoding="utf-8").lower()
        for line in (repo / f"{name}.in").read_text(encoding="utf-8").splitlines():
            wanted = re.match(r"^([\w-]+)(?:\[\w+\])?==([\w.]+)(?:\s|;|$)", line)
            if wanted and "*" not in line:
                assert f"{wanted[1].lower()}=={wanted[2]}" in locked, line


def test_versions_agree(repo: Path) -> None:
    from studio import __version__

    project = tomllib.loads((repo / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["version"] == __version__


def test_nothing_personal_or_local_is_committed(repo: Path) -> None:
    """No absolute path of a developer's machine, no registry's host name."""
    if not (repo / ".git").exists():
        pytest.skip("not a git clone")
    pattern = r"/work/(main|shared)|/tmp/w/|/home/[a-z]+/|(npmmirror|pypi\.tuna|mirrors?\.[a-z]+)\."
    done = subprocess.run(
        ["git", "grep", "-nIE", pattern, "--", ".", ":!tests/architecture/test_rules.py", ":!*.svg"],
        cwd=repo, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout[:2000]
