"""The shape of the tree: small modules that say why they exist, no drawers, nothing that names a machine or a registry."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = sorted(path for top in ("launch", "smart_app", "sandbox") for path in (ROOT / top).rglob("*.py") if "versions" not in path.parts)
DRAWERS = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "services"}
HARD_LIMIT = 350
FUNCTION_LIMIT = 60


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout
    return [path for path in (ROOT / name for name in listed.decode().split("\0") if name) if path.is_file()]


@pytest.mark.parametrize("path", PRODUCT, ids=names(PRODUCT))
def test_every_module_says_what_it_owns(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not text.strip() or ast.get_docstring(ast.parse(text)), "a module opens with what it owns"
    if path.name == "__init__.py":
        imports_and_names = [
            node for node in ast.parse(text).body if not isinstance(node, ast.Expr | ast.Import | ast.ImportFrom | ast.Assign)
        ]
        assert not imports_and_names, "an __init__ holds a docstring and, at most, the public names"


@pytest.mark.parametrize("path", PRODUCT, ids=names(PRODUCT))
def test_modules_and_functions_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= HARD_LIMIT
    long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > FUNCTION_LIMIT
        # A blueprint is a list of small views in one closure, and the factory is a list of parts.
        and node.name not in ("make_blueprint", "build", "create_app")
    ]
    assert not long


def test_there_are_no_drawers() -> None:
    assert not [path for path in PRODUCT if path.stem in DRAWERS or path.parent.name in DRAWERS]


def test_nothing_committed_names_a_machine_or_a_registry() -> None:
    forbidden = re.compile(r"/(?:work|farm)/|/root/|registry\.npmjs\.org|files\.pythonhosted\.org|pypi\.org/|deb\.debian\.org")
    guilty = []
    for path in tracked():
        if path == Path(__file__) or path.suffix in {".png", ".gz", ".dcm", ".woff2", ".j2c", ".jph"}:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if forbidden.search(line):
                guilty.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}")
    assert not guilty


def test_every_module_of_decisions_has_its_test() -> None:
    """Mirror of the source, except entry points, wiring and tables, which journeys and migrations prove."""
    exempt = {
        "__init__",
        "models",
        "views",
        "cli",
        "factory",
        "errors",
        "types",
        "clock",
        "env",
        "chart",
    }  # chart: test_listing asks it over sockets
    tests = " ".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py"))
    missing = []
    for path in PRODUCT:
        if path.relative_to(ROOT).parts[0] == "sandbox" or path.parent.name == "wiring" or path.stem in exempt:
            continue
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        package, _, name = module.rpartition(".")
        if (
            module not in tests
            and not re.search(rf"from {re.escape(package)} import [^\n]*\b{name}\b", tests)
            and f"test_{name}" not in names_of_tests()
        ):
            missing.append(module)
    assert not missing, "these modules are named by no test"


def names_of_tests() -> set[str]:
    return {path.stem for path in (ROOT / "tests").rglob("test_*.py")}
