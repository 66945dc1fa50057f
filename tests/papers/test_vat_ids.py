"""The seller's VAT number, by its form, as staff type it into the settings."""

import pytest
from django.urls import reverse

from orders.models import ShopSettings
from orders.vat_ids import describe_vat_form, normalize_vat_id
from tests import cast

SETTINGS = reverse("admin:orders_shopsettings_change", args=[1])


@pytest.mark.parametrize(
    ("typed", "country", "kept"),
    [
        ("gb 980 7806 84", "GB", "GB980780684"),  # pragma: allowlist secret
        ("980 7806 84", "GB", "980780684"),
        ("DE 136,695 976", "GB", "DE136695976"),  # pragma: allowlist secret
        ("EL 094259216", "GB", "EL094259216"),  # pragma: allowlist secret
        ("ATU13585627", "AT", "ATU13585627"),
        ("12/345", "TV", "12345"),
        ("BE 0428.759.497", "BE", "BE0428759497"),  # pragma: allowlist secret
        ("DE 136,695 976", "FR", "DE136695976"),  # pragma: allowlist secret
        ("CHE-107.787.577 IVA", "CH", "CHE107787577IVA"),  # pragma: allowlist secret
        ("NL4495445B01", "NL", "NL4495445B01"),  # pragma: allowlist secret
        ("IE 6433435F", "IE", "IE6433435F"),  # pragma: allowlist secret
    ],
)
def test_a_number_of_a_countrys_form_is_kept_without_spaces(typed, country, kept):
    assert normalize_vat_id(typed, country) == kept


WRONG = ["GB980780685", "DE136695978", "ATU1358562", "980780685"]  # pragma: allowlist secret
WRONG += ["GB", "ZZ123", "--", "US ßß1", "XI1"]


@pytest.mark.parametrize("typed", WRONG)
def test_a_number_its_country_cannot_have_given_is_refused(typed):
    with pytest.raises(ValueError, match="not a VAT number"):
        normalize_vat_id(typed, "GB")


@pytest.mark.parametrize("country", ["TV", "XX", "", "<b>"])
def test_what_nobody_knows_the_form_of_gets_no_sentence_and_letters_of_no_alphabet_are_refused(country):
    assert describe_vat_form(country) == ""
    with pytest.raises(ValueError, match="not a VAT number"):
        normalize_vat_id("АБ123", country)


@pytest.mark.django_db
@pytest.mark.parametrize(("typed", "kept"), [("gb 980 7806 84", "GB980780684"), ("GB980780685", "")])
def test_staff_are_told_of_a_mistyped_one_and_nothing_is_saved(client, typed, kept):
    client.force_login(cast.sam())
    ShopSettings(pk=1).save()
    form = client.get(SETTINGS).context["adminform"].form
    shown = {name: form[name].value() for name in form.fields}
    values = {name: value for name, value in shown.items() if value is not None and value is not False}
    page = client.post(SETTINGS, {**values, "vat_id": typed})
    assert not page.context or list(page.context["adminform"].form.errors) == ["vat_id"]
    assert ("not a VAT number" in page.text) is (not kept)
    assert ShopSettings.objects.get().vat_id == kept
