"""The privacy page cannot forget a table, and its periods are kept."""

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db import models
from django.utils import timezone

from accounts.consent import consent
from accounts.models import (
    AccessLogEntry,
    Ask,
    ConsentRequest,
    Customer,
    DataComplaint,
    DataExport,
    Erasure,
    FreshLink,
    Interest,
    User,
)
from notifications.models import OutgoingEmail
from orders.models import (
    CarrierMessage,
    Cart,
    Invoice,
    Order,
    Payment,
    Refund,
    ReturnAuthorization,
    ReturnLabel,
    ReturnPicture,
    StripeEvent,
    Withdrawal,
    WithdrawalStatement,
)
from recommendations.models import Effect
from shop import personal_data
from tests import builders, cast
from tests.privacy import people, rows

pytestmark = pytest.mark.django_db

PEOPLE = (User, Customer, Order)
TELLING = re.compile(r"^(e?mail|.*_email|email_.*|to_address|address|full_name|first_name|last_name|phone|line[12])$")
# Related to a person, and yet not in any holding: why.
NOT_ABOUT_ANYBODY = {
    "accounts.ConsentRecord": "the chain of seals: no field of it says anything about anybody",
    "catalog.Store": "the address of a shop of ours",
    "catalog.OpeningHours": "when a shop of ours is open",
    "catalog.SpecialHours": "when a shop of ours is open on one date",
    "orders.ShopSettings": "our own address",
    "admin.LogEntry": "in a holding of its own, by what it is about, not by who did it",
}
PERIOD = re.compile(r"\b(day|days|week|weeks|month|months|year|years)\b")


def held() -> set[str]:
    return {label for holding in personal_data.get_holdings() for label in holding.models}


def leads_to_a_person(model: type[models.Model]) -> bool:
    """Whether some chain of foreign keys ends at a person, or a field by its name holds what a person is known by."""
    seen, waiting = set(), [model]
    while waiting:
        found = waiting.pop()
        if found in PEOPLE:
            return True
        for field in found._meta.get_fields():
            if isinstance(field, models.ForeignKey) and field.related_model not in seen:
                seen.add(field.related_model)
                waiting.append(field.related_model)
    return any(TELLING.match(field.name) for field in model._meta.concrete_fields)


def personal_models() -> set[str]:
    return {model._meta.label for model in apps.get_models() if leads_to_a_person(model)}


def test_every_model_about_a_person_is_in_a_holding():
    assert {
        "orders.Refund",
        "orders.ShipmentLine",
        "notifications.OutgoingItem",
        "mfa.Authenticator",
    } <= personal_models()
    assert personal_models() - held() - NOT_ABOUT_ANYBODY.keys() == set()
    assert held() - {model._meta.label for model in apps.get_models()} == set()  # and none is named that is gone


def test_a_model_left_out_would_be_found(monkeypatch):
    left_out = {"mail", "orders", "suppression", "requests"}
    rest = {key: holding for key, holding in personal_data._holdings.items() if key not in left_out}
    monkeypatch.setattr(personal_data, "_holdings", rest)
    missing = personal_models() - held()
    assert {"notifications.OutgoingEmail", "orders.OrderTick", "notifications.Suppression"} <= missing
    assert "accounts.ConsentRequest" in missing


def test_what_is_not_in_a_holding_is_excused_once():
    assert NOT_ABOUT_ANYBODY.keys() <= {model._meta.label for model in apps.get_models()}


def test_the_privacy_page_names_every_holding_processor_and_period(client):
    page = client.get("/privacy/").content.decode().replace("&#x27;", "'")
    for holding in personal_data.get_holdings():
        assert holding.title in page
        assert holding.retention in page
        assert holding.kept in page
    assert {"Stripe", "The mail server we send through"} <= {each.name for each in personal_data.get_processors()}
    for processor in personal_data.get_processors():
        assert processor.name in page
        assert processor.gets in page


def test_every_sentence_with_a_period_has_a_job_that_keeps_it():
    promised = {holding.key for holding in personal_data.get_holdings() if PERIOD.search(holding.retention)}
    assert promised - {holding.key for holding in personal_data.get_holdings() if holding.retire} == set()


# -- For each job: one row past its time and one that is not ---------------------------------------------------


def of_mail(at, customer):
    made = OutgoingEmail.objects.create(
        key=f"k{at}", topic="receipt", kind="essential", to_address="a@example.com", state="sent"
    )
    OutgoingEmail.objects.filter(pk=made.pk).update(created_at=at)
    return made


def of_orders(at, customer):
    made = people.delivered_order(customer)
    Order.objects.filter(pk=made.pk).update(created_at=at)
    return made


def of_payments(at, customer):
    return Refund.objects.get(payment__order=of_orders(at, customer))


def of_invoices(at, customer):
    amounts = {"tax": 0, "total": 1, "currency": "GBP"}
    snapshots = {"seller": {}, "buyer": {}, "lines": [], "taxes": []}
    order = of_orders(at, customer)
    return Invoice.objects.create(
        kind="invoice", number=f"INV-{at:%j%f}", order=order, issued_at=at, **amounts, **snapshots
    )


def of_carts(at, customer):
    made = builders.cart(builders.variant())
    Cart.objects.filter(pk=made.pk).update(updated_at=at)
    return made


def of_withdrawals(at, customer):
    return Withdrawal.objects.get(order=of_orders(at, customer))


def of_withdrawal_statements(at, customer):
    return WithdrawalStatement.objects.create(
        number="SW-MISTYPED", email=customer.email, full_name="A", declared_at=at, digest=f"{at}"
    )


def of_returns(at, customer):
    return ReturnAuthorization.objects.get(order=of_orders(at, customer))


def of_return_pictures(at, customer):
    order = builders.paid_order(customer=customer)
    made = people.sent_back(order)
    picture = made.pictures.get()
    ReturnPicture.objects.filter(pk=picture.pk).update(created_at=at)
    return picture


def of_return_labels(at, customer):
    label = people.sent_back(builders.paid_order(customer=customer)).label
    ReturnLabel.objects.filter(pk=label.pk).update(requested_at=at)
    return label


def of_complaints(at, customer):
    return DataComplaint.objects.create(
        full_name="A", email=customer.email, words="x", received_at=at, due_on=at.date(), digest=f"{at}"
    )


def of_stripe_events(at, customer):
    return StripeEvent.objects.create(event_id=f"evt_{at}", kind="k", created_at=at, processed_at=at)


def of_carrier_messages(at, customer):
    made = CarrierMessage.objects.create(sender="generic", reference=f"{at:%j%f}", number="1", scans=[])
    CarrierMessage.objects.filter(pk=made.pk).update(received_at=at)
    return made


def of_requests(at, customer):
    made = ConsentRequest.objects.create(email=f"{at:%j%H%M}@example.com", purpose="newsletter", wording_version=1)
    ConsentRequest.objects.filter(pk=made.pk).update(created_at=at)
    return made


def of_access(at, customer):
    return AccessLogEntry.objects.create(
        staff=cast.sam() if not User.objects.filter(is_staff=True).exists() else User.objects.get(is_staff=True),
        staff_name="Sam", staff_role="", customer=customer, kind="look", about="x", at=at,
    )  # fmt: skip


def of_fresh_links(at, customer):
    made = FreshLink.objects.create(token_hash=f"{at}", email="a@example.com", leads_to="/")
    FreshLink.objects.filter(pk=made.pk).update(created_at=at)
    return made


def of_visits(at, customer):
    return Session.objects.create(session_key=f"{at:%j%f}", session_data="", expire_date=at + timedelta(days=14))


def of_copies(at, customer):
    made = DataExport.objects.create(customer=customer, state="ready", ready_at=at)
    DataExport.objects.filter(pk=made.pk).update(created_at=at)
    return made


def of_staff_changes(at, customer):
    made = LogEntry.objects.create(user=customer.user, object_repr="x", action_flag=2)
    LogEntry.objects.filter(pk=made.pk).update(action_time=at)
    return made


def of_sign_ups(at, customer):
    made = User.objects.create_user(f"{at:%j%f}@example.com", "a long enough phrase", date_joined=at)
    EmailAddress.objects.create(user=made, email=made.email)
    return made


def of_sign_ins(at, customer):
    session = of_visits(at, customer)
    return UserSession.objects.create(user=customer.user, session_key=session.pk, ip="127.0.0.1", created_at=at)


def of_interests(at, customer):
    return Interest.objects.create(customer=customer, kind="need", words=f"{at}"[:20], expires_at=at)


def of_effects(at, customer):
    told = Interest.objects.create(customer=customer, kind="need", words=f"{at}"[:20])
    return Effect.objects.create(
        customer=customer, interest=told, product=builders.product(), place="home", shown_on=timezone.localdate(at)
    )


def of_asks(at, customer):
    return Ask.objects.create(customer=customer, key=f"{at:%j%f}", shown_at=at)


KEPT_DAYS = {
    "asks": (of_asks, 30),
    "mail": (of_mail, 397),
    "orders": (of_orders, 6 * 365 + 2),
    "payments": (of_payments, 6 * 365 + 2),
    "invoices": (of_invoices, 6 * 365 + 2),
    "carts": (of_carts, 60),
    "carrier_messages": (of_carrier_messages, 14),
    "stripe_events": (of_stripe_events, 90),
    "withdrawals": (of_withdrawals, 6 * 365 + 2),
    "withdrawal_statements": (of_withdrawal_statements, 60),
    "returns": (of_returns, 6 * 365 + 2),
    "return_pictures": (of_return_pictures, 186),
    "return_labels": (of_return_labels, 186),
    "complaints": (of_complaints, 731),
    "requests": (of_requests, 14),
    "access": (of_access, 731),
    "fresh_links": (of_fresh_links, 1),
    "visits": (of_visits, 14),
    "copies": (of_copies, 7),
    "told": (of_interests, 0),
    "account": (of_sign_ups, 3),
    "sign_ins": (of_sign_ins, 14),
    "effects": (of_effects, 30),
    "staff_changes": (of_staff_changes, 731),
}


def aged(holding):
    """Of a holding that says what its rows are dated by: one of them, noted with a yes, made as old as it should be."""

    def make(at, customer):
        if holding.noted_for:
            consent.set_consent(customer, holding.noted_for, granted=True, source="test")
        made = MAKERS[holding.key](customer, f"{at}"[:20])
        type(made).objects.filter(pk=made.pk).update(**{holding.dated_by: at})
        return made

    return make


MAKERS = {**rows.OF_WORDS, **rows.OF_GOODS}
DATED = [holding for holding in personal_data.get_holdings() if holding.kept_for]
KEPT_DAYS |= {holding.key: (aged(holding), holding.kept_for.days) for holding in DATED if holding.key in MAKERS}


@pytest.mark.parametrize("holding", DATED, ids=lambda holding: holding.key)
def test_the_sentence_names_the_very_period_after_which_rows_go(holding):
    assert str(holding.kept_for) in holding.retention.lower()


def test_every_job_is_tried_out_here():
    tried = {holding.key for holding in personal_data.get_holdings() if holding.retire}
    assert tried - KEPT_DAYS.keys() == set()


@pytest.mark.parametrize("key", KEPT_DAYS)
def test_what_is_past_its_time_goes_and_what_is_not_stays(key):
    make, days = KEPT_DAYS[key]
    customer = builders.customer()
    slack = timedelta(hours=26) if key == "effects" else timedelta(hours=2)  # some count in days
    old = make(timezone.now() - timedelta(days=days) - slack, customer)
    young = make(timezone.now() - timedelta(days=days) + slack, customer)
    holding = next(each for each in personal_data.get_holdings() if each.key == key)
    assert holding.retire() >= 1
    assert list(type(old).objects.filter(pk__in=[old.pk, young.pk])) == [young]
    assert holding.retire() == 0


def test_an_old_order_goes_whole_and_pending_ones_never():
    customer = builders.customer()
    old = of_orders(timezone.now() - timedelta(days=7 * 365), customer)
    waiting = builders.paid_order(customer=customer)
    Order.objects.filter(pk=waiting.pk).update(status="pending", created_at=timezone.now() - timedelta(days=7 * 365))
    holding = next(each for each in personal_data.get_holdings() if each.key == "orders")
    holding.retire()
    CarrierMessage.objects.all().delete()  # they went long before
    assert list(Order.objects.all()) == [waiting]
    assert not Payment.objects.filter(order_id=old.pk).exists()
    assert people.traces((people.TRACKING, people.STREET)) == set()


def test_what_allauth_holds_goes_with_the_login():
    zora = people.zora()
    address = EmailAddress.objects.get(user=zora.user)
    EmailConfirmation.objects.create(email_address=address, key="k", sent=timezone.now())
    numbers = {"customer_number": zora.pk, "chain": zora.chain, "due_at": timezone.now()}
    Erasure.objects.create(customer=zora, state=Erasure.State.ERASING, **numbers)  # the looks at her may go then alone
    next(each for each in personal_data.get_holdings() if each.key == "account").erase(zora)
    assert not EmailAddress.objects.exists()
    assert not EmailConfirmation.objects.exists()
