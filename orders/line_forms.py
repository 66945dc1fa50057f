"""Forms that ask of how many pieces of each line: what is cancelled, refunded, sent back, withdrawn from."""

from collections.abc import Mapping
from typing import Any

from django import forms

from orders.models import OrderLine

NOTHING_CHOSEN = "Please choose at least one thing."


class PieceCountForm(forms.Form):
    """`left`: how many of each line there are to choose from; each starts at none."""

    must_choose = True

    def __init__(
        self, data: Any = None, *, left: Mapping[OrderLine, int], initial: dict[str, Any], prefix: str | None = None
    ) -> None:
        super().__init__(data, initial=initial, prefix=prefix)
        self.line_ids = {f"line-{line.pk}": line.pk for line in left}
        for line, count in left.items():
            self.fields[f"line-{line.pk}"] = build_count_field(
                line,
                count,
                label=f"{name_line(line)}: how many of {count}",
                required=False,
                initial=0,
                too_many=f"Of “{name_line(line)}” there are {count:,}.",
            )
        self.order_fields(list(self.line_ids))

    @property
    def line_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.line_ids]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if self.must_choose and not self.errors and not self.quantities:
            raise forms.ValidationError(NOTHING_CHOSEN)
        return cleaned

    @property
    def quantities_by_name(self) -> dict[str, int]:
        return {name: self.cleaned_data.get(name) or 0 for name in self.line_ids}

    @property
    def quantities(self) -> dict[int, int]:
        """Pieces by order line, without those of which none was chosen."""
        return {self.line_ids[name]: count for name, count in self.quantities_by_name.items() if count}


def build_count_field(line: OrderLine, count: int, *, too_many: str, **options: Any) -> forms.IntegerField:
    """From none to `count` pieces of a line. `too_many`: what is said of more."""
    return forms.IntegerField(
        **{"label": name_line(line), **options},
        min_value=0,
        max_value=count,
        error_messages={
            "required": "How many, please; 0 for none of it.",
            "max_value": too_many,
            "min_value": "A number from 0 up, please.",
            "invalid": "A number, please.",
        },
        widget=forms.NumberInput(attrs={"class": "short", "inputmode": "numeric"}),
    )


def name_line(line: OrderLine) -> str:
    return f"{line.title} ({line.options})" if line.options else line.title
