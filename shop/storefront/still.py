"""A page as a still picture of itself, for a frame: links lead nowhere, buttons rest, and no script runs.

What a switch changes is left exactly as it is, set apart and outlined; there the frame's sandbox keeps links from
leading anywhere. Our own templates write attributes in double quotes, so plain patterns find them.
"""

import re
from collections.abc import Collection

from django.utils.html import format_html

MARK = "previewed"  # the id that the frame scrolls to

_MARKED = re.compile(r'<section\b[^>]*\sdata-purpose="([^"]*)"[^>]*>(.*?)</section>', re.DOTALL)
_SCRIPT = re.compile(r"<script\b.*?</script>", re.DOTALL)
_LINK = re.compile(r'(<a\b[^>]*?)\shref="[^"]*"')
_CONTROL = re.compile(r"<(button|input|select|textarea)\b")
_FOCUS = re.compile(r'(<main\b[^>]*?)\stabindex="-1"')
_PART = "<h2 "
_INLINE = re.compile(r'\sstyle="([^"]*)"')


def marked(html: str, purposes: Collection[str]) -> list[str]:
    """The parts of a page that these switches change, those with anything in them."""
    found = _MARKED.finditer(html)
    return [each[0] for each in found if not set(each[1].split()).isdisjoint(purposes) and each[2].strip()]


def page(html: str, *, purposes: Collection[str], nothing: str) -> str:
    """`purposes`: the switches in question. `nothing`: what is said where they would show something but do not."""
    parts, end = [], 0
    for found in _MARKED.finditer(html):
        if not set(found[1].split()).isdisjoint(purposes):
            parts += [_stilled(html[end : found.start()]), _set_apart(found, nothing)]
            end = found.end()
    if not parts:
        main = re.search(r"<main\b[^>]*>", html)
        end = main.end() if main else 0
        parts = [_stilled(html[:end]), _empty(nothing)]
    return _headed("".join([*parts, _stilled(html[end:])]))


def _set_apart(found: re.Match[str], nothing: str) -> str:
    return f'<div class="previewed" id="{MARK}">{found[0]}</div>' if found[2].strip() else _empty(nothing)


def _empty(nothing: str) -> str:
    return format_html('<div class="previewed" id="{}"><p>{}</p></div>', MARK, nothing)


def _stilled(html: str) -> str:
    return _FOCUS.sub(r'\1 tabindex="0"', _CONTROL.sub(r"<\1 disabled", _LINK.sub(r"\1", _SCRIPT.sub("", html))))


def _headed(html: str) -> str:
    """What is left of the links would open elsewhere, which the sandbox forbids."""
    return html.replace("<head>", '<head>\n<base target="_blank">', 1)


def has_part(html: str) -> bool:
    """Whether a mail has a part with a heading of its own, which a switch adds."""
    return _PART in html


def mail(html: str, *, nonce: str, above: str, is_part: bool) -> str:
    """A mail, its styles gathered into one sheet, since the shop's pages allow none on the elements themselves.

    `above` is put over it: a piece of HTML of our own. `is_part`: the switch adds that part, not the mail.
    """
    html = (
        html.replace(_PART, f'{_PART}id="{MARK}" ', 1) if is_part else html.replace("<body ", f'<body id="{MARK}" ', 1)
    )
    rules: dict[str, int] = {}
    whole = re.sub(
        r"(<body\b[^>]*)>", lambda found: f'{found[1]} tabindex="0">{above}', _LINK.sub(r"\1", html), count=1
    )
    body = _INLINE.sub(lambda found: f' data-s="{rules.setdefault(found[1], len(rules))}"', whole)
    sheet = "\n".join(f'[data-s="{place}"] {{ {_unescaped(rule)} }}' for rule, place in rules.items())
    return body.replace("<style>", f'<style nonce="{nonce}">\n{sheet}', 1)


def _unescaped(rule: str) -> str:
    return rule.replace("&#x27;", "'").replace("&quot;", '"').replace("&amp;", "&")
