"""Style sheets: one file a component, each in one layer, all of them in the sheet that is served."""

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import call_command

SHEETS = Path(__file__).resolve().parents[1] / "static/css"
INDEXES = ["say-when", "admin"]  # each imports the files of the folder of its name
MOST_LINES = 200


def list_imports(index: str) -> list[str]:
    return re.findall(r'^@import "([^"]+)";$', (SHEETS / f"{index}.css").read_text(), re.MULTILINE)


def read_rules(css: str) -> str:
    return re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL).strip()


@pytest.mark.parametrize("index", INDEXES)
def test_a_sheet_imports_every_component_once_and_holds_no_rule_itself(index):
    files = [str(path.relative_to(SHEETS)) for path in (SHEETS / index).rglob("*") if path.is_file()]
    assert sorted(list_imports(index)) == sorted(files)
    rest = re.sub(r"@import [^;]+;|@layer [\w, ]+;", "", read_rules((SHEETS / f"{index}.css").read_text()))
    assert rest.strip() == ""


def test_each_component_lies_in_exactly_one_layer_that_the_sheet_orders():
    index = (SHEETS / "say-when.css").read_text()
    layers = re.search(r"^@layer ([^;]+);$", index, re.MULTILINE)[1].split(", ")
    for name in list_imports("say-when"):
        rules = read_rules((SHEETS / name).read_text())
        [layer] = re.findall(r"^@layer (\w+) \{$", rules, re.MULTILINE)
        assert layer in layers, name
        assert rules.startswith("@layer"), name
        assert rules.endswith("\n}"), name
        assert rules.count("\n}") == 1, name


def test_no_file_is_long():
    lengths = {str(path): len(path.read_text().splitlines()) for path in SHEETS.rglob("*.css")}
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}


@pytest.fixture
def gather(tmp_path, settings) -> Callable[[], dict[str, str]]:
    """Gathers a copy of the sheets in `tmp_path`; gives what is served under each name."""
    shutil.copytree(SHEETS, tmp_path / "sources/css")
    settings.STATICFILES_DIRS = [tmp_path / "sources"]
    settings.STATIC_ROOT = tmp_path / "gathered"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": "shop.style_sheets.JoinedSheetsStorage"}}

    def gathered() -> dict[str, str]:
        call_command("collectstatic", interactive=False, verbosity=0)
        return json.loads((tmp_path / "gathered/staticfiles.json").read_text())["paths"]

    return gathered


@pytest.mark.parametrize("index", INDEXES)
def test_what_is_served_is_one_sheet_with_every_component_in_order(tmp_path, gather, index):
    name = gather()[f"css/{index}.css"]
    served = (tmp_path / "gathered" / name).read_text()
    assert "@import" not in served
    assert served.endswith("".join((SHEETS / component).read_text() for component in list_imports(index)))
    assert (tmp_path / f"gathered/{name}.gz").exists()


def test_a_component_that_changed_alone_changes_the_sheet_and_its_name(tmp_path, gather):
    before = gather()["css/say-when.css"]
    assert gather()["css/say-when.css"] == before
    component = tmp_path / "sources/css/say-when/crumbs.css"
    component.write_text(component.read_text().replace("1rem", "2rem"))
    os.utime(component)
    after = gather()["css/say-when.css"]
    assert after != before
    assert "margin-bottom: 2rem" in (tmp_path / "gathered" / after).read_text()


def test_a_component_that_is_missing_stops_the_gathering(tmp_path, gather):
    (tmp_path / "sources/css/say-when/crumbs.css").unlink()
    with pytest.raises(KeyError, match="crumbs"):
        gather()
