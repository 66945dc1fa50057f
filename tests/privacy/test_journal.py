"""The journal on a disk that is full, torn by a machine that died, and read again."""

import json
import resource
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.consent import consent, purposes
from accounts.models import Customer, Erasure
from accounts.privacy import erasure, export, journal
from shop import durable_files
from shop.file_storage import DurableFileStorage
from tests import builders, cast
from tests.patience import PATIENCE_SECONDS
from tests.privacy import people
from tests.privacy.test_erasure import notice_left

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def path(settings, tmp_path):
    settings.JOURNAL_PATH = tmp_path / "journal"
    return settings.JOURNAL_PATH


@contextmanager
def full_after(size):
    """The kernel itself lets no file of this process grow beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def line(**ids):
    return json.dumps({"at": timezone.now().isoformat(), **ids}, separators=(",", ":")) + "\n"


@pytest.mark.parametrize("room", [0, 1, 40, 150])
def test_a_disk_that_fills_within_a_line_takes_none_of_it_and_the_no_counts(path, caplog, room):
    bob, alice = cast.bob(), cast.alice()
    consent.set_consent(bob, purposes.NEWSLETTER, granted=False, source="preferences")
    whole = path.read_bytes()
    with full_after(len(whole) + room):
        consent.set_consent(alice, purposes.NEWSLETTER, granted=False, source="preferences")
    assert path.read_bytes() == whole
    assert not consent.allows(alice, purposes.NEWSLETTER)
    assert "journal could not be written" in caplog.text
    consent.set_consent(alice, purposes.RECEIPT_OFFER, granted=False, source="preferences")
    assert [entry.chain for entry in journal.read_journal(path)] == [bob.chain, alice.chain]


def test_an_erasure_waits_until_the_journal_can_hold_it(path):
    zora = people.zora()
    asked = erasure.request_erasure(zora, at_once=True)
    notice_left()
    with full_after(path.stat().st_size + 40):
        assert erasure.erase_due_customers() == 0
    assert Customer.objects.filter(pk=zora.pk).exists()
    assert zora.consent_payloads.exists()
    assert erasure.run_erasure(Erasure.objects.get(pk=asked.pk))
    assert [entry.what for entry in journal.read_journal(path)] == ["erasure_asked", "erased"]


def test_what_a_dead_machine_left_torn_spoils_no_later_line(path):
    bob, lost = cast.bob(), uuid4()
    path.write_text(line(what="withdrawn", chain=str(lost), purpose=purposes.NEWSLETTER)[:-9])
    consent.set_consent(bob, purposes.NEWSLETTER, granted=False, source="preferences")
    torn = []
    assert [entry.chain for entry in journal.read_journal(path, on_torn=torn.append)] == [bob.chain]
    assert len(torn) == 1
    assert "line 1 was cut off" in torn[0]
    assert str(lost) in torn[0]


@pytest.mark.parametrize("cut", [1, 4, 30, 90])
@pytest.mark.parametrize("end", ["", "\n", "\0\0\0\0"])
def test_a_torn_line_is_named_and_the_others_are_followed(path, standin, capsys, cut, end):
    alice, bob = cast.alice(), builders.customer(ticks=(purposes.NEWSLETTER,))
    torn = line(what="withdrawn", chain=str(uuid4()), purpose=purposes.NEWSLETTER)[:cut]
    path.write_text(
        line(what="withdrawn", chain=str(alice.chain), purpose=purposes.NEWSLETTER)
        + torn
        + end  # without an end of its own the next line is glued to it, as a full disk used to leave it
        + line(what="withdrawn", chain=str(bob.chain), purpose=purposes.NEWSLETTER)
    )
    call_command("after_restore", journal=path)
    assert f"{path}, line 2 was cut off" in capsys.readouterr().err
    assert not consent.find_granted_consents(purposes.NEWSLETTER).exists()


def test_bytes_that_no_journal_wrote_are_refused_before_anything_is_done(path):
    alice = cast.alice()
    for spoilt in (
        b"\xff\xfe\x00rubbish\n",
        b'{"at":"yesterday","what":"withdrawn"}\n',
        b"[]\n",
        b'{"what":"erased"}\n',
    ):
        path.write_bytes(line(what="erased", chain=str(alice.chain)).encode() + spoilt)
        with pytest.raises(CommandError, match="line 2 is not a line"):
            call_command("after_restore", journal=path)
    assert Customer.objects.get() == alice
    assert not Erasure.objects.exists()


WRITER = """
import sys
from pathlib import Path
from shop import durable_files
for _ in range(50):
    durable_files.append_lines(Path(sys.argv[1]), (sys.argv[2] * 4000 + "\\n").encode())
"""


def test_many_writers_at_once_leave_whole_lines(tmp_path):
    path = tmp_path / "many"
    path.write_text("torn")
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), letter]) for letter in "abcd"]
    assert [writer.wait(timeout=PATIENCE_SECONDS) for writer in writers] == [0, 0, 0, 0]
    lines = path.read_text().splitlines()
    assert lines[0] == "torn"
    assert sorted(lines[1:]) == sorted(letter * 4000 for letter in "abcd" for _ in range(50))


@pytest.mark.parametrize("was", [None, b"as it was"])
def test_a_file_is_written_whole_or_stays_as_it_was(tmp_path, was):
    path = tmp_path / "file"
    if was is not None:
        path.write_bytes(was)
    with full_after(100), pytest.raises(OSError, match="too large"):
        durable_files.write_file(path, [b"x" * 60, b"y" * 60])
    assert [each.name for each in tmp_path.iterdir()] == (["file"] if was else [])
    assert was is None or path.read_bytes() == was
    durable_files.write_file(path, [b"x" * 60, b"y" * 60], mode=0o400)
    assert path.read_bytes() == b"x" * 60 + b"y" * 60
    assert path.stat().st_mode & 0o777 == 0o400


def test_threads_take_turns_too(path):
    chains = [uuid4() for _ in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda chain: journal.record_withdrawal(chain, purposes.NEWSLETTER), chains))
    assert {entry.chain for entry in journal.read_journal(path)} == set(chains)
    assert all(entry.is_sealed for entry in journal.read_journal(path))


def test_a_copy_that_does_not_fit_on_the_disk_leaves_no_half_behind(settings, tmp_path):
    alice = cast.alice()
    private = export.get_private_storage()
    made = export.request_export(alice)
    with full_after(2000):
        export.build_waiting_exports(controller={"name": "Say When"}, privacy_url="https://shop.example/privacy/")
    made.refresh_from_db()
    assert (made.state, made.file) == ("waiting", "")  # it is tried again later
    assert _files_of(private, made) == []
    made.delete()
    again = export.request_export(alice)
    export.build_waiting_exports(controller={"name": "Say When"}, privacy_url="https://shop.example/privacy/")
    again.refresh_from_db()
    assert _files_of(private, again) == [f"{again.pk}.zip"]
    assert Path(private.path(again.file)).stat().st_mode & 0o777 == 0o600
    assert zipfile.ZipFile(private.path(again.file)).testzip() is None
    export.delete_exports([again])


def _files_of(storage, made):
    return [name for name in storage.listdir("exports")[1] if str(made.pk) in name]


def test_a_picture_that_does_not_fit_leaves_nothing_and_a_taken_name_stays_whose_it_is(tmp_path):
    storage = DurableFileStorage(location=tmp_path)
    with full_after(10), pytest.raises(OSError, match="too large"):
        storage.save("boots.jpg", ContentFile(b"x" * 100))
    assert list(tmp_path.iterdir()) == []
    first, second = (storage.save("boots.jpg", ContentFile(words)) for words in (b"first", b"second"))
    assert first == "boots.jpg" != second
    assert [(tmp_path / name).read_bytes() for name in (first, second)] == [b"first", b"second"]
    assert len(list(tmp_path.iterdir())) == 2


def test_a_checkpoint_that_does_not_fit_leaves_the_one_before(tmp_path):
    file = tmp_path / "checkpoint"
    cast.alice()
    call_command("checkpoint_consents", str(file))
    before = file.read_bytes()
    with full_after(30), pytest.raises(CommandError, match="cannot be written"):
        call_command("checkpoint_consents", str(file))
    assert [each.name for each in tmp_path.iterdir()] == ["checkpoint"]
    assert file.read_bytes() == before
