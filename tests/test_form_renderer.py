"""Fields written in Python are, to the letter, what the templates would make of them."""

import pytest
from django import forms
from django.forms.renderers import TemplatesSetting
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy

from shop.form_renderer import INPUTS, WritingFormRenderer

HOSTILE = '<b>"it\'s" & more</b>'
VALUES = [None, "", "plain", HOSTILE, mark_safe("<i>safe</i>"), 7, 0, gettext_lazy("Yes")]
ATTRIBUTES = [
    {},
    {"id": "id_x", "required": True, "disabled": False, "maxlength": 254, "data-of": HOSTILE},
    {HOSTILE: "x", "title": mark_safe("a &amp; b"), "aria-label": gettext_lazy("Yes"), "rows": 0},
]
WIDGETS = [*(f"django/forms/widgets/{name}.html" for name in INPUTS), "django/forms/widgets/textarea.html"]


@pytest.mark.parametrize("template", WIDGETS)
def test_a_widget_is_what_djangos_template_makes_of_it(template):
    for value in VALUES:
        for attributes in ATTRIBUTES:
            widget = {"name": HOSTILE, "type": "text", "value": value, "attrs": attributes}
            expected = TemplatesSetting().render(template, {"widget": widget})
            assert WritingFormRenderer().render(template, {"widget": widget}) == expected


@pytest.mark.parametrize("words", [[], ["Please say who."], [HOSTILE, mark_safe("<a>here</a>"), gettext_lazy("Yes")]])
@pytest.mark.parametrize("name", ["", "id_email", HOSTILE])
def test_a_list_of_errors_is_what_djangos_template_makes_of_it(words, name):
    errors = forms.utils.ErrorList(words, field_id=name or None, error_class="wrong")
    template = "django/forms/errors/list/default.html"
    assert WritingFormRenderer().render(template, errors.get_context()) == TemplatesSetting().render(
        template, errors.get_context()
    )


class Guests(forms.Form):
    name = forms.CharField(label=HOSTILE, help_text=mark_safe("As on the <em>door</em>"), max_length=9)
    note = forms.CharField(required=False, widget=forms.Textarea, help_text=HOSTILE)
    comes = forms.BooleanField(label="I come", required=False)
    meal = forms.ChoiceField(
        widget=forms.RadioSelect, choices=[("a", "Apple")], help_text="One of them", required=False
    )
    secret = forms.CharField(widget=forms.HiddenInput, required=False)


def test_a_field_ties_label_help_and_errors_together():
    form = Guests({"name": "far too long", "note": HOSTILE, "comes": "on"})
    escaped = "&lt;b&gt;&quot;it&#x27;s&quot; &amp; more&lt;/b&gt;"
    assert form["name"].as_field_group() == (
        f'<div class="field"><label for="id_name">{escaped}</label>'
        '<div class="help" id="id_name_helptext">As on the <em>door</em></div>'
        '<input type="text" name="name" value="far too long" maxlength="9" required aria-invalid="true"'
        ' aria-describedby="id_name_helptext id_name_error" id="id_name">'
        '<ul class="errorlist" id="id_name_error">'
        "<li>Ensure this value has at most 9 characters (it has 12).</li></ul></div>"
    )
    assert form["note"].as_field_group() == (
        '<div class="field"><label for="id_note">Note <span class="optional">(optional)</span></label>'
        f'<div class="help" id="id_note_helptext">{escaped}</div><textarea name="note" cols="40" rows="10"'
        f' aria-describedby="id_note_helptext" id="id_note">\n{escaped}</textarea></div>'
    )


def test_a_tick_stands_before_its_label_and_choices_in_a_group_with_a_legend():
    form = Guests({"comes": "on"})
    assert form["comes"].as_field_group() == (
        '<div class="field tick"><input type="checkbox" name="comes" id="id_comes" checked>'
        '<label for="id_comes">I come</label></div>'
    )
    group = form["meal"].as_field_group()
    assert group.startswith(
        '<div class="field"><fieldset aria-describedby="id_meal_helptext">'
        '<legend>Meal <span class="optional">(optional)</span></legend>'
        '<div class="help" id="id_meal_helptext">One of them</div>'
    )
    assert group.endswith("</fieldset></div>")
    assert '<input type="radio" name="meal" value="a"' in group
    assert form["secret"].as_field_group() == '<input type="hidden" name="secret" id="id_secret">'


def test_a_field_that_begins_with_an_answer_is_not_called_optional():
    class Pieces(forms.Form):
        none = forms.IntegerField(required=False, initial=0)
        words = forms.CharField(required=False, initial="")

    assert "optional" not in Pieces()["none"].as_field_group()
    assert "(optional)" in Pieces()["words"].as_field_group()
