"""A copy of everything held: complete, private, built in the background, gone after a week."""

import io
import json
import re
import zipfile

import pytest
from django.urls import reverse

from accounts.models import AccountEvent, DataExport
from accounts.privacy import export
from notifications import relay
from notifications.models import OutgoingEmail
from shop import personal_data
from shop.retrying import loops
from shop.retrying.models import StuckItem
from shop.storefront.tasks import build_exports
from tests import builders, cast
from tests.login import sign_in
from tests.privacy import people

pytestmark = pytest.mark.django_db


def archive_of(made: DataExport) -> zipfile.ZipFile:
    with export.get_private_storage().open(made.file) as file:
        return zipfile.ZipFile(io.BytesIO(file.read()))


def built(customer) -> DataExport:
    made = export.request_export(customer)
    build_exports()
    made.refresh_from_db()
    return made


def test_the_copy_holds_everything_in_three_files(client):
    zora = people.zora()
    people.delivered_order(zora)
    people.suppressed()
    made = built(zora)
    assert (made.state, made.done_count) == (DataExport.State.READY, made.all_count)
    archive = archive_of(made)
    assert archive.namelist() == ["read-me-first.html", "data.json", "consent-receipt.json"]
    data = json.loads(archive.read("data.json"))["data"]
    assert set(data) == {holding.key for holding in personal_data.get_holdings()}
    parcels = [parcel for order in data["orders"]["rows"] for parcel in order["parcels"]]
    assert [parcel["went_to"]["line1"] for parcel in parcels] == [people.STREET]
    page = archive.read("read-me-first.html").decode()
    for word in (
        people.EMAIL,
        people.NAME,
        people.STREET,
        people.PHONE,
        people.NOTE,
        people.TRACKING,
        people.COMPANY,
        people.VAT_ID,
    ):
        assert word in archive.read("data.json").decode()
        assert word in page
    assert not re.search(r"src=|href=|url\(|@import|<script|<link", page)
    assert json.loads(archive.read("consent-receipt.json"))["schema_version"] == "ISO/IEC TS 27560:2023"


def test_nothing_of_others_is_in_the_copy():
    zora, alice = people.zora(), cast.alice()
    people.delivered_order(zora)
    archive = archive_of(built(alice))
    told = archive.read("data.json").decode() + archive.read("read-me-first.html").decode()
    assert [word for word in people.SECRETS if word.lower() in told.lower()] == []


def test_a_mail_says_that_it_is_ready_and_carries_no_file():
    zora = people.zora()
    built(zora)
    relay.relay_all_events()
    mail = OutgoingEmail.objects.get(topic="export_ready")
    assert (mail.state, mail.to_address, mail.context) == ("queued", people.EMAIL, {})


def test_the_page_counts_what_is_held_and_shows_how_far_the_copy_is(client):
    zora = people.zora()
    people.delivered_order(zora)
    client.force_login(zora.user)
    page = client.get(reverse("own_data")).content.decode()
    for holding in personal_data.get_holdings():
        assert holding.title.replace("'", "&#x27;") in page
    answer = client.post(reverse("data_copies"), headers={"HX-Request": "true"})
    assert "every 2s" in answer.content.decode()
    assert client.post(reverse("data_copies"), follow=True).status_code == 200  # one at a time
    assert DataExport.objects.count() == 1
    DataExport.objects.update(state="building", done_count=3, all_count=12)
    assert "3 of 12 kinds" in client.get(reverse("own_data")).content.decode()
    DataExport.objects.update(state="waiting")
    build_exports()
    assert "Download your copy" in client.get(reverse("data_copies"), headers={"HX-Request": "true"}).content.decode()


def test_only_its_owner_may_download_it_and_as_a_file_only(client):
    zora, alice = people.zora(), cast.alice()
    made = built(zora)
    url = reverse("data_copy", args=[made.pk])
    assert client.get(url).status_code == 302  # who are you?
    sign_in(client, alice.user)
    assert client.get(url).status_code == 404
    sign_in(client, zora.user)
    answer = client.get(url)
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "no-store" in answer.headers["Cache-Control"]
    assert zipfile.is_zipfile(io.BytesIO(b"".join(answer.streaming_content)))
    assert client.get(f"/media/{made.file}").status_code == 404
    DataExport.objects.update(ready_at=people.long_ago(days=8))
    assert client.get(url).status_code == 404


def test_five_copies_a_day_and_the_newest_replaces_the_older():
    zora = people.zora()
    first = built(zora)
    assert export.get_private_storage().exists(first.file)
    second = built(zora)
    assert not export.get_private_storage().exists(first.file)
    assert list(zora.data_exports.all()) == [second]
    for _ in range(4):
        zora.data_exports.create(state="ready")
    with pytest.raises(export.TooManyExports):
        export.request_export(zora)


def test_a_job_that_died_is_followed_by_another_and_a_failure_is_said(monkeypatch):
    zora = people.zora()
    made = export.request_export(zora)
    DataExport.objects.update(state="building", begun_at=people.long_ago(minutes=1))
    build_exports()
    assert DataExport.objects.get().state == "building"  # another worker may be at it
    DataExport.objects.update(begun_at=people.long_ago(minutes=11))
    build_exports()
    made.refresh_from_db()
    assert made.state == "ready"
    export.request_export(zora)
    monkeypatch.setattr(export.receipts, "make_consent_receipt", lambda *args, **kwargs: 1 / 0)
    for _ in range(export.MOST_ATTEMPTS):
        assert zora.data_exports.first().state == "waiting"
        build_exports()
        loops.retry_now(StuckItem.objects.all())
    assert zora.data_exports.first().state == "failed"
    assert AccountEvent.objects.filter(kind="export_ready").count() == 1


def test_the_page_asks_strangers_who_they_are(client):
    builders.customer()
    for name in ("own_data", "data_copies", "erasure_ask"):
        assert client.get(reverse(name)).status_code == 302
    assert not DataExport.objects.exists()
