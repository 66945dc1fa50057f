"""A page of HTML as somebody without a screen meets it: links, fields and buttons by their names."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_UNSUBMITTED = {"submit", "button", "reset", "image", "file"}


def read_words(html: str) -> str:
    """What stands between the tags: their tokens and sealed addresses may spell any short word by chance."""
    return re.sub(r"<[^>]*>", " ", html)


@dataclass
class Field:
    """`options` are a select's: value to words."""

    name: str
    kind: str
    value: str = ""
    id: str = ""
    is_on: bool = True  # checkboxes and radios: ticked; everything else always
    is_disabled: bool = False
    labels: list[str] = field(default_factory=list)
    options: dict[str, str] = field(default_factory=dict)

    @property
    def is_tickable(self) -> bool:
        return self.kind in {"checkbox", "radio"}


@dataclass
class Button:
    text: str = ""
    name: str = ""
    value: str = ""
    is_disabled: bool = False


@dataclass
class Form:
    action: str
    method: str
    fields: list[Field] = field(default_factory=list)
    buttons: list[Button] = field(default_factory=list)

    def data(self, pressed: Button) -> list[tuple[str, str]]:
        """What a browser sends when this button is pressed."""
        pairs = [
            (each.name, each.value)
            for each in self.fields
            if each.name and each.is_on and not each.is_disabled and each.kind not in _UNSUBMITTED
        ]
        return [*pairs, (pressed.name, pressed.value)] if pressed.name else pairs


class Page(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self.links: list[tuple[str, str]] = []
        self._form: Form | None = None
        self._texts: list[tuple[str, list[str]]] = []  # elements whose words we are collecting, innermost last
        self._button: Button | None = None
        self._select: Field | None = None
        self._textarea: Field | None = None
        self._option_value: str | None = None
        self._href = ""
        self._label_for = ""
        self._labelled: Field | None = None
        self._labels_by_id: dict[str, list[str]] = {}
        self._hidden_depth = 0
        self.feed(html)
        self.close()
        for each in self.fields:
            each.labels += self._labels_by_id.get(each.id, [])

    @property
    def fields(self) -> list[Field]:
        return [each for form in self.forms for each in form.fields]

    def labelled(self, label: str) -> list[Field]:
        return [each for each in self.fields if label in each.labels]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if self._hidden_depth or given.get("aria-hidden") == "true":
            self._hidden_depth += tag not in _VOID
            return
        begin = getattr(self, f"_begin_{tag}", None)
        if begin:
            begin(given)

    def handle_endtag(self, tag: str) -> None:
        if self._hidden_depth:
            self._hidden_depth -= tag not in _VOID
            return
        end = getattr(self, f"_end_{tag}", None)
        if end:
            end()

    def handle_data(self, data: str) -> None:
        if self._hidden_depth:
            return
        if self._textarea is not None:
            self._textarea.value += data
        for _, words in self._texts:
            words.append(data)

    def _begin_form(self, given: dict[str, str]) -> None:
        self._form = Form(given.get("action", ""), given.get("method", "get").lower())
        self.forms.append(self._form)

    def _end_form(self) -> None:
        self._form = None

    def _begin_input(self, given: dict[str, str]) -> None:
        kind = given.get("type", "text").lower()
        if kind == "submit" and self._form is not None:
            self._form.buttons.append(Button(given.get("value", ""), given.get("name", ""), given.get("value", "")))
            return
        made = self._add_field(given, kind)
        made.value = given.get("value", "on" if made.is_tickable else "")
        made.is_on = "checked" in given if made.is_tickable else True

    def _begin_textarea(self, given: dict[str, str]) -> None:
        self._textarea = self._add_field(given, "textarea")

    def _end_textarea(self) -> None:
        if self._textarea is not None:
            self._textarea.value = self._textarea.value.removeprefix("\n")
        self._textarea = None

    def _begin_select(self, given: dict[str, str]) -> None:
        self._select = self._add_field(given, "select")

    def _end_select(self) -> None:
        if self._select and not self._select.value and self._select.options:
            self._select.value = next(iter(self._select.options))
        self._select = None

    def _begin_option(self, given: dict[str, str]) -> None:
        if self._select is None:
            return
        self._option_value = given.get("value", "")
        if "selected" in given:
            self._select.value = self._option_value
        self._collect("option")

    def _end_option(self) -> None:
        words = self._collected("option")
        if self._select is not None and self._option_value is not None:
            self._select.options[self._option_value] = words
        self._option_value = None

    def _add_field(self, given: dict[str, str], kind: str) -> Field:
        name, is_disabled = given.get("name", ""), "disabled" in given
        made = Field(name, kind, id=given.get("id", ""), is_disabled=is_disabled)
        if "aria-label" in given:
            made.labels.append(given["aria-label"])
        if self._form is not None:
            self._form.fields.append(made)
        if any(tag == "label" for tag, _ in self._texts):
            self._labelled = made
        return made

    def _begin_button(self, given: dict[str, str]) -> None:
        self._button = Button("", given.get("name", ""), given.get("value", ""), "disabled" in given)
        self._collect("button")

    def _end_button(self) -> None:
        words = self._collected("button")
        if self._button is not None and self._form is not None:
            self._button.text = words
            self._form.buttons.append(self._button)
        self._button = None

    def _begin_a(self, given: dict[str, str]) -> None:
        self._href = given.get("href", "")
        self._collect("a")

    def _end_a(self) -> None:
        words = self._collected("a")
        if self._href:
            self.links.append((words, self._href))
        self._href = ""

    def _begin_label(self, given: dict[str, str]) -> None:
        self._label_for, self._labelled = given.get("for", ""), None
        self._collect("label")

    def _end_label(self) -> None:
        words = self._collected("label").removesuffix(" (optional)").removesuffix(":")
        if self._label_for:
            self._labels_by_id.setdefault(self._label_for, []).append(words)
        elif self._labelled is not None:
            self._labelled.labels.append(words)

    def _collect(self, tag: str) -> None:
        self._texts.append((tag, []))

    def _collected(self, tag: str) -> str:
        for place in range(len(self._texts) - 1, -1, -1):
            if self._texts[place][0] == tag:
                return " ".join("".join(self._texts.pop(place)[1]).split())
        return ""
