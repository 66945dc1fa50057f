"""What each endpoint accepts, read from the official library's own typed parameters.

The `stripe` package ships a TypedDict per endpoint, generated from Stripe's OpenAPI description. Compiling
them, instead of keeping a list of our own, means that a parameter is known here exactly when Stripe knows it.
"""

import re
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

import typing_extensions
from stripe import RequestOptions

from shop.local.stripe import form
from shop.local.stripe.errors import (
    RefusalError,
    make_invalid_param_error,
    make_missing_param_error,
    make_unknown_param_error,
)

# Options of the library itself, not of the API.
_CLIENT_OPTIONS = frozenset(RequestOptions.__annotations__)
_CLIENT_TYPES = {"StripeContext": str, "Mapping": Mapping}
_INTEGER = re.compile(r"^-?\d{1,18}$")


@dataclass(frozen=True)
class Scalar:
    kind: type
    choices: tuple[str, ...] = ()
    may_be_empty: bool = False


@dataclass(frozen=True)
class ListOf:
    item: Any


@dataclass(frozen=True)
class Metadata:
    may_be_empty: bool


@dataclass(frozen=True)
class Shape:
    fields: dict[str, Any]
    required: tuple[str, ...]


@dataclass(frozen=True)
class ScalarOrObject:
    """A value or an object, such as ``created=…`` and ``created[gte]=…``."""

    scalar: Scalar | None
    nested: Any


def convert_params(typed: type, given: dict[str, Any]) -> dict[str, Any]:
    """`given` with its values in their types, or Stripe's refusal."""
    shape = compile_schema(typed)
    strangers = list(_find_unknown_params(shape, given, ""))
    if strangers:
        raise make_unknown_param_error(strangers)
    result: dict[str, Any] = _convert(shape, given, "")
    return result


@cache
def compile_schema(typed: type) -> Shape:
    hints = get_type_hints(typed, localns=_CLIENT_TYPES)
    fields = {name: _compile_hint(hint) for name, hint in hints.items() if name not in _CLIENT_OPTIONS}
    required = tuple(sorted(typed.__required_keys__ & fields.keys()))  # type: ignore[attr-defined]
    return Shape(fields, required)


def _compile_hint(hint: Any) -> Any:
    if is_typeddict(hint) or typing_extensions.is_typeddict(hint):
        return compile_schema(hint)
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _compile_union(get_args(hint))
    if origin in (Literal, typing_extensions.Literal):
        return Scalar(str, tuple(get_args(hint)))
    if origin is list:
        return ListOf(_compile_hint(get_args(hint)[0]))
    if origin is dict or "UntypedStripeObject" in repr(hint):
        return Metadata(may_be_empty=False)
    if hint in (str, int, bool, float, Decimal):
        return Scalar(hint)
    raise TypeError(f"no reading for {hint!r}")


def _compile_union(hints: tuple[Any, ...]) -> Any:
    parts = [_compile_hint(hint) for hint in hints]
    scalars = [part for part in parts if isinstance(part, Scalar)]
    nested = next((part for part in parts if not isinstance(part, Scalar)), None)
    empty = any("" in part.choices for part in scalars)
    if isinstance(nested, Metadata):
        return Metadata(may_be_empty=empty)
    choices = tuple(choice for part in scalars for choice in part.choices if choice)
    kinds = [part.kind for part in scalars if not part.choices]
    scalar = Scalar(kinds[0] if kinds else str, choices, empty) if scalars else None
    return scalar if nested is None else ScalarOrObject(scalar, nested)


def _find_unknown_params(node: Any, given: Any, path: str) -> Iterator[str]:
    if isinstance(node, ScalarOrObject):
        node = node.nested
    if not isinstance(given, dict):
        return
    if isinstance(node, ListOf):
        for index, item in given.items():
            yield from _find_unknown_params(node.item, item, f"{path}[{index}]")
    elif isinstance(node, Shape):
        for name, value in given.items():
            here = _join_path(path, name)
            if name in node.fields:
                yield from _find_unknown_params(node.fields[name], value, here)
            else:
                yield here


def _convert(node: Any, given: Any, path: str) -> Any:
    if isinstance(node, ScalarOrObject):
        node = node.nested if isinstance(given, dict) else node.scalar or node.nested
    if isinstance(node, Shape):
        return _convert_shape(node, given, path)
    if isinstance(node, ListOf):
        return _convert_list(node, given, path)
    if isinstance(node, Metadata):
        return _convert_metadata(node, given, path)
    return _convert_scalar(node, given, path)


def _convert_shape(node: Shape, given: Any, path: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise make_invalid_param_error("Invalid object", path)
    for name in node.required:
        if name not in given:
            raise make_missing_param_error(_join_path(path, name))
    return {name: _convert(node.fields[name], value, _join_path(path, name)) for name, value in given.items()}


def _convert_list(node: ListOf, given: Any, path: str) -> list[Any]:
    items = [] if given == "" else form.convert_to_list(given)
    if items is None:
        raise make_invalid_param_error("Invalid array", path)
    return [_convert(node.item, item, f"{path}[{index}]") for index, item in enumerate(items)]


def _convert_metadata(node: Metadata, given: Any, path: str) -> dict[str, str]:
    if given == "" and node.may_be_empty:
        return {}
    if not isinstance(given, dict) or any(isinstance(value, dict) for value in given.values()):
        raise make_invalid_param_error("Invalid object", path)
    if len(given) > 50:
        raise make_invalid_param_error(f"Metadata can have at most 50 keys, and you passed in {len(given)}.", path)
    for key, value in given.items():
        if len(key) > 40:
            raise make_invalid_param_error(
                f"Metadata keys must be under 40 characters long. {key!r} is too long.", path
            )
        if len(value) > 500:
            raise make_invalid_param_error(
                "Metadata values can have up to 500 characters, but you passed in a value that is "
                f"{len(value)} characters.",
                _join_path(path, key),
            )
    return dict(given)


def _convert_scalar(node: Scalar, given: Any, path: str) -> Any:
    if isinstance(given, dict):
        raise make_invalid_param_error(f"Invalid {_TYPE_NAMES[node.kind]}", path)
    if given == "" and not node.may_be_empty:
        raise _make_empty_value_error(path)
    if given == "":
        return None
    if node.choices:
        return _check_choice(node, given, path)
    return _PARSERS[node.kind](given, path)


def _check_choice(node: Scalar, given: str, path: str) -> str:
    if given not in node.choices:
        *most, last = sorted(node.choices)
        listed = f"{', '.join(most)}, or {last}" if most else last
        raise make_invalid_param_error(f"Invalid {path}: must be one of {listed}", path)
    return given


def _make_empty_value_error(path: str) -> RefusalError:
    return make_invalid_param_error(
        f"You passed an empty string for '{path}'. We assume empty values are an attempt to unset a "
        f"parameter; however '{path}' cannot be unset. You should remove '{path}' from your request or "
        "supply a non-empty value.",
        path,
        "parameter_invalid_empty",
    )


def _parse_integer(given: str, path: str) -> int:
    if not _INTEGER.match(given):
        raise make_invalid_param_error(f"Invalid integer: {given}", path, "parameter_invalid_integer")
    return int(given)


def _parse_boolean(given: str, path: str) -> bool:
    if given not in ("true", "false"):
        raise make_invalid_param_error(f"Invalid boolean: {given}", path)
    return given == "true"


def _parse_decimal(given: str, path: str) -> Decimal:
    try:
        number = Decimal(given)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise make_invalid_param_error(f"Invalid decimal: {given}", path)
    return number


def _parse_string(given: str, path: str) -> str:
    if len(given) > 5000:
        raise make_invalid_param_error(f"Invalid string: {given[:20]}…; must be at most 5000 characters", path)
    return given


def _join_path(path: str, name: str) -> str:
    return f"{path}[{name}]" if path else name


_TYPE_NAMES = {str: "string", int: "integer", bool: "boolean", float: "decimal", Decimal: "decimal"}
_PARSERS = {
    str: _parse_string,
    int: _parse_integer,
    bool: _parse_boolean,
    float: _parse_decimal,
    Decimal: _parse_decimal,
}
