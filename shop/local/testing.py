"""The servers and the environment for one run of the tests.

The run's own PostgreSQL and Valkey live in a folder of their own and go with the run. A run that was killed leaves its
folder behind; nobody holds its lock any more, so the next run stops what it left and removes it.
"""

import atexit
import contextlib
import os
import shutil
from collections.abc import Mapping

from shop.local.home import Home, file_lock, get_home
from shop.local.postgres import Postgres
from shop.local.servers import started_servers, stop_servers_left_behind
from shop.local.valkey import Valkey

DATABASES_PER_WORKER = 4  # of Valkey's: broker, cache, and two to spare
_OWNED_MARKER = "SAY_WHEN_TESTS_OWN_SERVERS"
_server_stack = contextlib.ExitStack()
_owner_pid = os.getpid()


def prepare_test_environment() -> None:
    """Sets the environment the settings read, starting servers unless the developer names some.

    Called before the settings are loaded: once where pytest was started, which owns the servers, and once in each
    worker, which inherits their addresses.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is None and not {"DATABASE_URL", "REDIS_URL"} <= os.environ.keys():
        _start_test_servers()
    if worker is not None and os.environ["REDIS_URL"].startswith("unix:"):
        address = os.environ["REDIS_URL"].partition("?")[0]
        os.environ["REDIS_URL"] = f"{address}?db={DATABASES_PER_WORKER * (1 + int(worker.removeprefix('gw')))}"
    for name, value in get_test_settings().items():
        os.environ.setdefault(name, value)
    os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"


def stop_test_servers() -> None:
    if os.getpid() == _owner_pid:  # a forked child must not take the servers with it
        _server_stack.close()


def owns_servers() -> bool:
    """Whether this run's servers end with it, and all that is in them."""
    return _OWNED_MARKER in os.environ


def get_test_settings() -> Mapping[str, str]:
    return {
        "SECRET_KEY": "for-tests-only-for-tests-only-for-tests-only-for-tests-only",
        "SITE_URL": "http://localhost:8000",
        "ALLOWED_HOSTS": "localhost,127.0.0.1,testserver",
        "EMAIL_URL": "smtp://127.0.0.1:1",
        "DEFAULT_FROM_EMAIL": "Say When <shop@saywhen.example>",
        "STRIPE_SECRET_KEY": "sk_test_for_tests",
        "STRIPE_WEBHOOK_SECRET": "whsec_for_tests",
        "STRIPE_API_BASE": "http://127.0.0.1:1",
        "STRIPE_CHECKOUT_ORIGIN": "http://127.0.0.1:1",
        "CARRIER_WEBHOOK_SECRET": "carrier-for-tests",
        "MAIL_WEBHOOK_SECRET": "mail-for-tests",
        "REQUIRE_STAFF_MFA": "0",
        "STATIC_STORAGE": "django.contrib.staticfiles.storage.StaticFilesStorage",
    }


def find_chromium() -> str | None:
    """The Chromium that browser tests drive: `CHROMIUM` and no other if set, else the usual place or the path."""
    if named := os.environ.get("CHROMIUM"):
        return shutil.which(named)
    return shutil.which("/usr/bin/chromium") or shutil.which("chromium")


def _start_test_servers() -> None:
    tests = get_home("tests")
    _clear_earlier_runs(tests)
    home = Home(tests.folder(f"run-{os.getpid()}"), tests.owner)
    _server_stack.callback(shutil.rmtree, home.path, ignore_errors=True)
    _server_stack.callback(shutil.rmtree, home.sockets, ignore_errors=True)
    _server_stack.enter_context(file_lock(home.path / "lock"))
    _server_stack.enter_context(started_servers(home, durable=False))
    atexit.register(stop_test_servers)
    os.environ[_OWNED_MARKER] = "1"
    os.environ.setdefault("DATABASE_URL", Postgres(home).url())
    os.environ.setdefault("REDIS_URL", Valkey(home).url())
    media = home.folder("media")
    os.environ.setdefault("MEDIA_ROOT", str(media))
    os.environ.setdefault("PRIVATE_ROOT", str(home.folder("private")))
    os.environ.setdefault("JOURNAL_PATH", str(home.path / "journal"))
    os.environ.setdefault("STATIC_ROOT", str(home.folder("static")))


def _clear_earlier_runs(tests: Home) -> None:
    for folder in tests.path.glob("run-*"):
        with file_lock(folder / "lock") as nobody_has_it:
            if nobody_has_it:
                left = Home(folder, tests.owner)
                stop_servers_left_behind(left)
                shutil.rmtree(left.sockets, ignore_errors=True)
                shutil.rmtree(folder, ignore_errors=True)
