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

from shop.local.home import CHECKOUT, file_lock, get_home
from shop.local.postgres import Postgres
from shop.local.servers import started_servers, stop_servers_left_behind
from shop.local.valkey import Valkey

_PACKAGES = ("shop", "accounts", "orders", "notifications", "recommendations")
_SCAN_EXCLUDES = r"requirements.*\.txt$|tests/fixtures/"  # hashes of packages; published examples


@dataclass(frozen=True)
class Check:
    title: str
    command: Sequence[str]


def run_all_checks() -> int:
    os.chdir(CHECKOUT)
    home = get_home("check")
    with file_lock(home.path / "lock", wait=True):
        stop_servers_left_behind(home)
        with started_servers(home, durable=False):
            environment = build_production_environment(database_url=Postgres(home).url(), redis_url=Valkey(home).url())
            _print_line(f"Checking: {', '.join(check.title for check in list_checks())} …")
            with ThreadPoolExecutor(max_workers=2) as pool:
                outcomes = list(pool.map(lambda check: _run_check(check, environment), list_checks()))
    _print_line("")
    for title, outcome, seconds in outcomes:
        _print_line(f"  {outcome:<8} {title} ({seconds:.1f} s)")
    failed = [title for title, outcome, _ in outcomes if outcome == "FAILED"]
    _print_line(
        f"\n{len(failed)} of {len(outcomes)} checks failed.\n" if failed else "\nAll checks passed; now the tests.\n"
    )
    return 1 if failed else 0


def list_checks() -> list[Check]:
    return [
        Check("types (mypy)", _build_tool_command("mypy", *_find_packages())),  # the longest first
        Check("lint (ruff)", _build_tool_command("ruff", "check", "--quiet", ".")),
        Check("format (ruff)", _build_tool_command("ruff", "format", "--check", "--quiet", ".")),
        Check("rooms (import-linter)", [_get_script_path("lint-imports"), "--no-cache"]),
        Check(
            "templates (djade)",
            [_get_script_path("djade"), "--check", "--target-version", "5.2", *_list_project_files(".html")],
        ),
        Check(
            "layout of templates (djangofmt)",
            [_get_script_path("djangofmt"), "--check", *_list_project_files(".html")],
        ),
        Check("migrations", _build_django_command("makemigrations", "--check", "--dry-run", "-v", "1")),
        Check("settings for production", _build_django_command("check", "--deploy", "--fail-level", "WARNING")),
        Check(
            "weak spots (bandit)", _build_tool_command("bandit", "-q", "-r", *_find_packages(), "-c", "pyproject.toml")
        ),
        Check("secrets (detect-secrets)", _build_secret_scan_command()),
    ]


def build_production_environment(*, database_url: str, redis_url: str) -> dict[str, str]:
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


def _run_check(check: Check, environment: dict[str, str]) -> tuple[str, str, float]:
    """Its title, how it went, and for how many seconds. What it has to say is printed only if it failed."""
    began = time.monotonic()
    program = check.command[0]
    if not Path(program).exists() and shutil.which(program) is None:
        return check.title, "not run", 0.0
    done = subprocess.run(check.command, check=False, env=environment, capture_output=True, text=True)
    seconds = time.monotonic() - began
    if done.returncode == 0:
        return check.title, "passed", seconds
    _print_line(f"--- {check.title}\n{done.stdout}{done.stderr}")
    return check.title, "FAILED", seconds


def _build_tool_command(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


def _get_script_path(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def _build_django_command(*arguments: str) -> list[str]:
    return [sys.executable, "-W", "error", "manage.py", *arguments]


def _build_secret_scan_command() -> list[str]:
    hook = _get_script_path("detect-secrets-hook")
    # Words such as `password = …` are ruff's to find; `user:password@` stands in explanations.
    quiet = [
        "--disable-plugin",
        "KeywordDetector",
        "--exclude-secrets",
        "^password$",
        "--exclude-files",
        _SCAN_EXCLUDES,
    ]
    return [hook, *quiet, *_list_project_files()]


def _find_packages() -> list[str]:
    return [room for room in _PACKAGES if Path(room).is_dir()]


def _list_project_files(suffix: str = "") -> list[str]:
    """The project's own files: those under version control, or all there are where there is no git."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard"],
        check=False,
        capture_output=True,
        text=True,
    )
    names = listed.stdout.splitlines() if listed.returncode == 0 else _walk_files()
    return [name for name in names if name.endswith(suffix) and Path(name).is_file()]


def _walk_files() -> list[str]:
    hidden = (".venv", ".local", ".git")
    return [str(path) for path in Path().rglob("*") if path.is_file() and path.parts[0] not in hidden]


def _print_line(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(run_all_checks())
