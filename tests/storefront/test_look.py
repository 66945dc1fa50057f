"""The look keeps its own promises: contrast in both schemes, small files, nothing inline, nothing from elsewhere."""

import gzip
import re
from pathlib import Path

import pytest
from django import forms
from django.template.loader import render_to_string

ROOT = Path(__file__).resolve().parents[2]
SHEETS = ROOT / "static/css"
CSS = "".join(path.read_text() for path in sorted(SHEETS.glob("say-when/*.css")))
PAGES = [path for path in (ROOT / "templates").rglob("*.html") if "emails" not in path.parts]
TOKENS = {name: (light, dark) for name, light, dark in re.findall(r"--([\w-]+): light-dark\((#\w+), (#\w+)\)", CSS)}
TEXTS = ["ink", "muted", "leaf", "honey", "tomato", "tomato-deep"]
PLACES = ["paper", "card", "tint-1", "tint-2", "tint-3", "tint-4"]


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    channels = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("text", TEXTS)
def test_every_text_colour_reads_on_every_ground(text, place, scheme):
    assert _contrast(TOKENS[text][scheme], TOKENS[place][scheme]) >= 4.5


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_buttons_read_and_edges_can_be_found(scheme):
    assert _contrast(TOKENS["on-tomato"][scheme], TOKENS["tomato"][scheme]) >= 4.5
    assert _contrast(TOKENS["on-tomato"][scheme], TOKENS["tomato-deep"][scheme]) >= 4.5
    for place in PLACES[:2]:
        assert _contrast(TOKENS["edge"][scheme], TOKENS[place][scheme]) >= 3


@pytest.mark.parametrize("names", ["say-when/*.css", "preview.css", "print.css"])
def test_a_style_sheet_is_small_and_loads_nothing(names):
    css = "".join(path.read_text() for path in SHEETS.glob(names))
    assert len(gzip.compress(css.encode())) <= 12_000
    assert "@import" not in css
    assert "url(" not in css


def test_no_page_carries_inline_styles_scripts_or_handlers():
    for path in PAGES:
        page = path.read_text()
        assert not re.search(r"\sstyle=|<style|\son\w+=", page), path
        for script in re.findall(r"<script[^>]*>", page):
            assert "src=" in script or "application/" in script, (path, script)


def test_no_comma_stands_apart_from_its_word():
    """Where two template blocks touch, the formatter breaks the line: a space between them, seen if a comma follows."""
    for path in [*PAGES, *(ROOT / "templates/emails").rglob("*.html")]:
        assert not re.search(r"\s\{% (?:if|for|with)\b[^%]*%\}[,.;:]", path.read_text()), path


def test_a_field_names_itself_and_says_what_is_wrong_with_it():
    class Form(forms.Form):
        email = forms.EmailField(label="E-mail", help_text="For the receipt.")
        floor = forms.CharField(label="Flat, floor", required=False)

    page = Form({"email": "nonsense"})["email"].as_field_group()

    assert '<label for="id_email">E-mail</label>' in page
    assert 'aria-describedby="id_email_helptext id_email_error"' in page
    assert 'id="id_email_helptext"' in page
    assert 'id="id_email_error"' in page
    assert "(optional)" in Form()["floor"].as_field_group()


def test_a_switch_is_named_by_its_title_and_described_by_what_it_reads_and_gives():
    switch = {"key": "k", "title": "The letter", "reads": "Your address.", "gives": "A letter.", "url": "/k/"}

    page = render_to_string("partials/switch.html", {"switch": switch})

    assert '<label for="k">The letter</label>' in page
    assert 'aria-describedby="k-about"' in page
    assert re.search(r'id="k-about".*Your address\..*A letter\.', page, re.S)
    assert "checked" not in page
