"""Who gets into the back office, and what each may do there."""

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts.models import User
from orders.models import ShopSettings
from shop.backoffice.roles import ROLES, make_roles
from tests import builders, cast

pytestmark = pytest.mark.django_db

LIST = reverse("admin:orders_order_changelist")
PAGES = [
    "/admin/",
    LIST,
    reverse("admin:accounts_customer_changelist"),
    reverse("admin:accounts_user_changelist"),
    reverse("admin:orders_shopsettings_changelist"),
    reverse("admin:jsi18n"),
]


def staff_member(email: str = "kit@example.com", *, role: str = "", **fields) -> User:
    user = User.objects.create_user(email, builders.PASSWORD, is_staff=True, first_name="Kit", **fields)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    if role:
        make_roles()
        user.groups.add(Group.objects.get(name=role))
    return user


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def sign_in(client: Client, user: User, next_url: str = "/admin/"):
    return client.post(
        f"{reverse('account_login')}?next={next_url}", {"login": user.email, "password": builders.PASSWORD}
    )


def code_of(user: User) -> str:
    secret = Authenticator.objects.get(user=user, type="totp").wrap().instance.data["secret"]
    return code_for(get_adapter().decrypt(secret))


def code_for(secret: str) -> str:
    counter = next(iter(totp.yield_hotp_counters_from_time()))
    return totp.format_hotp_value(totp.hotp_value(secret, counter))


# -- The door ------------------------------------------------------------------------------------------------


def test_strangers_are_led_to_the_shops_own_sign_in(client):
    for page in PAGES:
        response = client.get(page, follow=True)
        assert response.redirect_chain[-1][0].startswith(reverse("account_login")), page


def test_customers_are_turned_away(client):
    client.force_login(cast.alice().user)
    for page in PAGES:
        response = client.get(page, follow=True)
        assert response.status_code == 403, page


def test_staff_sign_in_with_their_password(client):
    response = sign_in(client, staff_member(role="Staff: orders"))
    assert response.url == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_guessing_at_the_door_meets_the_rate_limit(client):
    cache.clear()
    user = staff_member()
    answers = [
        client.post(reverse("account_login"), {"login": user.email, "password": f"guess {number}"})
        for number in range(12)
    ]
    assert answers[-1].status_code == 429 or "too often" in answers[-1].text
    assert sign_in(client, user).status_code != 302
    cache.clear()


def test_the_admins_own_password_page_is_allauths(client):
    client.force_login(cast.sam())
    assert client.get(reverse("admin:password_change")).url == reverse("account_change_password")


# -- The second factor ---------------------------------------------------------------------------------------


@pytest.fixture
def with_second_factors(settings):
    settings.REQUIRE_STAFF_MFA = True


def test_without_a_second_factor_staff_are_led_to_set_one_up(with_second_factors):
    client = signed_in(cast.sam())
    for page in PAGES:
        response = client.get(page, follow=True)
        assert response.redirect_chain[-1] == (reverse("mfa_index"), 302), page
    assert "Staff sign in with a second factor" in response.text


def test_without_a_second_factor_no_step_is_taken(with_second_factors):
    order = builders.placed_order()
    client = signed_in(cast.sam())
    client.post(LIST, {"action": "approve", "_selected_action": order.pk})
    assert not order.shipments.exists()


def test_staff_set_up_a_second_factor_and_come_in_and_need_it_next_time(with_second_factors):
    user = staff_member(role="Staff: orders")
    client = Client()
    assert sign_in(client, user).status_code == 302
    assert client.get(reverse("mfa_activate_totp")).status_code == 200
    secret = client.session["mfa.totp.secret"]
    client.post(reverse("mfa_activate_totp"), {"code": code_for(secret)})
    assert client.get("/admin/").status_code == 200

    again = Client()
    assert sign_in(again, user).url.startswith(reverse("mfa_authenticate"))
    assert again.get("/admin/").status_code == 302  # the password alone opens nothing
    again.post(reverse("mfa_authenticate"), {"code": "000000"})
    assert again.get("/admin/").status_code == 302
    cache.clear()  # a code is good once; the test does not wait half a minute for the next
    answer = again.post(f"{reverse('mfa_authenticate')}?next=/admin/", {"code": code_of(user)})
    assert answer.status_code == 302
    assert again.get("/admin/").status_code == 200


def test_a_switch_in_the_settings_lets_a_local_shop_do_without(settings):
    settings.REQUIRE_STAFF_MFA = False
    assert signed_in(cast.sam()).get("/admin/").status_code == 200


# -- Roles ---------------------------------------------------------------------------------------------------


def test_order_staff_work_the_queue_and_nothing_else():
    client = signed_in(staff_member(role="Staff: orders"))
    order = builders.placed_order()
    client.post(LIST, {"action": "approve", "_selected_action": order.pk})
    assert order.shipments.exists()
    assert "Approve" in client.get(LIST).text
    for name in ("accounts_user", "orders_shopsettings", "orders_taxrate", "auth_group"):
        assert client.get(reverse(f"admin:{name}_changelist")).status_code == 403, name
    assert client.post(reverse("admin:orders_shopsettings_change", args=[1]), {"approve_up_to": "1"}).status_code == 403
    assert not ShopSettings.objects.exists()


def test_catalogue_staff_see_no_orders_and_no_people():
    client = signed_in(staff_member(role="Staff: catalogue"))
    assert client.get(reverse("admin:catalog_product_changelist")).status_code == 200
    order = builders.placed_order()
    for page in (
        LIST,
        reverse("admin:orders_order_change", args=[order.pk]),
        reverse("admin:accounts_customer_changelist"),
    ):
        assert client.get(page).status_code == 403, page
    assert client.post(LIST, {"action": "approve", "_selected_action": order.pk}).status_code == 403
    assert not order.shipments.exists()


def test_whoever_may_only_look_takes_no_step():
    user = staff_member()
    make_roles()
    user.user_permissions.set(Group.objects.get(name="Staff: orders").permissions.filter(codename__startswith="view_"))
    client = signed_in(user)
    order = builders.placed_order()
    page = client.get(reverse("admin:orders_order_change", args=[order.pk]))
    assert page.status_code == 200
    assert 'value="approve"' not in page.text
    client.post(LIST, {"action": "approve", "_selected_action": order.pk})
    assert not order.shipments.exists()


def test_making_the_roles_again_mends_them():
    make_roles()
    Group.objects.get(name="Staff: orders").permissions.clear()
    make_roles()
    for name, rights in ROLES.items():
        assert Group.objects.get(name=name).permissions.count() == sum(len(verbs) for verbs in rights.values())


def test_the_first_page_hides_figures_from_those_who_may_not_see_orders():
    client = signed_in(staff_member(role="Staff: catalogue"))
    builders.placed_order(builders.variant(price="987.65"))
    page = client.get("/admin/").text
    assert "987.65" not in page
    assert "To approve" not in page
