"""A backup as it is made and restored in earnest, by PostgreSQL's own tools: what an erased person leaves in either."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest
from django.core.management import call_command
from django.db import connection

from accounts.consent import consent, purposes
from shop.local.home import CHECKOUT, get_home
from shop.local.postgres import find_postgres_binaries
from tests import builders, cast
from tests.privacy import people
from tests.privacy.test_erasure import erased
from tests.reliability.stack import database_url

pytestmark = pytest.mark.django_db(transaction=True)


def tool(name: str, *arguments: str | Path) -> str:
    command = [find_postgres_binaries(get_home("tests")) / name, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def words_left_in(url: str) -> set[str]:
    """Whichever of the person's words a dump of the whole database still holds."""
    text = tool("pg_dump", "--inserts", "-d", url).lower()
    assert "insert into public.accounts_consentrecord" in text
    return {word for word in people.SECRETS if word.lower() in text}


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """An empty database beside the test's own."""
    parts = urlsplit(database_url())
    name = f"{connection.settings_dict['NAME']}_restored"
    with closing(psycopg2.connect(urlunsplit(parts._replace(path="/postgres")))) as server:
        server.autocommit = True
        with server.cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{name}"')
            yield urlunsplit(parts._replace(path=f"/{name}"))
            cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def manage(database: str, *arguments: str | Path) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=CHECKOUT,
        env={**os.environ, "DATABASE_URL": database},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_dump_holds_no_trace_and_a_restored_one_is_told_who_was_erased_since(
    tmp_path, settings, elsewhere, standin_for_commands
):
    settings.JOURNAL_PATH = journal = tmp_path / "journal"
    zora, alice = people.zora(), cast.alice()
    people.delivered_order(zora)
    builders.placed_order(customer=alice)
    mark, backup = tmp_path / "checkpoint", tmp_path / "backup"
    call_command("checkpoint_consents", str(mark))
    tool("pg_dump", "-Fc", "-f", backup, "-d", database_url())

    consent.set_consent(alice, purposes.NEWSLETTER, granted=False, source="preferences")
    erased(zora)
    assert words_left_in(database_url()) == set(people.ON_AN_INVOICE)

    tool("pg_restore", "--exit-on-error", "-d", elsewhere, backup)
    assert words_left_in(elsewhere) == set(people.SECRETS)
    manage(elsewhere, "after_restore", "--journal", journal)
    assert words_left_in(elsewhere) == set(people.ON_AN_INVOICE)
    manage(elsewhere, "verify_consents", "--checkpoint", mark)
    assert answer_in(elsewhere, alice.email, purposes.NEWSLETTER) is False
    assert answer_in(elsewhere, alice.email, purposes.RECEIPT_OFFER) is True


def answer_in(url: str, email: str, purpose: str) -> bool:
    with closing(psycopg2.connect(url)) as restored, restored.cursor() as cursor:
        cursor.execute(
            "SELECT granted FROM accounts_consent JOIN accounts_customer c ON c.id = customer_id"
            " WHERE c.email = %s AND purpose = %s",
            [email, purpose],
        )
        return bool(cursor.fetchone()[0])
