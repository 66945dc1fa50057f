"""Customers as staff see them, and the owner's page of logins."""

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse

from accounts.consent import purposes
from accounts.models import Address, Consent, Customer, User
from orders.models import ShippingMethod, ShopSettings
from tests import builders, cast
from tests.login import sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> Client:
    client = Client()
    sign_in(client, cast.sam())
    return client


def page_of(customer: Customer) -> str:
    return reverse("admin:accounts_customer_change", args=[customer.pk])


def found(client: Client, typed: str) -> list[Customer]:
    return list(client.get(reverse("admin:accounts_customer_changelist"), {"q": typed}).context["cl"].result_list)


def test_a_customer_is_found_by_address_name_and_reference(owner):
    alice = cast.alice()
    old = builders.customer("old@example.com", with_login=False, external_reference="17850")
    assert found(owner, "ALICE@example.com") == [alice]
    ada = builders.customer("ada@xn--bcher-kva.example")
    assert found(owner, "Ada@Bücher.example") == [ada]
    assert found(owner, "marsh") == [alice]
    assert found(owner, "17850") == [old]


def test_staff_read_what_a_customer_allowed_since_when_and_where(owner):
    bob = builders.customer("bob@example.com", ticks=(purposes.NEWSLETTER,))
    page = owner.get(page_of(bob)).text
    assert purposes.get_purpose(purposes.NEWSLETTER).title in page
    assert "test" in page  # where it was answered


def test_staff_change_no_answer_and_no_address(owner):
    bob = builders.customer("bob@example.com", name="Bob", ticks=(purposes.NEWSLETTER,))
    address = Address.objects.create(customer=bob, full_name="Bob", line1="1 Lane", city="Leeds", country="GB")
    sent = {"name": "Bob Tarn", "email": "evil@example.com"}
    for inline in ("consents", "addresses"):
        sent |= {f"{inline}-TOTAL_FORMS": "1", f"{inline}-INITIAL_FORMS": "1"}
    answer = Consent.objects.get()
    sent |= {"consents-0-id": str(answer.pk), "consents-0-granted": "", "consents-0-DELETE": "on"}
    sent |= {"addresses-0-id": str(address.pk), "addresses-0-line1": "2 Lane"}
    assert owner.post(page_of(bob), sent).status_code == 302
    bob.refresh_from_db()
    address.refresh_from_db()
    assert (bob.name, bob.email, address.line1) == ("Bob Tarn", "bob@example.com", "1 Lane")
    assert Consent.objects.get().granted


def test_customers_are_neither_added_nor_deleted_by_hand(owner):
    bob = cast.bob()
    assert owner.get(reverse("admin:accounts_customer_add")).status_code == 403
    assert owner.post(reverse("admin:accounts_customer_delete", args=[bob.pk]), {"post": "yes"}).status_code == 403
    assert Customer.objects.filter(pk=bob.pk).exists()


def test_from_a_customer_to_their_orders(owner):
    alice, order = cast.alice(), builders.placed_order()
    hers = builders.placed_order(customer=alice)
    page = owner.get(page_of(alice)).text
    link = f"{reverse('admin:orders_order_changelist')}?customer__id__exact={alice.pk}"
    assert link in page
    listed = list(owner.get(link).context["cl"].result_list)
    assert listed == [hers]
    assert order not in listed


def test_a_new_member_of_staff_sets_their_own_password_by_a_mailed_link(
    owner, mailoutbox, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        owner.post(
            reverse("admin:accounts_user_add"),
            {"email": "Kit@Example.com", "first_name": "Kit", "is_active": "on", "is_staff": "on"},
        )
    kit = User.objects.get(email="kit@example.com")
    assert kit.is_staff
    assert not kit.has_usable_password()
    assert [mail.to for mail in mailoutbox] == [["kit@example.com"]]
    assert "/accounts/password/reset/key/" in mailoutbox[0].body


def test_the_owner_lets_somebody_back_in_who_lost_their_phone(owner):
    kit = User.objects.create_user("kit@example.com", builders.PASSWORD, is_staff=True)
    Authenticator.objects.create(user=kit, type="totp", data={})
    owner.post(
        reverse("admin:accounts_user_changelist"), {"action": "remove_second_factor", "_selected_action": kit.pk}
    )
    assert not Authenticator.objects.filter(user=kit).exists()


def test_nobody_takes_away_their_own_rights_by_mistake(owner):
    sam = User.objects.get(email="sam@example.com")
    owner.post(reverse("admin:accounts_user_change", args=[sam.pk]), {"first_name": "Samuel", "email": "x@example.com"})
    sam.refresh_from_db()
    assert (sam.first_name, sam.email, sam.is_staff, sam.is_superuser, sam.is_active) == (
        "Samuel",
        "sam@example.com",
        True,
        True,
        True,
    )


@pytest.mark.parametrize("model", ["emailaddress", "authenticator"])
def test_secrets_and_proofs_have_no_page(owner, model):
    app = {"emailaddress": "account", "authenticator": "mfa"}[model]
    assert owner.get(f"/admin/{app}/{model}/").status_code == 404


# -- Settings ------------------------------------------------------------------------------------------------


def test_the_settings_are_one_page_which_looking_at_does_not_write(owner):
    response = owner.get(reverse("admin:orders_shopsettings_changelist"), follow=True)
    assert response.status_code == 200
    assert ShopSettings.objects.count() == 0


@pytest.mark.parametrize("hour", ["24", "-1", "noon"])
def test_a_cut_off_hour_that_is_none_is_refused(owner, hour):
    kept = ShopSettings.objects.get_or_create(pk=1)[0].cutoff_hour
    page = reverse("admin:orders_shopsettings_change", args=[1])
    sent = {
        "name": "Say When",
        "postal_address": "x",
        "default_country": "GB",
        "cutoff_hour": hour,
        "handling_days": "1",
    }
    response = owner.post(page, sent)
    assert response.status_code == 200
    assert "errorlist" in response.text
    assert ShopSettings.objects.get().cutoff_hour == kept


def test_a_shipping_method_names_a_carrier_the_shop_knows(owner):
    method = builders.shipping_method()
    page = reverse("admin:orders_shippingmethod_change", args=[method.pk])
    sent = {"name": "Post", "price": "3", "days_min": "1", "days_max": "2", "position": "0"}
    assert "errorlist" in owner.post(page, {**sent, "carrier": "pigeon"}).text
    assert owner.post(page, {**sent, "carrier": "evri"}).status_code == 302
    assert ShippingMethod.objects.get().carrier == "evri"


def test_days_in_the_wrong_order_are_refused_in_words(owner):
    page = reverse("admin:orders_shippingmethod_change", args=[builders.shipping_method().pk])
    sent = {"name": "Post", "carrier": "evri", "price": "3", "days_min": "5", "days_max": "2", "position": "0"}
    response = owner.post(page, sent)
    assert response.status_code == 200
    assert "errorlist" in response.text


@pytest.mark.parametrize("page", ["shippingmethod", "taxrate", "holiday", "payment", "stripeevent"])
def test_every_page_of_the_room_opens(owner, page):
    builders.shipping_method()
    builders.tax_rate()
    builders.placed_order()
    assert owner.get(reverse(f"admin:orders_{page}_changelist")).status_code == 200
