"""The house rules that a linter cannot see."""

import ast
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import grimp
import pytest
from django.apps import apps

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("shop", "accounts", "orders", "notifications", "recommendations")
LAYERS = ("retrying", "catalog", "accounts", "orders", "recommendations", "notifications", "storefront", "backoffice")
LONGEST_FILE = 400
WRITTEN_BY_HAND = {".css", ".html", ".js", ".md", ".py", ".txt"}
LONGEST_FUNCTION = 60


def sources() -> list[Path]:
    return [path for room in ROOMS for path in (ROOT / room).rglob("*.py") if "migrations" not in path.parts]


def calls(path: Path, name: str) -> bool:
    """Whether a file imports the module `name`, in whatever form."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import) and any(alias.name == name for alias in node.names):
            return True
        if isinstance(node, ast.ImportFrom):
            package, _, module = name.rpartition(".")
            if node.module == name or (node.module == package and any(alias.name == module for alias in node.names)):
                return True
    return False


def test_every_app_of_ours_has_its_layer():
    ours = {config.label for config in apps.get_app_configs() if config.name.partition(".")[0] in ROOMS}
    assert ours == set(LAYERS)


def test_every_room_and_every_module_of_the_project_has_its_layer():
    [contract] = [each for each in _read_contracts() if each["type"] == "layers"]
    placed = {name.strip(" ()") for layer in contract["layers"] for name in layer.split("|")}
    files = [path.stem for path in (ROOT / "shop").glob("*.py") if path.stem != "__init__"]
    rooms = [path.parent.name for path in (ROOT / "shop").glob("*/__init__.py")]
    assert {*(f"shop.{name}" for name in files + rooms), *ROOMS} - placed == {"shop"}
    assert "ignore_imports" not in contract


def _read_contracts() -> list[dict[str, Any]]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]


def test_no_modules_import_each_other_in_a_circle():
    """Late imports count; what only types need does not."""
    graph = grimp.build_graph(*ROOMS, exclude_type_checking_imports=True, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    TopologicalSorter(imports).prepare()  # raises CycleError, which names the circle


def test_foreign_keys_point_downwards():
    ours = [model for model in apps.get_models(include_auto_created=True) if model._meta.app_label in LAYERS]
    upwards = [
        f"{model._meta.label}.{field.name} -> {field.related_model._meta.label}"
        for model in ours
        for field in model._meta.get_fields()
        if field.is_relation
        and field.concrete
        and field.related_model._meta.app_label in LAYERS
        and LAYERS.index(field.related_model._meta.app_label) > LAYERS.index(model._meta.app_label)
    ]
    assert upwards == []


def test_mail_leaves_by_two_doors_only():
    callers = {str(path.relative_to(ROOT)) for path in sources() if calls(path, "shop.mail")}
    allowed = {"accounts/people/adapter.py"} | {name for name in callers if name.startswith("notifications/")}
    assert callers <= allowed
    handing_over = {
        name
        for name in callers
        if "mail.send_message" in (ROOT / name).read_text() or ".hand_off(" in (ROOT / name).read_text()
    }
    assert handing_over == {"accounts/people/adapter.py", "notifications/delivery.py"}


def test_nobody_sends_mail_past_the_shop():
    past = [
        str(path.relative_to(ROOT))
        for path in sources()
        if path.name != "mail.py" and calls(path, "django.core.mail") and "local" not in path.parts
    ]
    assert past == []


def test_recommendations_read_purchases_only_where_consent_allows():
    names = {"OrderLine", "Order"}
    reading = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "recommendations").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and node.attr == "objects"
        and isinstance(node.value, ast.Name)
        and node.value.id in names
        and not _is_usable_for(path, node)
    }
    assert reading == set()


def _is_usable_for(path: Path, node: ast.Attribute) -> bool:
    parents = [parent for parent in ast.walk(ast.parse(path.read_text())) if isinstance(parent, ast.Attribute)]
    return any(
        parent.attr == "usable_for"
        and isinstance(parent.value, ast.Attribute)
        and (parent.value.lineno, parent.value.col_offset) == (node.lineno, node.col_offset)
        for parent in parents
    )


@pytest.mark.parametrize("name", ["services.py", "utils.py", "helpers.py", "signals.py"])
def test_no_module_is_named_after_nothing(name):
    assert [path for path in sources() if path.name == name] == []


def test_files_stay_short():
    too_long = {
        str(path.relative_to(ROOT))
        for room in (*ROOMS, "tests", "templates", "static", "docs")
        for path in (ROOT / room).rglob("*")
        if path.suffix in WRITTEN_BY_HAND and len(path.read_text().splitlines()) > LONGEST_FILE
    }
    assert too_long == set()


def test_functions_stay_short():
    long_functions = [
        f"{path}:{node.name}"
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno >= LONGEST_FUNCTION
    ]
    assert long_functions == []


def test_no_template_asks_the_database():
    tags = [path for path in sources() if "templatetags" in path.parts]
    assert tags
    assert [str(path) for path in tags if ".objects" in path.read_text()] == []
