"""Carriers' webhooks: signed or refused, stored once, processed from the row."""

import hmac
import json
import time
from datetime import timedelta
from email.utils import format_datetime

import pytest
from django.conf import settings
from django.utils import timezone

from orders.fulfilment import scans
from orders.models import CarrierMessage, OrderEvent, Shipment, TrackingEvent
from tests.carriers.telling import (
    EASYPOST,
    GENERIC,
    make_detail,
    make_easypost,
    make_generic,
    post_easypost,
    post_generic,
    scan,
    sent_parcel,
)

pytestmark = pytest.mark.django_db


def everything() -> list[object]:
    tables = (CarrierMessage, TrackingEvent, OrderEvent, Shipment)
    return [list(table.objects.order_by("pk").values()) for table in tables]


def test_a_signed_message_is_noted_and_then_moves_the_parcel(client):
    parcel = sent_parcel()
    answer = post_generic(client, make_generic(parcel, scan("delivered", parcel, hours=50)))
    assert (answer.status_code, answer.text) == (200, "Noted.")
    assert Shipment.objects.get().stage == "dispatched"
    assert scans.process_waiting_messages() == 1
    parcel.refresh_from_db()
    assert parcel.stage == "delivered"
    assert parcel.delivered_at == parcel.dispatched_at + timedelta(hours=50)
    assert parcel.events.latest("pk").actor == "Carrier"
    parcel.order.refresh_from_db()
    assert parcel.order.status == "completed"


def test_easyposts_tracker_moves_the_parcel_and_no_name_is_kept(client):
    parcel = sent_parcel()
    at = parcel.dispatched_at + timedelta(hours=20)
    details = [
        make_detail("pre_transit", at - timedelta(hours=30)),
        make_detail("in_transit", at, city="BRADFORD"),
        make_detail("out_for_delivery", at + timedelta(hours=9)),
    ]
    assert post_easypost(client, make_easypost(parcel.tracking_number, *details)).status_code == 200
    assert scans.process_waiting_messages() == 1
    parcel.refresh_from_db()
    assert parcel.stage == "out_for_delivery"
    assert list(parcel.scans.values_list("meaning", "place")) == [
        ("other", "LEEDS, GB"),
        ("in_transit", "BRADFORD, GB"),
        ("out_for_delivery", "LEEDS, GB"),
    ]
    assert "Ottoline" not in str(everything())


@pytest.mark.parametrize(
    ("status", "detail", "stage"),
    [
        ("in_transit", "arrived_at_facility", "in_transit"),
        ("available_for_pickup", "arrived_at_pickup_location", "out_for_delivery"),
        ("in_transit", "delivery_exception", "failed_attempt"),
        ("failure", "lost", "undeliverable"),
        ("failure", "", "undeliverable"),
        ("return_to_sender", "return", "returned"),
        ("in_transit", "return", "returned"),
        ("delivered", "arrived_at_destination", "delivered"),
        ("pre_transit", "label_created", "dispatched"),
        ("a word of next year", "", "dispatched"),
    ],
)
def test_easyposts_words_mean(client, status, detail, stage):
    parcel = sent_parcel()
    told = make_detail(status, parcel.dispatched_at + timedelta(hours=5), detail=detail)
    assert post_easypost(client, make_easypost(parcel.tracking_number, told)).status_code == 200
    scans.process_waiting_messages()
    parcel.refresh_from_db()
    assert parcel.stage == stage


def sign_newer(body: bytes, *, at=None, path: str = EASYPOST, secret: str = "", as_iso: bool = False) -> dict[str, str]:
    moment = at or timezone.now()
    sent = moment.isoformat() if as_iso else format_datetime(moment)
    signed = f"{sent}POST{path}".encode() + body
    digest = hmac.new((secret or settings.CARRIER_WEBHOOK_SECRETS[0]).encode(), signed, "sha256").hexdigest()
    return {"X-Hmac-Signature-V2": f"hmac-sha256-hex={digest}", "X-Timestamp": sent, "X-Path": path}


@pytest.mark.parametrize("as_iso", [False, True])
def test_easyposts_newer_signature_is_taken(client, as_iso):
    body = json.dumps(make_easypost("1Z999")).encode()
    assert post_easypost(client, body, headers=sign_newer(body, as_iso=as_iso)).status_code == 200


def test_easyposts_newer_signature_is_refused_when_stale_elsewhere_or_forged(client):
    body = json.dumps(make_easypost("1Z999")).encode()
    good = sign_newer(body)
    for headers in (
        sign_newer(body, at=timezone.now() - timedelta(minutes=6)),
        sign_newer(body, at=timezone.now() + timedelta(minutes=6)),
        sign_newer(body, path="/webhooks/carrier/other/"),
        sign_newer(body, secret="somebody else's"),
        good | {"X-Timestamp": format_datetime(timezone.now() - timedelta(seconds=90))},
        good | {"X-Timestamp": ""},
        good | {"X-Timestamp": "yesterday"},
        {"X-Hmac-Signature-V2": good["X-Hmac-Signature-V2"]},
    ):
        assert post_easypost(client, body, headers=headers).status_code == 400
    assert not CarrierMessage.objects.exists()


@pytest.mark.parametrize(
    ("secret", "seconds"), [("somebody else's", 0), ("", -600), ("", 600)], ids=["forged", "stale", "to come"]
)
def test_forged_and_stale_messages_have_no_effect(client, secret, seconds):
    parcel = sent_parcel()
    before = everything()
    message = make_generic(parcel, scan("delivered", parcel, hours=5))
    assert post_generic(client, message, secret=secret, at=int(time.time()) + seconds).status_code == 400
    assert scans.process_waiting_messages() == 0
    assert everything() == before


def test_a_forged_or_old_message_of_easyposts_has_no_effect(client):
    parcel = sent_parcel()
    before = everything()
    good = make_easypost(parcel.tracking_number, make_detail("delivered", parcel.dispatched_at + timedelta(hours=5)))
    body = json.dumps(good).encode()
    assert post_easypost(client, good, secret="somebody else's").status_code == 400
    assert post_easypost(client, good, headers={}).status_code == 400
    assert post_easypost(client, body, headers={"X-Hmac-Signature": "hmac-sha256-hex="}).status_code == 400
    stale = good | {"created_at": (timezone.now() - timedelta(days=4)).isoformat()}
    assert post_easypost(client, stale).status_code == 400
    assert scans.process_waiting_messages() == 0
    assert everything() == before


def test_a_signature_of_one_body_does_not_sign_another(client):
    parcel = sent_parcel()
    body = json.dumps(make_generic(parcel, scan("delivered", parcel, hours=5))).encode()
    changed = body.replace(b"delivered", b"returned!")
    from orders.carriers import easypost, generic_format

    secret = settings.CARRIER_WEBHOOK_SECRETS[0]
    for path, headers in (
        (GENERIC, {generic_format.HEADER: generic_format.sign_body(body, secret, int(time.time()))}),
        (EASYPOST, {"X-Hmac-Signature": easypost.sign_body(body, secret)}),
    ):
        answer = client.post(path, changed, content_type="application/json", headers=headers)
        assert answer.status_code == 400
    assert not CarrierMessage.objects.exists()


def test_while_a_secret_is_rotated_both_are_taken(client, settings):
    settings.CARRIER_WEBHOOK_SECRETS = ["the new one", "the old one"]
    for secret, reference in (("the old one", "m1"), ("the new one", "m2")):
        message = {"id": reference, "number": "1Z999", "scans": []}
        assert post_generic(client, message, secret=secret).status_code == 200
        assert post_easypost(client, make_easypost("1Z999", reference=reference), secret=secret).status_code == 200
    settings.CARRIER_WEBHOOK_SECRETS = ["the new one"]
    assert post_generic(client, {"id": "m3", "number": "1", "scans": []}, secret="the old one").status_code == 400
    assert CarrierMessage.objects.count() == 4


def test_a_message_sent_again_is_one(client):
    parcel = sent_parcel()
    message = make_generic(parcel, scan("in_transit", parcel, hours=5))
    for _ in range(3):
        assert post_generic(client, message).status_code == 200
    assert scans.process_waiting_messages() == 1
    assert post_generic(client, message).status_code == 200
    assert scans.process_waiting_messages() == 0
    assert (CarrierMessage.objects.count(), TrackingEvent.objects.count()) == (1, 1)
    assert parcel.events.filter(kind="shipment_in_transit").count() == 1


SCAN = {"meaning": "in_transit", "at": "2026-03-01T14:05:00Z"}


@pytest.mark.parametrize(
    "message",
    [
        b"", b"\xff\xfe", b"[1]", b"null", b"{}", b"[" * 100_000, b'"x"', b'{"id": NaN}',
        {"id": "m1", "number": "1Z", "scans": "none"},
        {"id": "m1", "number": "1Z", "scans": [SCAN] * 301},
        {"id": "m1", "number": "1Z", "scans": [3]},
        {"id": "m1", "number": "1Z", "scans": [SCAN | {"meaning": "eaten"}]},
        {"id": "m1", "number": "1Z", "scans": [SCAN | {"meaning": []}]},
        {"id": "m1", "number": "1Z", "scans": [SCAN | {"at": "yesterday"}]},
        {"id": "m1", "number": "1Z", "scans": [SCAN | {"at": "0001-01-01T00:00:00+23:00"}]},
        {"id": "m1", "number": "–", "scans": []},
        {"id": "m1", "number": "1" * 61, "scans": []},
        {"id": "m1", "number": 7, "scans": []},
        {"id": "", "number": "1Z", "scans": []},
        {"id": "m 1", "number": "1Z", "scans": []},
        {"id": "m" * 121, "number": "1Z", "scans": []},
        {"id": 1, "number": "1Z", "scans": []},
    ],
)  # fmt: skip
def test_signed_nonsense_is_refused_with_a_sentence(client, message):
    for answer in (post_generic(client, message), post_easypost(client, message)):
        assert answer.status_code == 400
        assert answer.text.endswith(".")
    assert not CarrierMessage.objects.exists()


def test_what_a_scan_says_besides_may_be_anything(client):
    odd = SCAN | {"words": "a\0b" + "é" * 500, "place": {"city": "Leeds"}}
    assert post_generic(client, {"id": "m1", "number": "1Z", "scans": [odd]}).status_code == 200
    [kept] = CarrierMessage.objects.get().scans
    assert (len(kept["words"]), kept["place"]) == (200, "")


def test_a_body_that_is_too_large_is_not_read_on(client):
    answer = post_generic(client, b" " * (256 * 1024 + 1))
    assert answer.status_code == 413
    assert not CarrierMessage.objects.exists()


def test_nobody_else_has_an_address_there_and_nothing_is_shown(client):
    assert post_generic(client, {}, path="/webhooks/carrier/somebody/").status_code == 404
    assert client.get(GENERIC).status_code == 405


def test_a_number_we_do_not_know_is_answered_alike_and_waits_for_its_parcel(client):
    parcel = sent_parcel()
    known = make_generic(parcel, scan("in_transit", parcel, hours=5))
    unknown = known | {"id": "m2", "number": "1Z 999 AA1"}
    answers = [post_generic(client, each) for each in (known, unknown)]
    assert len({(each.status_code, each.text) for each in answers}) == 1
    assert scans.process_waiting_messages() == 1
    assert CarrierMessage.objects.filter(processed_at=None).get().number == "1Z999AA1"
    Shipment.objects.update(tracking_number="1Z999AA1")  # somebody corrects a typing error
    assert scans.process_waiting_messages() == 1


def test_unknown_numbers_are_kept_in_bounds(client, monkeypatch):
    monkeypatch.setattr(scans, "MOST_UNKNOWN", 3)
    for number in range(5):
        post_generic(client, {"id": f"m{number}", "number": f"1Z{number}", "scans": []})
    scans.process_waiting_messages()
    assert list(CarrierMessage.objects.order_by("pk").values_list("reference", flat=True)) == ["m2", "m3", "m4"]


def test_a_parcel_that_left_long_ago_or_not_yet_is_not_meant(client):
    parcel = sent_parcel(left_ago=timedelta(days=130))
    message = make_generic(parcel, scan("in_transit", parcel, hours=129 * 24))
    post_generic(client, message)
    assert scans.process_waiting_messages() == 0
    Shipment.objects.update(dispatched_at=timezone.now(), stage="packed")
    assert scans.process_waiting_messages() == 0
    assert not TrackingEvent.objects.exists()


def test_two_parcels_that_share_a_number_both_move(client):
    first, second = sent_parcel(), sent_parcel()
    Shipment.objects.filter(pk=second.pk).update(tracking_number=first.tracking_number)
    post_generic(client, make_generic(first, scan("delivered", first, hours=5)))
    scans.process_waiting_messages()
    assert set(Shipment.objects.values_list("stage", flat=True)) == {"delivered"}


def test_a_worker_that_dies_between_row_and_parcel_loses_nothing(client, monkeypatch):
    parcel = sent_parcel()
    post_generic(client, make_generic(parcel, scan("delivered", parcel, hours=5)))

    def die(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(scans.transitions, "move_shipment_by_scan", die)
        with pytest.raises(KeyboardInterrupt):
            scans.process_waiting_messages()
    assert CarrierMessage.objects.get().processed_at is None
    assert not TrackingEvent.objects.exists()
    assert Shipment.objects.get().stage == "dispatched"
    assert scans.process_waiting_messages() == 1
    assert Shipment.objects.get().stage == "delivered"


def test_one_message_that_fails_does_not_stop_the_others(client, monkeypatch):
    bad, good = sent_parcel(), sent_parcel()
    for parcel in (bad, good):
        told = scan("delivered", parcel, hours=5)
        post_generic(client, make_generic(parcel, told, reference=f"m{parcel.pk}"))
    record = scans.record_scans

    def fail_for_bad(shipment_id: int, told: object, *, sender: str) -> object:
        if shipment_id == bad.pk:
            raise ValueError("It does not work out")
        return record(shipment_id, told, sender=sender)

    monkeypatch.setattr(scans, "record_scans", fail_for_bad)
    assert scans.process_waiting_messages() == 1
    assert Shipment.objects.get(pk=good.pk).stage == "delivered"
    assert CarrierMessage.objects.get(processed_at=None).reference == f"m{bad.pk}"
