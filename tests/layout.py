"""A page without its layout: the line breaks and indentation of the templates, which a browser does not draw.

Tests ask what a page says, not how its source is laid out.
"""

import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from django.http import HttpResponse
from django.test import Client

_TAG = re.compile(r"""(<[/!a-zA-Z](?:[^>"']|"[^"]*"|'[^']*')*>)""")
_SPACE = r"[ \t\n\f\r]+"  # HTML's: a space that forbids a break is drawn
_VALUE_OR_SPACE = re.compile(rf"""("[^"]*"|'[^']*')|{_SPACE}""")
_BLOCK = re.compile(
    r"</?(address|article|aside|blockquote|body|button|caption|datalist|dd|details|div|dl|dt|fieldset|figcaption|figure"
    r"|footer|form|h[1-6]|head|header|hr|html|legend|li|link|main|meta|nav|ol|optgroup|option|p|section|select|summary"
    r"|table|tbody|td|tfoot|th|thead|title|tr|ul)\b|<!"
)
_VERBATIM = re.compile(r"<(pre|textarea|script|style)\b")


def drop_layout(html: str) -> str:
    pieces = _TAG.split(html)  # words, tag, words, ..., words
    for index in range(1, len(pieces), 2):
        pieces[index] = _drop_from_tag(pieces[index])
    tags = ["<!", *pieces[1::2], "<!"]  # a page begins and ends as a block does
    for index, (before, after) in enumerate(itertools.pairwise(tags)):
        if not _VERBATIM.match(before):
            pieces[2 * index] = _drop_from_words(pieces[2 * index], before, after)
    return "".join(pieces)


@contextmanager
def pages_without_layout() -> Iterator[None]:
    """While it is open, Django's test client hands over pages as `drop_layout` leaves them."""
    send = Client.request

    def request(self: Client, **environment: Any) -> Any:
        response = send(self, **environment)
        if _is_plain_page(response):
            response.content = drop_layout(response.content.decode(response.charset)).encode(response.charset)
        return response

    with mock.patch.object(Client, "request", request):
        yield


def _is_plain_page(response: HttpResponse) -> bool:
    is_page = response.get("Content-Type", "").startswith("text/html")
    return is_page and not response.streaming and "Content-Encoding" not in response


def _drop_from_tag(tag: str) -> str:
    return re.sub(r" >$", ">", _VALUE_OR_SPACE.sub(lambda found: found[1] or " ", tag))


def _drop_from_words(words: str, before: str, after: str) -> str:
    """White space becomes one space, and none where the tag beside it begins or ends a block."""
    words = re.sub(_SPACE, " ", words)
    if _BLOCK.match(before):
        words = words.lstrip(" ")
    return words.rstrip(" ") if _BLOCK.match(after) else words
