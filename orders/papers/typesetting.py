"""A template of `templates/papers` and data become an accessible PDF (PDF/UA-1). The shop's only caller of typst."""

import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import typst
from anyascii import anyascii
from django.conf import settings
from django.http import HttpResponse

PAPERS = settings.BASE_DIR / "templates" / "papers"
FONTS = Path(__file__).parent / "fonts"
_WITHOUT_GLYPH = re.compile(r'the text `"(.*?)"` could not be displayed')
_ESCAPED = re.compile(r"\\u\{([0-9a-f]+)\}")


def render_pdf(template: str, data: dict[str, Any]) -> bytes:
    """`data` reaches the template as JSON, so that no text in it is ever read as markup.

    A character that no font here has is written in Latin letters. Raises `typst.TypstError` for a faulty template.
    """
    try:
        return _compile(template, data)
    except typst.TypstError as error:
        missing = _list_missing_letters(error)
        if not missing:
            raise
    try:
        return _compile(template, _rewrite(data, lambda text: _spell_out(text, missing)))
    except typst.TypstError:  # a cluster of several, say, of which the error names one
        return _compile(template, _rewrite(data, anyascii))


def build_pdf_response(pdf: bytes, filename: str, *, is_attachment: bool) -> HttpResponse:
    """With names and addresses in it, so nothing between here and whoever asked may keep it."""
    kind = "attachment" if is_attachment else "inline"
    headers = {
        "Content-Disposition": f'{kind}; filename="{filename}"',
        "Cache-Control": "private, no-store",
        "X-Robots-Tag": "noindex",
    }
    return HttpResponse(pdf, content_type="application/pdf", headers=headers)


def _compile(template: str, data: dict[str, Any]) -> bytes:
    return typst.compile(
        PAPERS / f"{template}.typ",
        root=PAPERS,
        font_paths=_find_fonts(),
        sys_inputs={"data": json.dumps(data)},
        pdf_standards=["ua-1"],
    )


@cache
def _find_fonts() -> typst.Fonts:
    """Ours and typst's own come first; those of the machine stand in for scripts that neither has."""
    return typst.Fonts(include_system_fonts=True, include_embedded_fonts=True, font_paths=[str(FONTS)])


def _list_missing_letters(error: typst.TypstError) -> frozenset[str]:
    named = "".join(_WITHOUT_GLYPH.findall(error.diagnostic))
    return frozenset(_ESCAPED.sub(lambda found: chr(int(found[1], 16)), named))


def _spell_out(text: str, missing: frozenset[str]) -> str:
    return "".join(anyascii(letter) if letter in missing else letter for letter in text)


def _rewrite(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: _rewrite(each, change) for key, each in value.items()}
    return [_rewrite(each, change) for each in value] if isinstance(value, list) else value
