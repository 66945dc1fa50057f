"""Writes fields, and the widgets and lists of errors that most forms have, in Python, as cards are (ADR 49).

The same HTML, to the letter, as Django's templates for the widgets and lists have. Everything else stays a template.
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.forms import BoundField
from django.forms.renderers import TemplatesSetting
from django.http import HttpRequest
from django.utils.html import conditional_escape

INPUTS = ("text", "email", "number", "password", "hidden", "checkbox", "url", "date")


class WritingFormRenderer(TemplatesSetting):
    """What `django.forms` asks to render, by the name of its template."""

    def render(self, template_name: str, context: dict[str, Any], request: HttpRequest | None = None) -> str:
        write = _WRITERS.get(template_name)
        return write(context) if write else super().render(template_name, context, request)


def _write_input(context: Mapping[str, Any]) -> str:
    widget = context["widget"]
    value = "" if widget["value"] is None else f' value="{conditional_escape(widget["value"])}"'
    opening = f'<input type="{conditional_escape(widget["type"])}" name="{conditional_escape(widget["name"])}"'
    return f"{opening}{value}{_write_attributes(widget['attrs'])}>"


def _write_textarea(context: Mapping[str, Any]) -> str:
    widget = context["widget"]
    opening = f'<textarea name="{conditional_escape(widget["name"])}"{_write_attributes(widget["attrs"])}>'
    return f"{opening}\n{conditional_escape(widget['value'] or '')}</textarea>"


def _write_attributes(attributes: Mapping[str, Any]) -> str:
    """One that is True stands alone, one that is False not at all."""
    return "".join(
        f" {conditional_escape(name)}" + ("" if value is True else f'="{conditional_escape(value)}"')
        for name, value in attributes.items()
        if value is not False
    )


def _write_error_list(context: Mapping[str, Any]) -> str:
    errors = context["errors"]
    if not errors:
        return ""
    name = f' id="{conditional_escape(errors.field_id)}_error"' if errors.field_id else ""
    items = "".join(f"<li>{conditional_escape(error)}</li>" for error in errors)
    return f'<ul class="{conditional_escape(context["error_class"])}"{name}>{items}</ul>'


def _write_field(context: Mapping[str, Any]) -> str:
    """Label, help, widget and errors, tied together for screen readers; the ids of help and errors are Django's own."""
    field: BoundField = context["field"]
    if field.is_hidden:
        return str(field)
    label, widget, errors = conditional_escape(field.label), str(field), field.errors if field.errors else ""
    help_text = _write_help(field)
    if field.use_fieldset:
        described = field.aria_describedby
        by = f' aria-describedby="{conditional_escape(described)}"' if described else ""
        legend = f"<legend>{label}{_write_optional(field)}</legend>"
        return f'<div class="field"><fieldset{by}>{legend}{help_text}{widget}{errors}</fieldset></div>'
    labelled = f'<label for="{conditional_escape(field.id_for_label)}">{label}'
    if field.widget_type == "checkbox":
        return f'<div class="field tick">{widget}{labelled}</label>{help_text}{errors}</div>'
    return f'<div class="field">{labelled}{_write_optional(field)}</label>{help_text}{widget}{errors}</div>'


def _write_optional(field: BoundField) -> str:
    """A field that begins with an answer of its own, such as none of how many, needs no word."""
    is_answered = field.field.initial not in (None, "")
    return "" if field.field.required or is_answered else ' <span class="optional">(optional)</span>'


def _write_help(field: BoundField) -> str:
    if not field.help_text:
        return ""
    name = f"{conditional_escape(field.auto_id)}_helptext"
    return f'<div class="help" id="{name}">{conditional_escape(field.help_text)}</div>'


_WRITERS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    **{f"django/forms/widgets/{name}.html": _write_input for name in INPUTS},
    "django/forms/widgets/textarea.html": _write_textarea,
    "django/forms/errors/list/default.html": _write_error_list,
    "django/forms/field.html": _write_field,
}
