"""What htmx makes of a page and an answer, by the page's own attributes: parts are named by their ids."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Piece:
    """An element of a page, with what stands before and after it."""

    before: str
    element: str
    after: str


def cut_out(html: str, name: str) -> Piece:
    """The element of that id. Raises AssertionError where there is none."""
    opening = re.search(rf'<(\w+)[^>]*\sid="{name}"[^>]*>', html)
    assert opening, f"nothing is called {name}"
    depth, end = 0, 0
    for tag in re.finditer(rf"<(/?){opening[1]}\b[^>]*>", html[opening.start() :]):
        depth += -1 if tag[1] else 1
        if depth == 0:
            end = opening.start() + tag.end()
            break
    return Piece(html[: opening.start()], html[opening.start() : end], html[end:])


def swap(page: str, answer: str, *, root: str) -> str:
    """The page once an answer came to a form inside `root`, which names what is taken from it and where it goes."""
    tag = cut_out(page, root).element.partition(">")[0]
    attributes = dict(re.findall(r'(hx-[\w-]+)="([^"]*)"', tag))
    assert attributes["hx-target"] == attributes["hx-select"] == f"#{root}"
    assert attributes["hx-swap"] == "outerHTML"
    beside = attributes.get("hx-select-oob", "").split(",")
    for name in (root, *(each.strip(" #") for each in beside if each)):
        old = cut_out(page, name)
        page = old.before + cut_out(answer, name).element + old.after
    return page
