"""`make check` before the tests: style, types, rooms, templates, migrations, settings, weak spots, secrets.

Each check is one command. All of them run, whatever the others say; one line each at the end tells how it went. What
this machine has no tool for is *not run*, never passed.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from shop.local.home import CHECKOUT, home_of, locked
from shop.local.postgres import Postgres
from shop.local.servers import clear_left_behind, started_servers
from shop.local.valkey import Valkey

_ROOMS = ("shop", "accounts", "orders", "notifications", "recommendations")
_NO_SECRETS_THERE = r"requirements.*\.txt$|tests/fixtures/"  # hashes of packages; published examples


@dataclass(frozen=True)
class Check:
    title: str
    command: Sequence[str]


def main() -> int:
    os.chdir(CHECKOUT)
    home = home_of("check")
    with locked(home.path / "lock", wait=True):
        clear_left_behind(home)
        with started_servers(home, durable=False):
            environment = production_like(database_url=Postgres(home).url(), redis_url=Valkey(home).url())
            _write(f"Checking: {', '.join(check.title for check in checks())} …")
            with ThreadPoolExecutor(max_workers=2) as pool:
                outcomes = list(pool.map(lambda check: _run(check, environment), checks()))
    _write("")
    for title, outcome, seconds in outcomes:
        _write(f"  {outcome:<8} {title} ({seconds:.1f} s)")
    failed = [title for title, outcome, _ in outcomes if outcome == "FAILED"]
    _write(
        f"\n{len(failed)} of {len(outcomes)} checks failed.\n" if failed else "\nAll checks passed; now the tests.\n"
    )
    return 1 if failed else 0


def checks() -> list[Check]:
    return [
        Check("types (mypy)", _tool("mypy", *_rooms())),  # the longest first
        Check("lint (ruff)", _tool("ruff", "check", "--quiet", ".")),
        Check("format (ruff)", _tool("ruff", "format", "--check", "--quiet", ".")),
        Check("rooms (import-linter)", [_script("lint-imports"), "--no-cache"]),
        Check("templates (djade)", [_script("djade"), "--check", "--target-version", "5.2", *_files(".html")]),
        Check("migrations", _manage("makemigrations", "--check", "--dry-run", "-v", "1")),
        Check("settings for production", _manage("check", "--deploy", "--fail-level", "WARNING")),
        Check("weak spots (bandit)", _tool("bandit", "-q", "-r", *_rooms(), "-c", "pyproject.toml")),
        Check("secrets (detect-secrets)", _secret_scan()),
    ]


def production_like(*, database_url: str, redis_url: str) -> dict[str, str]:
    """What a real shop would set, with services of our own: the deployment check must have nothing to say to it."""
    return {
        **os.environ,
        "SECRET_KEY": "in-production-a-long-random-string-of-at-least-fifty-characters-0123456789",
        "SITE_URL": "https://shop.saywhen.example",
        "ALLOWED_HOSTS": "shop.saywhen.example",
        "TRUSTED_PROXIES": "1",
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "EMAIL_URL": "smtp://mail.saywhen.example:25",
        "DEFAULT_FROM_EMAIL": "Say When <shop@saywhen.example>",
        "STRIPE_SECRET_KEY": "sk_of_production",
        "STRIPE_WEBHOOK_SECRET": "whsec_of_production",
        "CARRIER_WEBHOOK_SECRET": "carrier-of-production",
        "MAIL_WEBHOOK_SECRET": "mail-of-production",
        "REQUIRE_STAFF_MFA": "1",
        "DJANGO_SETTINGS_MODULE": "shop.settings",
    }


def _run(check: Check, environment: dict[str, str]) -> tuple[str, str, float]:
    """Its title, how it went, and for how many seconds. What it has to say is printed only if it failed."""
    began = time.monotonic()
    program = check.command[0]
    if not Path(program).exists() and shutil.which(program) is None:
        return check.title, "not run", 0.0
    done = subprocess.run(check.command, check=False, env=environment, capture_output=True, text=True)
    seconds = time.monotonic() - began
    if done.returncode == 0:
        return check.title, "passed", seconds
    _write(f"--- {check.title}\n{done.stdout}{done.stderr}")
    return check.title, "FAILED", seconds


def _tool(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


def _script(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def _manage(*arguments: str) -> list[str]:
    return [sys.executable, "-W", "error", "manage.py", *arguments]


def _secret_scan() -> list[str]:
    hook = _script("detect-secrets-hook")
    # Words such as `password = …` are ruff's to find; `user:password@` stands in explanations.
    quiet = [
        "--disable-plugin",
        "KeywordDetector",
        "--exclude-secrets",
        "^password$",
        "--exclude-files",
        _NO_SECRETS_THERE,
    ]
    return [hook, *quiet, *_files()]


def _rooms() -> list[str]:
    return [room for room in _ROOMS if Path(room).is_dir()]


def _files(suffix: str = "") -> list[str]:
    """The project's own files: those under version control, or all there are where there is no git."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard"],
        check=False,
        capture_output=True,
        text=True,
    )
    names = listed.stdout.splitlines() if listed.returncode == 0 else _walk()
    return [name for name in names if name.endswith(suffix) and Path(name).is_file()]


def _walk() -> list[str]:
    hidden = (".venv", ".local", ".git")
    return [str(path) for path in Path().rglob("*") if path.is_file() and path.parts[0] not in hidden]


def _write(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
