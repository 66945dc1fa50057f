"""The stand-in takes exactly what Stripe takes, as the official library's own types say."""

from collections.abc import Callable
from typing import Any

import pytest
import stripe
from stripe import params as library
from stripe.params import checkout as checkout_library

from shop.local.stripe import api, form, params
from shop.local.stripe.errors import RefusalError

Open = Callable[..., stripe.checkout.Session]


def test_every_endpoint_compiles_the_librarys_own_parameters() -> None:
    for endpoint in api.ENDPOINTS:
        fields = set(params.compile_schema(endpoint.accepts).fields)
        named = set(endpoint.accepts.__annotations__) - set(stripe.RequestOptions.__annotations__)
        assert fields == named, endpoint.pattern.pattern


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"colour": "red"}, "colour"),
        ({"line_items": [{"quantity": 1, "cost": 3}]}, "line_items[0][cost]"),
        (
            {"line_items": [{"quantity": 1, "price_data": {"currency": "gbp", "product_data": {"title": "x"}}}]},
            "line_items[0][price_data][product_data][title]",
        ),
        ({"payment_intent_data": {"order": "1"}}, "payment_intent_data[order]"),
    ],
)
def test_a_parameter_stripe_does_not_know_is_refused_by_name(
    client: stripe.StripeClient, open_session: Open, changes: dict[str, Any], param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="Received unknown parameter: ") as refused:
        open_session(**changes)

    assert (refused.value.code, refused.value.param) == ("parameter_unknown", param)
    assert refused.value.http_status == 400
    assert client.v1.checkout.sessions.list().data == []


@pytest.mark.parametrize("name", ["mode", "line_items", "success_url"])
def test_a_missing_parameter_is_named(client: stripe.StripeClient, params: dict[str, Any], name: str) -> None:
    del params[name]

    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.checkout.sessions.create(params)

    assert (refused.value.code, refused.value.param) == ("parameter_missing", name)


def test_a_parameter_missing_deep_inside_is_named_with_its_path(open_session: Open) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        open_session(line_items=[{"quantity": 1, "price_data": {"unit_amount": 5, "product_data": {"name": "x"}}}])

    assert refused.value.param == "line_items[0][price_data][currency]"


@pytest.mark.parametrize(
    ("encoded", "param", "message"),
    [
        ("amount=ten", "amount", "Invalid integer: ten"),
        ("amount=", "amount", "You passed an empty string for 'amount'"),
        ("amount[a]=1", "amount", "Invalid integer"),
        ("expand=charge", "expand", "Invalid array"),
        ("metadata=x", "metadata", "Invalid object"),
        ("metadata[" + "k" * 41 + "]=1", "metadata", "under 40 characters"),
        ("metadata[k]=" + "v" * 501, "metadata[k]", "up to 500 characters"),
        ("reverse_transfer=yes", "reverse_transfer", "Invalid boolean: yes"),
        ("origin=moon", "origin", "must be one of customer_balance"),
    ],
)
def test_values_of_the_wrong_kind_are_refused(encoded: str, param: str, message: str) -> None:
    with pytest.raises(RefusalError, match=message.replace("(", r"\(")) as refused:
        params.convert_params(library.RefundCreateParams, form.parse_form(encoded))

    assert refused.value.param == param


def test_values_come_out_in_their_types() -> None:
    values = params.convert_params(
        checkout_library.SessionListParams, form.parse_form("created[gte]=5&limit=3&expand[]=data.payment_intent")
    )

    assert values == {"created": {"gte": 5}, "limit": 3, "expand": ["data.payment_intent"]}
    assert params.convert_params(library.RefundListParams, form.parse_form("created=7")) == {"created": 7}
    assert params.convert_params(library.RefundModifyParams, form.parse_form("metadata=")) == {"metadata": {}}


@pytest.mark.parametrize("encoded", ["a[b=1", "a=1&a[b]=2", "a" + "[b]" * 11 + "=1", "[a]=1"])
def test_a_malformed_form_is_refused_politely(encoded: str) -> None:
    with pytest.raises(RefusalError, match="Invalid request"):
        form.parse_form(encoded)


def test_form_lists_keep_their_order() -> None:
    tree = form.parse_form("a[10]=k&a[9]=j&b[]=x&b[]=y")

    assert form.convert_to_list(tree["a"]) == ["j", "k"]
    assert form.convert_to_list(tree["b"]) == ["x", "y"]


def test_a_wrong_key_and_no_key_are_unauthorised(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.AuthenticationError, match=r"Invalid API Key provided: sk_test\*+rong") as wrong:
        client.v1.checkout.sessions.list(options={"api_key": "sk_test_this_is_wrong"})
    with pytest.raises(stripe.AuthenticationError, match="You did not provide an API key"):
        client.v1.checkout.sessions.list(options={"headers": {"Authorization": ""}})

    assert wrong.value.http_status == 401


def test_every_answer_names_its_request(client: stripe.StripeClient) -> None:
    answer = client.v1.events.list().last_response

    assert answer.request_id.startswith("req_")
    assert answer.headers["Stripe-Version"] == stripe.api_version


def test_an_unknown_version_or_address_is_refused(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="Invalid Stripe API version: yesterday"):
        client.v1.events.list(options={"stripe_version": "yesterday"})
    with pytest.raises(stripe.InvalidRequestError, match=r"Unrecognized request URL \(GET: /v1/coupons\)"):
        client.v1.coupons.list()
