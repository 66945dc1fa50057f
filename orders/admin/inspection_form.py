from collections.abc import Sequence
from typing import Any

from django import forms

from orders.returns.restocking import CameBack


class InspectionForm(forms.Form):
    """Of each thing that came back, how many are good for the shelf. The rest is written off."""

    def __init__(self, data: Any = None, *, lines: Sequence[CameBack]) -> None:
        super().__init__(data)
        self.line_ids = {f"line-{line.pk}": line.pk for line in lines}
        for line in lines:
            title = f"{line.order_line.title} {line.order_line.options}".strip()
            self.fields[f"line-{line.pk}"] = forms.IntegerField(
                label=title,
                min_value=0,
                max_value=line.quantity,
                initial=line.quantity,
                help_text=f"Good for the shelf, of {line.quantity:,}. The rest is written off.",
            )

    @property
    def good(self) -> dict[int, int]:
        """By the key of the line."""
        return {pk: self.cleaned_data[name] for name, pk in self.line_ids.items()}
