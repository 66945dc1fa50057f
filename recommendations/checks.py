"""No half-made shelf: each stands on a page, has its words, and shows nothing personal without a switch."""

import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.urls import NoReverseMatch, reverse

from accounts.consent import purposes
from recommendations import picks
from recommendations.picks import PERSONAL_PAGES, SHELVES, Shelf


@register()
def check_shelves_are_whole(app_configs: Sequence[Any] | None, **kwargs: Any) -> Sequence[CheckMessage]:
    return [
        *(
            found
            for shelf in SHELVES.values()
            for found in (*_check_purposes(shelf), *_check_pages(shelf), *_check_words(shelf), *_check_link(shelf))
        ),
        *_check_shelf_listing(),
    ]


def _check_purposes(shelf: Shelf) -> Iterator[CheckMessage]:
    known = {*(purpose.key for purpose in purposes.PURPOSES), purposes.VISITOR_HISTORY.key}
    for key in shelf.purposes:
        if key not in known:
            yield _describe_fault(shelf, f"names the purpose {key!r}, which does not exist", "E001")
    if shelf.is_personal and not shelf.purposes:
        yield _describe_fault(shelf, "is personal and names no purpose", "E001")


def _check_pages(shelf: Shelf) -> Iterator[CheckMessage]:
    if not shelf.pages:
        yield _describe_fault(shelf, "stands on no page", "E002")
    if shelf.is_personal:
        for page in sorted(set(shelf.pages) - PERSONAL_PAGES):
            yield _describe_fault(shelf, f"is personal, and the page {page!s} shows no such shelf", "E002")
    if shelf.is_personal and shelf.pick is None:
        yield _describe_fault(shelf, "is personal and has no `pick`, so nothing comes to it", "E003")
    if not shelf.is_personal and shelf.pick is not None:
        yield _describe_fault(shelf, "is for everybody and has a `pick`, which nobody calls", "E003")


def _check_words(shelf: Shelf) -> Iterator[CheckMessage]:
    if not shelf.title:
        yield _describe_fault(shelf, "has no title", "E004")
    if not shelf.ways:
        yield _describe_fault(shelf, "does not say how things come to it", "E004")
    for other in SHELVES.values():
        if other is not shelf and shelf.title in other.titles:
            yield _describe_fault(shelf, f"has the title of {other.key!r}", "E004")
    for switch in shelf.stands_on:
        if not (switch.off and switch.on):
            yield _describe_fault(shelf, f"does not say what a preview of {switch.key!r} shows without it", "E004")


def _check_link(shelf: Shelf) -> Iterator[CheckMessage]:
    if shelf.purposes and not (shelf.link and shelf.link_text):
        yield _describe_fault(shelf, "stands on a switch and has no `link` to it, or no words for the link", "E005")
    try:
        reverse(shelf.link.partition("#")[0]) if shelf.link else ""
    except NoReverseMatch:
        yield _describe_fault(shelf, f"links to {shelf.link!r}, which is no URL's name", "E005")


def _check_shelf_listing() -> Iterator[CheckMessage]:
    for found in pkgutil.iter_modules(picks.__path__):
        for shelf in vars(importlib.import_module(f"{picks.__name__}.{found.name}")).values():
            if isinstance(shelf, Shelf) and SHELVES.get(shelf.key) is not shelf:
                yield _describe_fault(shelf, "is not listed in recommendations/picks/__init__.py", "E006")


def _describe_fault(shelf: Shelf, fault: str, number: str) -> Error:
    return Error(f"The shelf {shelf.key!r} {fault}.", id=f"recommendations.{number}")
