"""SQL written by hand names tables and columns that the models have: a rename that forgets it fails here."""

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest
from django.apps import apps

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("shop", "accounts", "orders", "notifications", "recommendations")
KEYWORDS = "set|where|on|using|join|left|cross|inner|order|group|for|select|values|limit|natural|returning"
SYSTEM_COLUMNS = {"ctid", "xmin"}

COLUMNS = {
    model._meta.db_table: {field.column for field in model._meta.concrete_fields}
    for model in apps.get_models(include_auto_created=True)
}
LABELS = "|".join(sorted({model._meta.app_label for model in apps.get_models()}))
TABLE = re.compile(rf"(?<![\w.'\"/:])((?:{LABELS})_[a-z_]+)(?![\w.(/:'\"])")
ALIAS = rf"(?:\s+(?:AS\s+)?(?!(?:{KEYWORDS})\b)([a-z_]\w*))?"
NAMED = re.compile(rf"(?:\b(?:FROM|JOIN|UPDATE|INTO|USING)\s+(?:LATERAL\s+)?([a-z_]\w*)|\)){ALIAS}", re.IGNORECASE)
COLUMN = re.compile(r"(?<![\w.%'])([a-z_]\w*)\.([a-z_]\w*)(?!\w*[.(])")
INSERTED = re.compile(r"INSERT INTO ([a-z_]+)\s*\(([^)]*)\)")
IS_SQL = re.compile(r"\b(SELECT|UPDATE|INSERT INTO|DELETE FROM|JOIN|EXISTS|TRUNCATE|ANALYZE)\b")


def statements(path: Path) -> list[str]:
    """The texts of a file that look like SQL; what an f-string puts in is left out."""
    tree = ast.parse(path.read_text())
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
    texts = []
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            texts.append("".join(part.value if isinstance(part, ast.Constant) else " {} " for part in node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            texts.append(node.value)
    return [re.sub(r"--.*", "", text) for text in texts if IS_SQL.search(text)]


def find_strangers(texts: list[str]) -> set[str]:
    """Tables no model has, and columns its table has not. Aliases hold within one file: fragments share them."""
    strangers = {name for text in texts for name in TABLE.findall(text) if name not in COLUMNS}
    for table, names in (found for text in texts for found in INSERTED.findall(text)):
        wanted = {name.strip() for name in names.split(",") if "{" not in name}
        strangers |= {f"{table}.{name}" for name in wanted - COLUMNS.get(table, wanted)}
    aliases = find_aliases(texts)
    for alias, column in (found for text in texts for found in COLUMN.findall(text)):
        tables = aliases.get(alias, {""})
        if "" not in tables and column not in SYSTEM_COLUMNS and not any(column in COLUMNS[each] for each in tables):
            strangers.add(f"{alias}.{column}")
    return strangers


def find_aliases(texts: list[str]) -> dict[str, set[str]]:
    """What each name before a dot may mean: tables, or "" for a subquery or a table of the statement's own."""
    aliases: dict[str, set[str]] = defaultdict(set)
    for name, alias in (found for text in texts for found in NAMED.findall(text)):
        for each in (name, alias):
            if each:
                aliases[each].add(name if name in COLUMNS else "")
    return aliases


@pytest.mark.parametrize("room", ROOMS)
def test_sql_names_only_what_the_models_have(room):
    found = {
        str(path.relative_to(ROOT)): strangers
        for path in (ROOT / room).rglob("*.py")
        if "migrations" not in path.parts and (strangers := find_strangers(statements(path)))
    }
    assert found == {}


def test_some_sql_is_looked_at():
    looked_at = [path for room in ROOMS for path in (ROOT / room).rglob("*.py") if statements(path)]
    assert len(looked_at) > 15


@pytest.mark.parametrize(
    ("text", "stranger"),
    [
        ("SELECT 1 FROM catalog_produkt p", "catalog_produkt"),
        ("SELECT p.headline FROM catalog_product p", "p.headline"),
        ("UPDATE orders_order o SET status = 'x' WHERE o.state = 'y'", "o.state"),
        ("SELECT 1 FROM orders_order JOIN accounts_customer c ON c.uid = 1", "c.uid"),
        ("SELECT p.title, p.headline FROM catalog_product p", "p.headline"),
        ("INSERT INTO catalog_searchword (word, wordy) VALUES (1, 2)", "catalog_searchword.wordy"),
    ],
)
def test_a_name_that_no_model_has_is_found(text, stranger):
    assert find_strangers([text]) == {stranger}
