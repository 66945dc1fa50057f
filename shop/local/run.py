"""`make run`: from a bare checkout to a shop with its shelves full."""

import hashlib
import os
from pathlib import Path

from shop.local.account import LocalError
from shop.local.console import Console
from shop.local.environment import Ports, choose_ports, environment_of, remember_ports, uses_own
from shop.local.home import CHECKOUT, RUNNING_ALREADY, Home, home_of, locked
from shop.local.parts import manage_command, parts_of
from shop.local.postgres import Postgres
from shop.local.processes import Part
from shop.local.servers import clear_left_behind
from shop.local.supervisor import Supervisor, run_under
from shop.local.valkey import Valkey

BEFORE_OPENING = ("mailbox", "stripe")  # what the shop leans on
REAL_FILE = "online_retail.csv.gz"
_PASSWORD = "say-when-please"  # noqa: S105  (of the sample people, on this machine only)
_LOGINS = (
    ("staff@saywhen.example", "runs the shop"),
    ("alice@saywhen.example", "a customer with everything ticked"),
    ("bob@saywhen.example", "a customer with nothing ticked"),
)


def run(shop: str) -> None:
    """Raises `LocalError` with what to do about it."""
    home = home_of(shop)
    with locked(home.path / "lock") as ours:
        if not ours:
            raise LocalError(RUNNING_ALREADY)
        console = Console(log_path=home.path / "shop.log")
        left = clear_left_behind(home)
        if left:
            console.say(f"The run before was killed and left {', '.join(left)} running: stopped.")
        ports = choose_ports()
        remember_ports(home, ports)
        supervisor = Supervisor(home, console)
        run_under(supervisor, lambda: _get_ready(shop, home, ports, supervisor, console))


def _get_ready(shop: str, home: Home, ports: Ports, supervisor: Supervisor, console: Console) -> None:
    environment = environment_of(home, ports)
    if uses_own("DATABASE_URL"):
        postgres = Postgres(home)
        console.say("Starting PostgreSQL …")
        supervisor.start_server(postgres.part())
        postgres.make_database()
    if uses_own("REDIS_URL"):
        supervisor.start_server(Valkey(home).part())
    steps = _Steps(home, environment, supervisor)
    steps.always("Bringing the database up to date", "migrate", "--verbosity", "1")
    steps.when_changed("Gathering static files", _fingerprint(), "collectstatic", "--noinput", "-v", "0")
    fill(shop, home, steps)
    parts = parts_of(home, ports, environment)
    for part in parts:
        if part.name in BEFORE_OPENING:
            supervisor.start(part)
    supervisor.wait_until_ready()
    if shop != "online-retail" and uses_own("STRIPE_SECRET_KEY"):
        steps.once("Paying for the sample orders at the Stripe stand-in", "pay_sample_orders")
    console.say("Opening the shop …")
    for part in parts:
        if part.name not in BEFORE_OPENING:
            supervisor.start(part)
    supervisor.wait_until_ready()
    console.plain(_welcome(home, ports, environment))


class _Steps:
    """Management commands on the way to an open shop, some done only once or only after a change."""

    def __init__(self, home: Home, environment: dict[str, str], supervisor: Supervisor) -> None:
        self._environment = environment
        self._supervisor = supervisor
        self._done = home.folder("done")

    def always(self, title: str, *arguments: str) -> None:
        part = Part("setup", manage_command(*arguments), self._environment, CHECKOUT, patience_seconds=5)
        self._supervisor.step(title, part)

    def once(self, title: str, *arguments: str) -> None:
        self.when_changed(title, "done", *arguments)

    def when_changed(self, title: str, state: str, *arguments: str) -> None:
        mark = self._done / f"{arguments[0]}-{hashlib.sha256(title.encode()).hexdigest()[:8]}"
        if not mark.exists() or mark.read_text() != state:
            self.always(title, *arguments)
            mark.write_text(state)


def fill(shop: str, home: Home, steps: _Steps) -> None:
    if shop == "online-retail":
        _fill_from_the_real_file(home, steps)
    else:
        steps.once("Filling the shelves with the sample store", "load_sample_store")


def _fill_from_the_real_file(home: Home, steps: _Steps) -> None:
    orders, no_orders, consents = (
        _shared_data() / REAL_FILE,
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


def _shared_data() -> Path:
    folder = Path(os.environ.get("SHARED_DATA") or CHECKOUT.parent / "shared" / "data")
    if not (folder / REAL_FILE).is_file():
        raise LocalError(
            f"{REAL_FILE} is not in {folder}. Say where it is: make run DATA=online-retail SHARED_DATA=/folder/of/it"
        )
    return folder


def _fingerprint() -> str:
    """Changes whenever a static file does, ours or a library's."""
    digest = hashlib.sha256((CHECKOUT / "requirements.txt").read_bytes())
    for path in sorted((CHECKOUT / "static").rglob("*")):
        found = path.stat()
        digest.update(f"{path}{found.st_size}{found.st_mtime_ns}".encode())
    return digest.hexdigest()


def _welcome(home: Home, ports: Ports, environment: dict[str, str]) -> str:
    lines = [
        "",
        f"  The shop is open:   {environment['SITE_URL']}",
        f"  Staff:              {environment['SITE_URL']}/admin/",
    ]
    lines += [f"    {login:<26}{about}" for login, about in _LOGINS]
    lines.append(f"  Password for all:   {_PASSWORD}   (this machine only)")
    if uses_own("EMAIL_URL"):
        lines.append(f"  Mailbox:            http://localhost:{ports.mailbox}   every mail the shop sends")
    if uses_own("STRIPE_SECRET_KEY"):
        lines.append(f"  Stripe stand-in:    http://localhost:{ports.stripe}   no real card is ever charged")
    else:
        lines.append("  Payments:           real Stripe, by the STRIPE_SECRET_KEY in your environment")
    if environment["REQUIRE_STAFF_MFA"] == "0":
        lines.append("  Staff log in without a second factor here (REQUIRE_STAFF_MFA=0); a real shop asks for one.")
    lines += [f"  Log file:           {home.path / 'shop.log'}", "  Ctrl-C stops all of it.", ""]
    return "\n".join(lines)
