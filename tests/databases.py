"""The databases of a run: migrated once, by whichever process comes first, and copied by the others."""

from typing import Any

from django.core.management import call_command
from django.db import connection

MIGRATED = "migrated"
# The shop's own limits are for people who wait at a screen. Tests wait for each other, on machines that are busy.
PATIENT = "-c lock_timeout=120s -c statement_timeout=600s"


def be_patient(settings: dict[str, Any]) -> None:
    """Lets the connections of this process, of these settings, wait longer than the shop's would."""
    settings["OPTIONS"] = {**settings.get("OPTIONS", {}), "options": PATIENT}


def migrated_database() -> str:
    """The name of a database with every table in it. Waits for whoever is making it, however long that takes."""
    mine = connection.settings_dict["NAME"]
    with connection._nodb_cursor() as cursor:
        cursor.execute("SET lock_timeout = 0; SET statement_timeout = 0")
        cursor.execute("SELECT pg_advisory_lock(1)")  # the others wait; it goes with this connection
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [MIGRATED])
        if cursor.fetchone() is None:
            cursor.execute(f'CREATE DATABASE "{MIGRATED}"')
            connection.settings_dict["NAME"] = MIGRATED
            call_command("migrate", verbosity=0)
            connection.close()
            connection.settings_dict["NAME"] = mine
    return MIGRATED
