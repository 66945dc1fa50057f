"""What the back office may be asked by its address: what its own links ask. No list spells out what it hides.

The crawl asks every list, as every role, by every column and every look-up; the table below is all that it may.
"""

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, urljoin

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.core.exceptions import SuspiciousOperation
from django.db.models import Model
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts.models import AccessLogEntry, Customer, Interest, User
from notifications.models import OutgoingEmail, Suppression
from orders.models import Order
from shop import checks
from shop.backoffice.roles import ROLES
from tests import builders, cast
from tests.backoffice.test_access import signed_in, staff_member
from tests.page import Page, read_words
from tests.security.visits import furnish

pytestmark = pytest.mark.django_db

OWNER = "owner"
STAFF = [OWNER, *ROLES]
LOOKUPS = ("", "exact", "icontains", "startswith", "regex", "gt", "lte", "in", "isnull", "isempty", "year", "search")
FARTHER = ("exact", "regex", "isnull")  # of the columns of what a row hangs on
TAKES = {  # every filter there is; another one is added here once somebody has thought about what it tells
    "accounts.accesslogentry": {"kind__exact", "staff_role"},
    "accounts.datacomplaint": {"matter"},
    "accounts.customer": {"user__isempty", "email_proved_at__isempty"},
    "accounts.user": {"who", "groups__id__exact", "groups__isnull"},
    "orders.order": {
        "queue",
        *("method", "country", "delayed", "figure"),
        "payment_status__exact",
        "source__exact",
        "customer__id__exact",
    },
    "orders.payment": {"status__exact"},
    "orders.stripeevent": {"kind", "processed_at__isempty"},
    "orders.striperecord": {"matter", "kind__exact"},
    "orders.delaynotice": {"matter"},
    "orders.withdrawal": {"matter"},
    "orders.returnauthorization": {"matter"},
    "orders.withdrawalstatement": {"matter"},
    "orders.holiday": {"falls_on__gte", "falls_on__lt"},
    "notifications.outgoingemail": {"state__exact", "skip_reason__exact", "topic", "customer__id__exact"},
    "notifications.suppression": {"reason__exact"},
    "catalog.product": {"is_published__exact", "is_available__exact", "category__id__exact"},
    "catalog.stockrecord": {"left", "store__id__exact"},
    "catalog.stockmovement": {"kind__exact"},
}
SORTS_BY = {  # a column that sorts by another name than its own: what it shows is that
    "accounts.customer": {"name_or_number": "name"},
    "accounts.datacomplaint": {"due": "due_on"},
    "accounts.user": {"login": "email"},  # staff's, which are shown whole
    "orders.order": {"placed": "placed_at"},
    "orders.shippingmethod": {"by": "carrier", "costs": "price", "free_for": "free_from"},
    "orders.taxrate": {"percent": "rate", "since": "valid_from"},
    "orders.striperecord": {"sum": "amount"},
    "orders.delaynotice": {"told": "created_at"},
    "orders.lanewindow": {
        "lane": "country",
        "plain": "plain_share",
        "moved": "moved_share",
        "added": "added_days",
        "in_use": "days",
    },
    "orders.withdrawal": {"declared": "declared_at", "due": "due_on"},
    "orders.returnauthorization": {"asked": "requested_at", "due": "due_on"},
    "notifications.outgoingemail": {"where_it_stands": "state"},
    "catalog.product": {"costs_from": "price_from"},
    "catalog.variant": {"costs": "price"},
    "catalog.stockrecord": {"sku": "variant__sku"},
}


def user_of(role: str) -> User:
    return cast.sam() if role == OWNER else staff_member(role=role)


def lists() -> Iterator[tuple[type[Model], admin.ModelAdmin]]:
    yield from ((model, each) for model, each in admin.site._registry.items() if model.__name__ != "ShopSettings")


def columns(model: type[Model], model_admin: admin.ModelAdmin, request) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Everything a row has or hangs on, with the look-ups to try."""
    for field in model._meta.get_fields():
        yield field.name, LOOKUPS
        if field.is_relation and field.related_model:
            yield from ((f"{field.name}__{far.name}", FARTHER) for far in field.related_model._meta.get_fields())
    yield from ((name, LOOKUPS) for name in model_admin.get_queryset(request).query.annotations)
    yield from (("pk", LOOKUPS), ("id", LOOKUPS), ("nothing_like_it", LOOKUPS))


def refuses(model_admin: admin.ModelAdmin, request) -> bool:
    try:
        model_admin.get_changelist_instance(request)
    except SuspiciousOperation:
        return True
    return False


def list_of(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


@pytest.fixture
def packer() -> Client:
    return signed_in(staff_member(role="Staff: orders"))


# -- The crawl -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", STAFF)
def test_no_list_takes_a_look_up_that_is_not_in_the_table(role):
    furnish()
    user, factory, tried = user_of(role) if role != OWNER else User.objects.get(is_superuser=True), RequestFactory(), 0
    taken = []
    for model, model_admin in lists():
        request = factory.get("/")
        request.user = user
        if not model_admin.has_view_permission(request):
            continue
        known = TAKES.get(model._meta.label_lower, set())
        for column, lookups in columns(model, model_admin, request):
            for lookup in lookups:
                name = f"{column}__{lookup}" if lookup else column
                for value in ["1"] if name not in known else ["a", "^a", "9" * 40, ""]:
                    request = factory.get("/", {name: value})
                    request.user = user
                    tried += 1
                    if not refuses(model_admin, request):
                        taken.append(f"{model._meta.label}?{name}={value}")
    assert taken == []
    assert tried > 1_000


def test_every_filter_stands_in_the_table():
    furnish()
    request = RequestFactory().get("/")
    request.user = User.objects.get(is_superuser=True)
    for model, model_admin in lists():
        listed = model_admin.get_changelist_instance(request)
        links = [choice["query_string"][1:] for spec in listed.filter_specs for choice in spec.choices(listed)]
        offered = {name for link in links for name, _ in parse_qsl(link)}
        assert offered <= TAKES.get(model._meta.label_lower, set()), model._meta.label


@pytest.mark.parametrize("role", STAFF)
def test_a_column_asked_over_http_is_refused_without_a_hint(role):
    furnish()
    client = signed_in(user_of(role) if role != OWNER else User.objects.get(is_superuser=True))
    for model, _ in lists():
        refusal = 400 if client.get(list_of(model)).status_code == 200 else 403
        for field in model._meta.get_fields()[::4]:  # the crawl above asks every one, without the way there
            answer = client.get(list_of(model), {f"{field.name}__regex": "^a["})
            assert answer.status_code == refusal, f"{model._meta.label} by {field.name}"
            assert "Location" not in answer


@pytest.mark.parametrize("role", STAFF)
def test_a_list_is_ordered_by_what_it_shows_alone(role):
    furnish()
    user = user_of(role) if role != OWNER else User.objects.get(is_superuser=True)
    for model, model_admin in lists():
        request = RequestFactory().get("/")
        request.user = user
        if not model_admin.has_view_permission(request):
            continue
        listed = model_admin.get_changelist_instance(request)
        named = SORTS_BY.get(model._meta.label_lower, {})
        for place, column in enumerate(listed.list_display):
            request = RequestFactory().get("/", {"o": f"-{place}"})
            request.user = user
            by = listed.get_ordering_field(column) if place in listed.sortable_columns() else None
            assert by in (None, column, named.get(column)), f"{model._meta.label} sorts {column} by {by}"
            assert refuses(model_admin, request) == (by is None), f"{model._meta.label}?o=-{place}"


@pytest.mark.parametrize("role", STAFF)
def test_every_link_and_box_of_every_list_still_works(role):
    furnish()
    owner = User.objects.filter(is_superuser=True).first()
    client = signed_in(owner if role == OWNER else user_of(role))
    followed = 0
    for model, _ in lists():
        first = client.get(list_of(model))
        if first.status_code == 403:
            continue
        page = Page(first.text)
        for link in {urljoin(list_of(model), link) for _, link in page.links if "?" in link}:
            followed += 1
            assert client.get(link).status_code == 200, link
        if 'id="searchbar"' in first.text:
            for typed in ("a", "1", "'\"", "alice@example.com", "%", "\\", "9" * 40, "SW-", "²"):
                assert client.get(list_of(model), {"q": typed}).status_code == 200, f"{model._meta.label}?q={typed}"
    assert followed > 5


@pytest.mark.parametrize(
    "query",
    [
        "p=0", "p=-1", "p=x", "p=1e3", "p=%C2%B2", "p=999", "p=" + "9" * 30, "o=x", "o=99", "o=-", "o=0", "o=1.1",
        "o=" + "9" * 30, "e=1", "all=x", "_facets=True", "_popup=2", "_to_field=email", "_to_field=number", "q=a&q=b",
        "q=" + "x" * 300, "queue=x", "queue=", "queue=any&queue=pick", "parcel_stages=x", "email__regex=%5B",
        "customer__id__exact=x", "customer__id__exact=" + "9" * 30, "payment_status__exact=x", "x", "=",
        "payment_status__isnull=True", "created_at__year=2026", "_changelist_filters=a%3Db", "%ff=1", "a%00=1",
        "payment_status__exact=paid%00",
    ],
)  # fmt: skip
def test_what_no_link_of_the_list_asks_is_a_bad_request(packer, query):
    builders.placed_order()
    answer = packer.get(f"{reverse('admin:orders_order_changelist')}?{query}")
    assert answer.status_code == 400
    assert "SW-" not in read_words(answer.text)


def test_a_refused_step_is_not_taken(packer):
    order = builders.placed_order(email="pat@example.com")
    address = f"{reverse('admin:orders_order_changelist')}?email__startswith=p"
    assert packer.post(address, {"action": "approve", "_selected_action": order.pk}).status_code == 400
    assert not order.shipments.exists()


def test_the_page_of_a_refusal_leads_back(packer):
    answer = packer.get(f"{reverse('admin:orders_order_changelist')}?gift_note__regex=a")
    assert f'href="{reverse("admin:orders_order_changelist")}"' in answer.text


def test_whoever_empties_the_last_page_is_led_to_the_one_before(packer):
    orders = [builders.placed_order() for _ in range(2)]
    address = f"{reverse('admin:orders_order_changelist')}?p=2"
    assert set(packer.get(address).context["cl"].result_list) == set(orders)


# -- What was spelled out, and its relatives ---------------------------------------------------------------------


def test_nobodys_address_is_spelled_out_by_asking(packer):
    bob = builders.customer("bob@example.com", name="Bob Tarn")
    Interest.objects.create(customer=bob, kind="need", words="wide fit")
    builders.placed_order(customer=bob, gift_note="From your aunt")
    OutgoingEmail.objects.create(key="k", topic="receipt", kind="essential", to_address=bob.email, customer=bob)
    before = AccessLogEntry.objects.count()
    for model, name, hit, miss in [
        ("accounts_customer", "email__regex", "^bo[a-m]", "^bo[n-z]"),
        ("accounts_customer", "interests__isnull", "0", "1"),
        ("accounts_customer", "addresses__line1__startswith", "1", "2"),
        ("accounts_customer", "consents__granted", "True", "False"),
        ("orders_order", "gift_note__regex", "aunt", "uncle"),
        ("orders_order", "line1__regex", "High", "Low"),
        ("orders_order", "phone__startswith", "0", "1"),
        ("orders_order", "customer__email__contains", "bob", "rob"),
        ("orders_payment", "order__email__startswith", "b", "c"),
        ("notifications_outgoingemail", "to_address__startswith", "bob", "rob"),
        ("notifications_outgoingemail", "items__product__title__contains", "a", "b"),
    ]:
        path = reverse(f"admin:{model}_changelist")
        answers = [packer.get(path, {name: value}) for value in (hit, miss)]
        assert [answer.status_code for answer in answers] == [400, 400], f"{model} by {name}"
        same = [re.sub(r"nonce-?[=\"'\w+/-]*|csrf\w*[^>]*>", "", answer.text) for answer in answers]
        assert same[0] == same[1]
    assert AccessLogEntry.objects.count() == before


def test_a_finished_orders_postcode_is_not_found_by_its_parts(packer):
    order = builders.placed_order()
    Order.objects.update(postcode="YO21 3PU", status="completed")
    path = reverse("admin:orders_order_changelist")
    for typed in ("y", "yo2", "yo21", "3pu"):
        assert list(packer.get(path, {"q": typed}).context["cl"].result_list) == [], typed
    for typed in ("YO21 3PU", "yo213pu", " yo21 3pu"):
        assert list(packer.get(path, {"q": typed}).context["cl"].result_list) == [order]


def test_masked_logins_stand_in_no_order_that_tells():
    for address in ("zoe@example.com", "abe@example.com"):
        builders.customer(address)
    owner = signed_in(cast.sam())
    path = reverse("admin:accounts_user_changelist")
    listed = owner.get(path, {"who": "customers"}).context["cl"]
    assert [user.email for user in listed.result_list] == ["abe@example.com", "zoe@example.com"]  # the newest first
    column = listed.list_display.index("login")
    assert owner.get(path, {"who": "customers", "o": column}).status_code == 400
    assert owner.get(path, {"o": column}).status_code == 200


@pytest.mark.parametrize("page", ["change/", "delete/", "history/"])
@pytest.mark.parametrize("query", ["_to_field=email", "email=x", "_popup=x", "p=x", "user=1"])
def test_a_rows_own_page_takes_no_more_than_it_shows(page, query):
    refusal = builders.customer("bob@example.com")
    owner = signed_in(cast.sam())
    path = reverse("admin:accounts_customer_change", args=[refusal.pk]).replace("change/", page)
    assert owner.get(f"{path}?{query}").status_code == 400


def test_a_row_is_opened_by_its_key_alone():
    builders.customer("bob@example.com")
    owner = signed_in(cast.sam())
    path = reverse("admin:accounts_user_change", args=["bob@example.com"])
    assert owner.get(f"{path}?_to_field=email").status_code == 400


def test_a_new_row_takes_nothing_from_the_address():
    owner = signed_in(cast.sam())
    for address in (
        f"{reverse('admin:notifications_suppression_add')}?address=bob@example.com",
        f"{reverse('admin:orders_holiday_add')}?falls_on=x",
        f"{reverse('admin:catalog_product_add')}?category={'9' * 40}",
        f"{reverse('admin:accounts_user_add')}?groups=x",
    ):
        assert owner.get(address).status_code == 400, address
    assert not Suppression.objects.exists()
    assert not LogEntry.objects.exists()


def test_no_detour_tells_of_rows_a_role_may_not_look_at():
    from django.contrib.contenttypes.models import ContentType

    order = builders.placed_order()
    client = signed_in(staff_member(role="Staff: catalogue"))
    kind = ContentType.objects.get_for_model(Order)
    answer = client.get(f"/admin/r/{kind.pk}/{order.pk}/")
    assert answer.status_code == 404
    assert order.number not in answer.get("Location", "")


@pytest.mark.parametrize(
    "odd", ["page=x", "page=0", "page=" + "9" * 30, "term=" + "x" * 300, "email=a", "term=a&term=b"]
)
def test_a_look_up_while_typing_takes_what_its_field_sends(odd):
    builders.maker()
    owner = signed_in(cast.sam())
    asked = "app_label=catalog&model_name=product&field_name=maker"
    assert owner.get(f"{reverse('admin:autocomplete')}?{asked}&term=fell&page=1").status_code == 200
    assert owner.get(f"{reverse('admin:autocomplete')}?{asked}&{odd}").status_code == 400


def test_whoever_may_not_look_at_customers_may_not_ask_by_one():
    bob = builders.customer("bob@example.com")
    order = builders.placed_order(customer=bob)
    path, asked = reverse("admin:orders_order_changelist"), {"customer__id__exact": bob.pk}
    user = staff_member(role="Staff: orders")
    assert list(signed_in(user).get(path, asked).context["cl"].result_list) == [order]
    user.groups.get().permissions.remove(*user.groups.get().permissions.filter(codename="view_customer"))
    assert signed_in(user).get(path, asked).status_code == 400


# -- A list that shows nobody is a look, too ---------------------------------------------------------------------


def nobodies() -> list[tuple[str, str]]:
    return list(AccessLogEntry.objects.filter(customer=None, order_number="").values_list("kind", "about"))


def test_a_search_that_finds_nobody_is_written_down_each_time(packer):
    for typed in ("bob@example.com", "rob@example.com"):
        packer.get(reverse("admin:accounts_customer_changelist"), {"q": typed})
    assert nobodies() == [("search", "Customers: nobody")] * 2
    assert not AccessLogEntry.objects.filter(detail__contains="bob").exists()


def test_an_empty_list_is_written_down_once_a_day_for_each_way_it_was_narrowed(packer):
    path = reverse("admin:orders_order_changelist")
    for queue in ("approve", "approve", "pick", "approve"):
        packer.get(path, {"queue": queue})
    assert nobodies() == [("list", "Orders: nobody")] * 2
    Customer.objects.all().delete()
    assert len(nobodies()) == 2


def test_refusals_that_name_no_customer_are_looks_at_nobody_we_know():
    Suppression.objects.create(address="stranger@example.com", reason="staff")
    signed_in(staff_member(role="Staff: privacy")).get(reverse("admin:notifications_suppression_changelist"))
    assert nobodies() == [("list", "Stopped addresses: nobody we know")]


# -- A new admin -------------------------------------------------------------------------------------------------


def test_an_admin_without_the_base_is_found_before_the_shop_starts(monkeypatch):
    class PlainAdmin(admin.ModelAdmin):
        pass

    monkeypatch.setitem(admin.site._registry, Interest, PlainAdmin(Interest, admin.site))
    assert [found.id for found in checks.check_admin_lists_are_strict(None)] == ["shop.E007"]
    request = RequestFactory().get("/", {"words__regex": "^a"})
    request.user = cast.sam()
    assert not refuses(admin.site._registry[Interest], request)  # what the crawl would have found
