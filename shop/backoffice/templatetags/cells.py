"""Cells of the back office's lists."""

import re
from html import unescape

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

CELL = re.compile(r"(<t[dh][^>]*>)(.*)(</t[dh]>)", re.DOTALL)
TAG = re.compile(r"<[^>]*>")
CONTROL = re.compile(r"<(?:input|select|textarea|button)\b")
LONGEST = 24  # letters that a column holds without help: Django breaks no line of a date or a row named there


@register.filter
def cut(value: object) -> str:
    """Words in a table; long ones are held in a frame that cuts them, with the whole as its title."""
    words = str(value)
    return format_html('<div class="cut" title="{}">{}</div>', words, words) if _needs_cutting(words) else words


@register.filter
def cut_cell(cell: SafeString) -> SafeString:
    """The same for a cell as Django's list renders it."""
    parts = CELL.fullmatch(cell.strip())
    if parts is None or CONTROL.search(parts[2]):
        return cell
    words = " ".join(unescape(TAG.sub(" ", parts[2])).split())
    if not _needs_cutting(words):
        return cell
    opening, inner, closing = (mark_safe(part) for part in parts.groups())  # noqa: S308  # nosec B308 B703  (escaped by Django)
    return format_html('{}<div class="cut" title="{}">{}</div>{}', opening, words, inner, closing)


def _needs_cutting(words: str) -> bool:
    return len(words) > LONGEST
