"""The steps of a parcel as docs/order-lifecycle.md has them: said by hand there, and held against the shop here."""

import re
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "order-lifecycle.md"
_QUOTED = re.compile(r"`(\w+)`")


@dataclass(frozen=True)
class DocumentedStep:
    """A row of “What may follow what”. `mail`: the topic that may tell of it."""

    verb: str
    button: str
    follows: frozenset[str]
    leads_to: str
    event: str
    mail: str


def read_documented_steps() -> list[DocumentedStep]:
    """Those that bring a parcel to a stage, which stands first in what they lead to; in the page's order."""
    rows = [
        line.strip("| ").split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| `transitions.")
    ]
    return [_read_step(*cells) for cells in rows if cells[3].startswith("`")]


def _read_step(verb: str, button: str, follows: str, leads_to: str, event: str, mail: str, who: str) -> DocumentedStep:
    return DocumentedStep(
        verb=verb.strip("`").removeprefix("transitions."),
        button=button,
        follows=frozenset(_find_quoted(follows)),
        leads_to=_find_quoted(leads_to)[0],
        event=_find_quoted(event)[0],
        mail=next(iter(_find_quoted(mail)), ""),
    )


def _find_quoted(cell: str) -> list[str]:
    return _QUOTED.findall(cell)
