"""`make run`: from a bare checkout to a shop with its shelves full."""

import hashlib
import os
from pathlib import Path

from shop.local.account import LocalError
from shop.local.console import Console
from shop.local.environment import Ports, build_shop_environment, choose_ports, save_ports, uses_local_service
from shop.local.home import CHECKOUT, RUNNING_ALREADY, Home, file_lock, get_home
from shop.local.parts import build_manage_command, build_parts
from shop.local.postgres import Postgres
from shop.local.processes import Part
from shop.local.servers import stop_servers_left_behind
from shop.local.supervisor import Supervisor, run_supervised
from shop.local.valkey import Valkey

STARTED_FIRST = ("mailbox", "stripe", "carrier")  # what the shop leans on
REAL_FILE = "online_retail.csv.gz"
_PASSWORD = "say-when-please"  # noqa: S105  (of the sample people, on this machine only)
_LOGINS = (
    ("staff@saywhen.example", "runs the shop"),
    ("alice@saywhen.example", "a customer with everything ticked"),
    ("bob@saywhen.example", "a customer with nothing ticked"),
)


def run_shop(shop: str) -> None:
    """Raises `LocalError` with what to do about it."""
    home = get_home(shop)
    with file_lock(home.path / "lock") as ours:
        if not ours:
            raise LocalError(RUNNING_ALREADY)
        console = Console(log_path=home.path / "shop.log")
        left = stop_servers_left_behind(home)
        if left:
            console.say(f"The run before was killed and left {', '.join(left)} running: stopped.")
        ports = choose_ports()
        save_ports(home, ports)
        supervisor = Supervisor(home, console)
        run_supervised(supervisor, lambda: _start_shop(shop, home, ports, supervisor, console))


def _start_shop(shop: str, home: Home, ports: Ports, supervisor: Supervisor, console: Console) -> None:
    environment = build_shop_environment(home, ports)
    if uses_local_service("DATABASE_URL"):
        postgres = Postgres(home)
        console.say("Starting PostgreSQL …")
        supervisor.start_server(postgres.part())
        postgres.ensure_database()
    if uses_local_service("REDIS_URL"):
        supervisor.start_server(Valkey(home).part())
    steps = _SetupSteps(home, environment, supervisor)
    steps.always("Bringing the database up to date", "migrate", "--verbosity", "1")
    steps.run_when_changed(
        "Gathering static files", _fingerprint_static_files(), "collectstatic", "--noinput", "-v", "0"
    )
    load_shop_data(shop, home, steps)
    parts = build_parts(home, ports, environment)
    for part in parts:
        if part.name in STARTED_FIRST:
            supervisor.start(part)
    supervisor.wait_until_ready()
    if shop != "online-retail" and uses_local_service("STRIPE_SECRET_KEY"):
        steps.once("Paying for the sample orders at the Stripe stand-in", "pay_sample_orders")
    console.say("Opening the shop …")
    for part in parts:
        if part.name not in STARTED_FIRST:
            supervisor.start(part)
    supervisor.wait_until_ready()
    console.plain(_format_welcome(home, ports, environment))


class _SetupSteps:
    """Management commands on the way to an open shop, some done only once or only after a change."""

    def __init__(self, home: Home, environment: dict[str, str], supervisor: Supervisor) -> None:
        self._environment = environment
        self._supervisor = supervisor
        self._done = home.folder("done")

    def always(self, title: str, *arguments: str) -> None:
        part = Part("setup", build_manage_command(*arguments), self._environment, CHECKOUT, patience_seconds=5)
        self._supervisor.step(title, part)

    def once(self, title: str, *arguments: str) -> None:
        self.run_when_changed(title, "done", *arguments)

    def run_when_changed(self, title: str, state: str, *arguments: str) -> None:
        mark = self._done / f"{arguments[0]}-{hashlib.sha256(title.encode()).hexdigest()[:8]}"
        if not mark.exists() or mark.read_text() != state:
            self.always(title, *arguments)
            mark.write_text(state)


def load_shop_data(shop: str, home: Home, steps: _SetupSteps) -> None:
    if shop == "online-retail":
        _load_real_file(home, steps)
    else:
        steps.once("Filling the shelves with the sample store", "load_sample_store")


def _load_real_file(home: Home, steps: _SetupSteps) -> None:
    orders, no_orders, consents = (
        _find_shared_data() / REAL_FILE,
        home.path / "no-orders.csv",
        str(home.path / "consents.csv"),
    )
    no_orders.write_text("order_number,placed_at,customer,sku,title,quantity,unit_price,gift\n")
    reading = (str(orders), "--format", "online-retail", "--stock", "100")
    steps.once("Settling how the shop sells and posts", "load_sample_store", "--only", "terms")
    steps.once("Reading the orders of the real file", "import_orders", *reading)
    steps.once("Drawing who consents (60 %, seed 1)", "make_consents", "--share", "0.6", "--seed", "1", consents)
    steps.once("Writing those consents down", "import_orders", str(no_orders), "--consents", consents)
    steps.once("Letting the sample people in", "load_sample_store", "--only", "people")  # after the draw above
    steps.once("Learning what goes with what", "train_recommendations")


def _find_shared_data() -> Path:
    folder = Path(os.environ.get("SHARED_DATA") or CHECKOUT.parent / "shared" / "data")
    if not (folder / REAL_FILE).is_file():
        raise LocalError(
            f"{REAL_FILE} is not in {folder}. Say where it is: make run DATA=online-retail SHARED_DATA=/folder/of/it"
        )
    return folder


def _fingerprint_static_files() -> str:
    """Changes whenever a static file does, ours or a library's, or how they are joined."""
    digest = hashlib.sha256((CHECKOUT / "requirements.txt").read_bytes())
    digest.update((CHECKOUT / "shop/style_sheets.py").read_bytes())
    for path in sorted((CHECKOUT / "static").rglob("*")):
        found = path.stat()
        digest.update(f"{path}{found.st_size}{found.st_mtime_ns}".encode())
    return digest.hexdigest()


def _format_welcome(home: Home, ports: Ports, environment: dict[str, str]) -> str:
    lines = [
        "",
        f"  The shop is open:   {environment['SITE_URL']}",
        f"  Staff:              {environment['SITE_URL']}/admin/",
    ]
    lines += [f"    {login:<26}{about}" for login, about in _LOGINS]
    lines.append(f"  Password for all:   {_PASSWORD}   (this machine only)")
    if uses_local_service("EMAIL_URL"):
        lines.append(f"  Mailbox:            http://localhost:{ports.mailbox}   every mail the shop sends")
    if uses_local_service("STRIPE_SECRET_KEY"):
        lines.append(f"  Stripe stand-in:    http://localhost:{ports.stripe}   no real card is ever charged")
    else:
        lines.append("  Payments:           real Stripe, by the STRIPE_SECRET_KEY in your environment")
    if uses_local_service("EASYPOST_API_KEY"):
        lines.append("  Carrier stand-in:   a parcel you ship with a number is at the door some two minutes later")
    if environment["REQUIRE_STAFF_MFA"] == "0":
        lines.append("  Staff log in without a second factor here (REQUIRE_STAFF_MFA=0); a real shop asks for one.")
    lines += [f"  Log file:           {home.path / 'shop.log'}", "  Ctrl-C stops all of it.", ""]
    return "\n".join(lines)
