"""The rules of naming that a linter cannot see; CONTRIBUTING.md has the others."""

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("shop", "accounts", "orders", "notifications", "recommendations")
EACH_COMMAND_HAS_ONE = {"Command"}


def parsed_sources() -> list[tuple[Path, ast.Module]]:
    paths = [path for room in ROOMS for path in (ROOT / room).rglob("*.py") if "migrations" not in path.parts]
    return [(path.relative_to(ROOT), ast.parse(path.read_text())) for path in paths]


def test_a_class_name_stands_for_one_class():
    homes = defaultdict(list)
    for path, module in parsed_sources():
        for node in module.body:
            if isinstance(node, ast.ClassDef) and node.name not in EACH_COMMAND_HAS_ONE:
                homes[node.name].append(str(path))
    assert {name: paths for name, paths in homes.items() if len(paths) > 1} == {}


def test_no_module_of_ours_needs_an_alias():
    aliased = [
        f"{path}: {imported.name} as {imported.asname}"
        for path, module in parsed_sources()
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in ROOMS
        for imported in node.names
        if imported.asname and is_module(node.module, imported.name)
    ]
    assert aliased == []


def is_module(package: str, name: str) -> bool:
    path = ROOT / package.replace(".", "/") / name
    return path.is_dir() or path.with_suffix(".py").exists()
