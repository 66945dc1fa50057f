"""Stripe's form encoding: ``line_items[0][price_data][currency]=gbp`` to nested dicts and lists."""

import re
from typing import Any
from urllib.parse import parse_qsl

from shop.local.stripe.errors import RefusalError

_KEY = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")
_MOST_FIELDS = 2000
_DEEPEST = 10


def parse_form(encoded: str) -> dict[str, Any]:
    """Lists stay dicts keyed by index here; `convert_to_list` turns them once the schema says so."""
    tree: dict[str, Any] = {}
    try:
        pairs = parse_qsl(encoded, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise RefusalError("Invalid request: too many parameters.") from error
    for key, value in pairs:
        _set_value(tree, _split_key(key), value)
    return tree


def convert_to_list(node: Any) -> list[Any] | None:
    """The items of ``a[0]``, ``a[1]`` or ``a[]``, in order; None for anything else."""
    if not isinstance(node, dict) or not all(key.isdigit() for key in node):
        return None
    return [node[key] for key in sorted(node, key=int)]


def _split_key(key: str) -> list[str]:
    match = _KEY.match(key)
    if match is None:
        raise RefusalError(f"Invalid request: malformed parameter name {key!r}.")
    path = [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])]
    if len(path) > _DEEPEST:
        raise RefusalError(f"Invalid request: {key!r} is nested too deeply.")
    return path


def _set_value(tree: dict[str, Any], path: list[str], value: str) -> None:
    for step in path[:-1]:
        inner = tree.setdefault(_resolve_step(tree, step), {})
        if not isinstance(inner, dict):
            raise RefusalError(f"Invalid request: {step!r} is both a value and an object.")
        tree = inner
    tree[_resolve_step(tree, path[-1])] = value


def _resolve_step(tree: dict[str, Any], step: str) -> str:
    return str(len(tree)) if step == "" else step
