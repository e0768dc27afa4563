"""Contract 7: what the pure core may import, seen in the import graph (imports inside functions included)."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import grimp
import pytest

CORE = ("runtime.engine", "flows.graph", "node_catalog.types", "node_catalog.sdk")
LIBRARIES = {"ibis", "sqlglot", "pyarrow", "msgspec", "jsonschema", "duckdb"}
DRIVERS = {
    "psycopg",
    "adbc_driver_postgresql",
    "adbc_driver_manager",
    "pgpq",
    "sqlite3",
    "redis",
    "fastexcel",
    "oracledb",
    "pymysql",
    "pytds",
}
ONLY_IN = {
    "duckdb": ("runtime.engine.duck", "node_catalog.types.connectors.duckdb_file"),
    "pyspark": ("runtime.engine.remote",),
    "grpc": ("runtime.engine.remote",),
}
OWN_HELPERS = {"security"}  # security.outgoing and security.text: pure modules below the core
STANDARD = set(sys.stdlib_module_names)


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(
        "studio", "runtime", "flows", "node_catalog", "security", include_external_packages=True, cache_dir=None
    )


def _core_modules(graph: grimp.ImportGraph) -> list[str]:
    return sorted(m for m in graph.modules if any(m == root or m.startswith(f"{root}.") for root in CORE))


def _is_core(module: str) -> bool:
    return any(module == root or module.startswith(f"{root}.") for root in CORE)


def test_the_core_imports_only_its_libraries(graph: grimp.ImportGraph) -> None:
    wrong = []
    for module in _core_modules(graph):
        for imported in sorted(graph.find_modules_directly_imported_by(module)):
            top = imported.partition(".")[0]
            if _is_core(imported) or top in LIBRARIES or top in STANDARD or top in OWN_HELPERS:
                continue
            if top in DRIVERS and module.startswith("node_catalog.types."):
                continue
            if top in ONLY_IN and module in ONLY_IN[top]:
                continue
            wrong.append(f"{module} imports {imported}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("library", sorted(ONLY_IN))
def test_engines_are_imported_in_one_file(graph: grimp.ImportGraph, library: str) -> None:
    if library not in graph.modules:
        pytest.skip(f"{library} is not imported yet")
    assert graph.find_modules_that_directly_import(library) <= set(ONLY_IN[library])


def test_drivers_are_imported_only_where_a_system_is_spoken_to(graph: grimp.ImportGraph) -> None:
    allowed = {
        "sqlite3": ("studio.demo.",),
        "redis": ("studio.", "runtime."),
        "fastexcel": ("node_catalog.spreadsheet",),
    }
    wrong = []
    for driver in sorted(DRIVERS & graph.modules):
        for module in graph.find_modules_that_directly_import(driver):
            if module.startswith(("node_catalog.types.", *allowed.get(driver, ()))):
                continue
            wrong.append(f"{module} imports {driver}")
    assert not wrong, "\n".join(wrong)


def test_drivers_are_imported_inside_functions(repo: Path) -> None:
    """So that the web process, which loads every type for its palette, loads no driver."""
    wrong = []
    for path in sorted((repo / "node_catalog" / "types").rglob("*.py")):
        for statement in ast.parse(path.read_text(encoding="utf-8")).body:
            names = []
            if isinstance(statement, ast.Import):
                names = [alias.name for alias in statement.names]
            elif isinstance(statement, ast.ImportFrom):
                names = [statement.module or ""]
            wrong += [f"{path.relative_to(repo)}: {name}" for name in names if name.partition(".")[0] in DRIVERS]
    assert not wrong, "\n".join(wrong)


def test_the_web_process_loads_no_engine(repo: Path) -> None:
    """Django with every address, in a fresh process: neither duckdb nor pandas nor an Ibis back end."""
    import subprocess

    code = (
        "import sys, studio.asgi, studio.urls; from django.urls import get_resolver; get_resolver().url_patterns; "
        "from node_catalog.palette import palette; palette(); "
        "bad = {'duckdb', 'pandas', 'ibis.backends.duckdb', 'adbc_driver_manager'}; "
        "print(sorted(bad & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=repo, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_a_child_that_waits_has_loaded_only_what_every_work_needs(repo: Path) -> None:
    """All node types and a warm engine, in a fresh process: no Ibis, no pandas, no driver; 60 MiB less."""
    import subprocess

    code = (
        "import sys; from runtime.engine import child, no_pandas; from node_catalog.sdk.registry import load_registry; "
        "no_pandas.keep_out(); load_registry(('node_catalog.types',)); child.warm_up(); "
        "bad = {'django', 'ibis', 'pandas', 'pyspark', 'psycopg', 'adbc_driver_manager', 'pymysql'}; "
        "print(sorted(bad & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=repo, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().splitlines()[-1] == "[]"
