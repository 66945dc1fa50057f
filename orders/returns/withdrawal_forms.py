"""What a buyer declares: from their order, with everything filled in; or by its number and their e-mail address."""

from collections.abc import Mapping
from typing import Any

from django import forms

from accounts.people.email_addresses import EmailAddressInput
from orders.line_forms import build_count_field, name_line
from orders.models import Order, OrderLine
from orders.models.withdrawal import LONGEST_WORDS

NAME_NEEDED = "Please give your name."
EMAIL_NEEDED = "Please give an e-mail address."
NUMBER_NEEDED = "Please give the number of your order. It is in the receipt, and begins with SW."
NOTHING_CHOSEN = "Please say what you withdraw from: at least one thing."


class NameField(forms.CharField):
    def __init__(self) -> None:
        super().__init__(
            label="Your name",
            max_length=80,
            error_messages={"required": NAME_NEEDED},
            widget=forms.TextInput(attrs={"autocomplete": "name"}),
        )


class OrderWithdrawalForm(forms.Form):
    """For somebody who may see the order. How many of each thing starts at all that is left."""

    full_name = NameField()
    email = EmailAddressInput(
        label="E-mail for the acknowledgement", error_messages={"required": EMAIL_NEEDED}, max_length=254
    )

    def __init__(self, data: Any = None, *, order: Order, left: Mapping[OrderLine, int]) -> None:
        super().__init__(data, initial={"full_name": order.full_name, "email": order.email})
        self.line_ids = {f"line-{line.pk}": line.pk for line in left}
        for line, count in left.items():
            self.fields[f"line-{line.pk}"] = _build_count_field(line, count)

    @property
    def line_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.line_ids]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors and not self.quantities:
            raise forms.ValidationError(NOTHING_CHOSEN)
        return cleaned

    @property
    def quantities(self) -> dict[int, int]:
        """Pieces by order line, without those of which none was chosen."""
        counts = {pk: self.cleaned_data.get(name) or 0 for name, pk in self.line_ids.items()}
        return {pk: count for pk, count in counts.items() if count}


class StatementForm(forms.Form):
    """For everybody. Nothing that it answers tells whether there is such an order."""

    full_name = NameField()
    number = forms.CharField(
        label="Order number",
        max_length=60,
        help_text="It is in your receipt, such as SW-7Q4K-2MXP-9T.",
        error_messages={"required": NUMBER_NEEDED},
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )
    email = EmailAddressInput(
        label="E-mail you ordered with",
        help_text="The acknowledgement goes there.",
        error_messages={"required": EMAIL_NEEDED},
        max_length=254,
    )
    words = forms.CharField(
        label="Only some of it? Say what",
        required=False,
        max_length=LONGEST_WORDS,
        help_text="Leave this empty to withdraw from the whole order.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def clean_words(self) -> str:
        return " ".join(self.cleaned_data["words"].split())


def _build_count_field(line: OrderLine, count: int) -> forms.IntegerField:
    too_many = f"Of “{name_line(line)}” there are {count:,} to withdraw from."
    return build_count_field(line, count, initial=count, too_many=too_many)
