"""What a buyer sends back and why: how many of each thing, what they would like, pictures of what is wrong."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms

from orders.line_forms import build_count_field, name_line
from orders.models import OrderLine, ReturnAuthorization
from orders.models.return_authorization import LONGEST_REASON
from orders.returns import pictures
from orders.returns.pictures import MOST_PICTURES
from orders.returns.refusal import ReturnRefused
from orders.returns.requesting import ReturnWish
from orders.returns.return_wording import WANTED_WORDS
from shop.catalog.models import Variant
from shop.catalog.pictures import UnusablePictureError
from shop.money import format_amount

Kind = ReturnAuthorization.Kind
Wanted = ReturnAuthorization.Wanted
Reason = ReturnAuthorization.Reason
REASONS = {
    Kind.RETURN: (Reason.TOO_SMALL, Reason.TOO_LARGE, Reason.NOT_AS_SHOWN, Reason.NOT_NEEDED, Reason.OTHER),
    Kind.FAULTY: (Reason.DAMAGED, Reason.WRONG, Reason.BROKE, Reason.OTHER),
}
NOTHING_CHOSEN = "Please say how many of what you mean: at least one thing."
WORDS_NEEDED = "Please say what is wrong, in a sentence or two."
REASON_NEEDED = "Please choose what comes closest."
NOTHING_LEFT = "nothing can be sent back now. What else you chose is still here: look at it, and send it again."
INSTEAD_HELP = (
    "Only for an exchange. If it costs less, you get the difference back. If it costs more, you pay for it through "
    "a link once what you send back is here, and get the money for that back."
)
INSTEAD_NEEDED = "Please choose what you would like instead."


class ReturnForm(forms.Form):
    """`left`: how many pieces of each line may go back. `offered`: what may be had instead, by line. `gone`: lines that
    an older page may still name.
    """

    def __init__(
        self,
        data: Any = None,
        files: Any = None,
        *,
        kind: ReturnAuthorization.Kind,
        left: Mapping[OrderLine, int],
        offered: Mapping[int, list[Variant]],
        gone: Iterable[OrderLine] = (),
        with_pictures: bool = True,
    ) -> None:
        super().__init__(data, files)
        self.kind, self.encoded, self.gone = kind, list[bytes](), list(gone)
        self.line_ids = {f"line-{line.pk}": line.pk for line in left}
        self.instead_ids = {f"instead-{line.pk}": line.pk for line in left if offered.get(line.pk)}
        for line, count in left.items():
            self.fields[f"line-{line.pk}"] = _build_count_field(line, count, is_only=len(left) == 1)
            if f"instead-{line.pk}" in self.instead_ids:
                self.fields[f"instead-{line.pk}"] = _build_instead_field(line, offered[line.pk])
        self.fields["wanted"] = _build_wanted_field(kind, may_exchange=bool(self.instead_ids))
        self.fields["reason"] = forms.ChoiceField(
            label="Why?" if kind == Kind.RETURN else "What happened?",
            choices=[("", "Please choose"), *((each.value, each.label) for each in REASONS[kind])],
            error_messages={"required": REASON_NEEDED},
        )
        self.fields["words"] = forms.CharField(
            label="In your words" if kind == Kind.FAULTY else "Anything we should know?",
            required=kind == Kind.FAULTY,
            max_length=LONGEST_REASON,
            error_messages={"required": WORDS_NEEDED},
            widget=forms.Textarea(attrs={"rows": 3}),
        )
        for number in range(1, MOST_PICTURES + 1 if with_pictures else 1):
            self.fields[f"picture_{number}"] = _build_picture_field(number)

    @property
    def line_fields(self) -> list[tuple[forms.BoundField, forms.BoundField | None]]:
        """How many of each line, and what instead where it may be exchanged."""
        return [
            (self[f"line-{pk}"], self[f"instead-{pk}"] if f"instead-{pk}" in self.instead_ids else None)
            for pk in self.line_ids.values()
        ]

    @property
    def picture_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith("picture_")]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        for number in range(1, MOST_PICTURES + 1):
            self._encode_picture(f"picture_{number}", cleaned)
        for line in self.gone:
            if self.data.get(f"line-{line.pk}", "0") not in ("", "0"):
                self.add_error(None, f"Of “{name_line(line)}” {NOTHING_LEFT}")
        if not self.errors and not self.pieces:
            raise forms.ValidationError(NOTHING_CHOSEN)
        if cleaned.get("wanted") == Wanted.EXCHANGE:
            self._check_instead(cleaned)
        return cleaned

    def take_refusal(self, refusal: ReturnRefused) -> None:
        """Says it beside the lines that it is about; what was typed stays."""
        for line_id, words in refusal.by_line.items():
            self.add_error(f"line-{line_id}" if f"line-{line_id}" in self.fields else None, words)
        if not refusal.by_line:
            self.add_error(None, str(refusal))

    def _encode_picture(self, name: str, cleaned: Mapping[str, Any]) -> None:
        if not cleaned.get(name):
            return
        try:
            self.encoded.append(pictures.encode_upload(cleaned[name]))
        except UnusablePictureError as problem:
            self.add_error(name, str(problem))

    def _check_instead(self, cleaned: Mapping[str, Any]) -> None:
        for pk in self.pieces:
            name = f"instead-{pk}"
            if name not in self.instead_ids:
                self.add_error(f"line-{pk}", "Of this no other size or colour is in stock. Ask for your money instead.")
            elif not cleaned.get(name):
                self.add_error(name, INSTEAD_NEEDED)

    @property
    def pieces(self) -> dict[int, int]:
        """Pieces by order line, without those of which none was chosen."""
        counts = {pk: self.cleaned_data.get(name) or 0 for name, pk in self.line_ids.items()}
        return {pk: count for pk, count in counts.items() if count}

    def build_wish(self) -> ReturnWish:
        said = self.cleaned_data
        return ReturnWish(
            kind=self.kind,
            wanted=Wanted(said["wanted"]),
            reason=Reason(said["reason"]),
            pieces=self.pieces,
            variants={pk: int(said[name]) for name, pk in self.instead_ids.items() if said.get(name)},
            words=" ".join(said["words"].split()),
        )


def _build_wanted_field(kind: ReturnAuthorization.Kind, *, may_exchange: bool) -> forms.ChoiceField:
    ways = [Wanted.REPAIR, Wanted.REPLACEMENT] if kind == Kind.FAULTY else [Wanted.REFUND]
    if may_exchange:
        ways.append(Wanted.EXCHANGE)
    return forms.ChoiceField(
        label="What would you like?",
        choices=[(way.value, WANTED_WORDS[way]) for way in ways],
        initial=ways[0].value,
        error_messages={"required": "Please say what you would like."},
    )


def _build_count_field(line: OrderLine, count: int, *, is_only: bool) -> forms.IntegerField:
    return build_count_field(
        line,
        count,
        initial=count if is_only else 0,
        too_many=f"Of “{name_line(line)}” you can send back {count:,} at most: you have no more of it.",
        help_text="" if count == 1 else f"{count:,} at most.",
    )


def _build_instead_field(line: OrderLine, variants: list[Variant]) -> forms.ChoiceField:
    choices = [(str(each.pk), f"{each.label or each.sku}, {_describe_price(each, line)}") for each in variants]
    label = f"Instead of {line.options or line.title}"
    return forms.ChoiceField(
        label=label,
        choices=[("", "–"), *choices],
        required=False,
        help_text=INSTEAD_HELP,
        error_messages={"invalid_choice": "That is gone meanwhile. Please choose again."},
    )


def _describe_price(variant: Variant, line: OrderLine) -> str:
    """What it costs, and how much more that is than what it would replace."""
    price, more = format_amount(variant.price, variant.currency), variant.price - line.unit_price
    return f"{price} ({format_amount(more, variant.currency)} more)" if more > 0 else price


def _build_picture_field(number: int) -> forms.FileField:
    return forms.FileField(
        label="Picture" if number == 1 else f"Picture {number}",
        required=False,
        widget=forms.FileInput(attrs={"accept": "image/*"}),
    )
