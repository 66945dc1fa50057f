"""What is lawful is no break of the ledger: `verify_consents` stays quiet, or says what it misses."""

import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from accounts.consent import consent, requests
from accounts.models import Consent, Customer, Erasure
from accounts.privacy import journal
from tests import builders
from tests.accounts.forging import NEWSLETTER, OFFER, alice, empty, found, lawfully_erased, mark, path, said, sql

__all__ = ["alice", "mark", "path"]

pytestmark = pytest.mark.django_db


def test_an_erasure_an_import_and_new_answers_are_no_break(alice, mark):
    call_command("checkpoint_consents", str(mark))
    bob = builders.customer()
    consent.import_consents([(bob.pk, NEWSLETTER, True, timezone.now() - timedelta(days=700))], source="import")
    said(bob, False, True)
    consent.set_master(bob, on=False, source="preferences")
    lawfully_erased(alice)
    assert found(checkpoint=mark) == ""


def test_an_erasure_under_way_is_no_break(alice, mark):
    call_command("checkpoint_consents", str(mark))
    Erasure.objects.create(
        customer=alice, customer_number=alice.pk, chain=alice.chain, due_at=timezone.now(), state="erasing"
    )
    journal.record_erasure(alice.chain)
    assert found(checkpoint=mark) == ""
    empty(alice)
    assert found(checkpoint=mark) == ""


def test_an_erasure_somebody_wrote_into_the_journal_counts_for_nothing(alice, path):
    empty(alice)
    sql("DELETE FROM accounts_customer WHERE id = %s", alice.pk)
    facts = {"at": timezone.now().isoformat(), "what": "erased", "chain": str(alice.chain)}
    other = journal._make_sealed_line(what="erased", chain=str(alice.pk).rjust(8, "0") + str(alice.chain)[8:])
    for seal in ({}, {"seal": ""}, {"seal": "no"}, {"seal": json.loads(other)["seal"]}):
        path.write_text(json.dumps({**facts, **seal}) + "\n")
        assert "has no erasure of it" in found()
    journal.record_erasure(alice.chain)
    assert found() == ""


def test_somebody_who_was_erased_and_is_back_is_named(alice):
    journal.record_erasure(alice.chain)
    assert "was erased, and its answers are here" in found()
    empty(alice)
    assert "was erased, and its customer is here" in found()


def test_the_journal_may_be_elsewhere(alice, path, tmp_path):
    lawfully_erased(alice)
    path.rename(tmp_path / "elsewhere")
    assert "has no erasure of it" in found()
    assert found(journal=tmp_path / "elsewhere") == ""


def test_a_shop_with_another_key_says_so_and_the_old_key_still_counts(alice, mark, settings):
    call_command("checkpoint_consents", str(mark))
    was, settings.LEDGER_KEY = settings.LEDGER_KEY, "another"
    assert "LEDGER_KEY" in found()
    assert "LEDGER_KEY" in found(checkpoint=mark)
    settings.SECRET_KEY_FALLBACKS = [was]
    said(alice, True)
    assert found(checkpoint=mark) == ""
    assert Consent.objects.get(customer=alice).granted


@pytest.mark.parametrize("column", ["email", "purpose"])
def test_a_request_rewritten_to_somebody_elses_address_is_not_confirmed_by_its_old_link(client, column):
    bob = builders.customer("bob@example.com")
    asked = requests.request_consent("eve@example.com", OFFER, source="checkout")
    link = reverse("confirm_consent", args=[requests.make_confirmation_token(asked)])
    values = {"email": bob.email, "purpose": NEWSLETTER}
    sql(f"UPDATE accounts_consentrequest SET {column} = %s", values[column])  # noqa: S608
    assert client.post(link).status_code == 404
    assert not Consent.objects.exists()
    assert not Customer.objects.exclude(pk=bob.pk).exists()


def test_a_request_made_out_to_be_confirmed_allows_nothing(alice):
    requests.request_consent(alice.email, OFFER, source="checkout")
    sql("UPDATE accounts_consentrequest SET confirmed_at = now()")
    assert not consent.allows(alice, OFFER)
    assert found() == ""
