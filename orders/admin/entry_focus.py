"""Where the keys go on in the form for an order, so that somebody who has the buyer on the phone needs no mouse.

Enter looks up what was typed. New goods lead to the next empty line, and Enter there to whoever buys; what is wrong
comes before both. Once nothing is missing the button that enters the order has the focus.
"""

from typing import Any

from orders.admin.entry_forms import EntryLineForm, OrderEntryForm


def place_focus(form: OrderEntryForm, rows: Any, *, settled: int, is_new: bool = False) -> None:
    """`settled`: how many lines say what they are; `is_new`: more or fewer than when the page was last sent."""
    for row in rows.forms:
        if row.errors:
            _focus_on_row(row)
            return
    if wrong := next((name for name in form.fields if name in form.errors), None):
        _focus_on(form, wrong)
    elif not form.is_bound and settled and not is_new:
        _focus_on(form, "email")
    elif not form.is_bound and (empty := next((row for row in rows.forms if not row["what"].value()), None)):
        _focus_on(empty, "what")


def _focus_on_row(row: EntryLineForm) -> None:
    wrong = next((name for name in row.errors if name in row.fields and name != "variant"), "what")
    row.asks_which = wrong == "what" and len(row.found) > 1
    if not row.asks_which:
        _focus_on(row, wrong)


def _focus_on(form: OrderEntryForm | EntryLineForm, name: str) -> None:
    form.fields[name].widget.attrs["autofocus"] = True
