"""A page as a still picture of itself, for a frame: links lead nowhere, buttons rest, and no script runs.

What a switch changes is left exactly as it is, set apart and outlined; there the frame's sandbox keeps links from
leading anywhere. Our own templates write attributes in double quotes, so plain patterns find them.
"""

import re
from collections.abc import Collection

from django.utils.html import format_html

PREVIEW_ID = "previewed"  # the id that the frame scrolls to

_MARKED_SECTION = re.compile(r'<section\b[^>]*\sdata-purpose="([^"]*)"[^>]*>(.*?)</section>', re.DOTALL)
_SCRIPT = re.compile(r"<script\b.*?</script>", re.DOTALL)
_LINK = re.compile(r'(<a\b[^>]*?)\shref="[^"]*"')
_CONTROL = re.compile(r"<(button|input|select|textarea)\b")
_FOCUS = re.compile(r'(<main\b[^>]*?)\stabindex="-1"')
_OWN_SECTION = "<h2 "
_INLINE = re.compile(r'\sstyle="([^"]*)"')


def find_marked_sections(html: str, purposes: Collection[str]) -> list[str]:
    """The parts of a page that these switches change, those with anything in them."""
    found = _MARKED_SECTION.finditer(html)
    return [each[0] for each in found if not set(each[1].split()).isdisjoint(purposes) and each[2].strip()]


def freeze_page(html: str, *, purposes: Collection[str], nothing: str) -> str:
    """`purposes`: the switches in question. `nothing`: what is said where they would show something but do not."""
    parts, end = [], 0
    for found in _MARKED_SECTION.finditer(html):
        if not set(found[1].split()).isdisjoint(purposes):
            parts += [_disable_html(html[end : found.start()]), _outline_section(found, nothing)]
            end = found.end()
    if not parts:
        main = re.search(r"<main\b[^>]*>", html)
        end = main.end() if main else 0
        parts = [_disable_html(html[:end]), _render_empty_section(nothing)]
    return _add_base_target("".join([*parts, _disable_html(html[end:])]))


def _outline_section(found: re.Match[str], nothing: str) -> str:
    return (
        f'<div class="previewed" id="{PREVIEW_ID}">{found[0]}</div>'
        if found[2].strip()
        else _render_empty_section(nothing)
    )


def _render_empty_section(nothing: str) -> str:
    return format_html('<div class="previewed" id="{}"><p>{}</p></div>', PREVIEW_ID, nothing)


def _disable_html(html: str) -> str:
    return _FOCUS.sub(r'\1 tabindex="0"', _CONTROL.sub(r"<\1 disabled", _LINK.sub(r"\1", _SCRIPT.sub("", html))))


def _add_base_target(html: str) -> str:
    """What is left of the links would open elsewhere, which the sandbox forbids."""
    return html.replace("<head>", '<head>\n<base target="_blank">', 1)


def has_own_section(html: str) -> bool:
    """Whether a mail has a part with a heading of its own, which a switch adds."""
    return _OWN_SECTION in html


def freeze_mail(html: str, *, nonce: str, above: str, is_part: bool) -> str:
    """A mail, its styles gathered into one sheet, since the shop's pages allow none on the elements themselves.

    `above` is put over it: a piece of HTML of our own. `is_part`: the switch adds that part, not the mail.
    """
    html = (
        html.replace(_OWN_SECTION, f'{_OWN_SECTION}id="{PREVIEW_ID}" ', 1)
        if is_part
        else html.replace("<body ", f'<body id="{PREVIEW_ID}" ', 1)
    )
    rules: dict[str, int] = {}
    whole = re.sub(
        r"(<body\b[^>]*)>", lambda found: f'{found[1]} tabindex="0">{above}', _LINK.sub(r"\1", html), count=1
    )
    body = _INLINE.sub(lambda found: f' data-s="{rules.setdefault(found[1], len(rules))}"', whole)
    sheet = "\n".join(f'[data-s="{place}"] {{ {_unescape_style(rule)} }}' for rule, place in rules.items())
    return body.replace("<style>", f'<style nonce="{nonce}">\n{sheet}', 1)


def _unescape_style(rule: str) -> str:
    return rule.replace("&#x27;", "'").replace("&quot;", '"').replace("&amp;", "&")
