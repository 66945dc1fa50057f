"""The embedded servers: where they live, what survives a kill, and what is said when something is in the way."""

import json
import os
import signal
import socket
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg2
import pytest

from shop.local import environment
from shop.local.account import LocalError, ensure_private_folder, get_servers_account
from shop.local.environment import Ports, build_shop_environment, choose_ports
from shop.local.home import Home, file_lock, get_home
from shop.local.install import _is_up_to_date
from shop.local.postgres import Postgres
from shop.local.processes import get_start_time, is_process_running, stop_left_behind
from shop.local.servers import borrowed_servers, started_servers, stop_servers_left_behind


@pytest.fixture
def home() -> Iterator[Home]:
    import shutil

    tests = get_home("tests")
    made = Home(tests.folder(f"servers-{os.getpid()}"), tests.owner)
    yield made
    stop_servers_left_behind(made)
    shutil.rmtree(made.path)


def count_visits(home: Home) -> int:
    address = {"host": str(home.sockets), "port": 5432, "user": "shop", "dbname": "shop"}
    connection = psycopg2.connect(**address)
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS visits (at timestamptz DEFAULT now())")
        cursor.execute("INSERT INTO visits DEFAULT VALUES")
        cursor.execute("SELECT count(*) FROM visits")
        row = cursor.fetchone()
    connection.close()
    assert row
    return int(row[0])


def noted(home: Home, name: str) -> int:
    return int(json.loads((home.notes / f"{name}.json").read_text())["pid"])


def test_servers_answer_on_sockets_only_their_account_can_reach_and_stop_when_the_block_ends(home: Home) -> None:
    with started_servers(home):
        assert count_visits(home) == 1
        pids = [noted(home, name) for name in ("postgres", "valkey")]
        sockets = home.sockets

    assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    assert all(get_start_time(pid) is None for pid in pids)
    assert list(home.notes.iterdir()) == []


def test_data_survives_kill_9_of_the_database_and_of_its_supervisor(home: Home) -> None:
    with started_servers(home):
        count_visits(home)
        os.kill(noted(home, "postgres"), signal.SIGKILL)
    child = os.fork()
    if child == 0:  # a supervisor that is killed with its servers running
        with started_servers(home):
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)

    assert sorted(stop_servers_left_behind(home)) == ["postgres", "valkey"]
    with started_servers(home):
        assert count_visits(home) == 2


def test_a_server_nobody_noted_is_found_by_its_own_pid_file(home: Home) -> None:
    with started_servers(home):
        (home.notes / "postgres.json").unlink()

        assert stop_servers_left_behind(home) == ["valkey", "postgres"]


def test_a_borrower_uses_the_servers_that_run_and_leaves_them_running(home: Home) -> None:
    with file_lock(home.path / "lock"), started_servers(home):
        with borrowed_servers(home):
            assert count_visits(home) == 1
        assert count_visits(home) == 2


def test_a_database_of_another_version_is_not_touched_and_the_message_says_what_to_do(home: Home) -> None:
    Postgres(home).part()
    (home.path / "postgres" / "PG_VERSION").write_text("9\n")

    with pytest.raises(LocalError, match=r"made by PostgreSQL 9, this is \d+\. .*remove"):
        Postgres(home).part()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root drops root")
def test_root_hands_its_servers_to_another_account(home: Home) -> None:
    account = get_servers_account()
    assert account

    with started_servers(home):
        owner = Path(f"/proc/{noted(home, 'postgres')}").stat().st_uid

    assert owner == account.uid != 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_account_is_refused(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    os.chown(foreign, 12345, 12345)

    with pytest.raises(LocalError, match="belongs to another account"):
        ensure_private_folder(foreign)

    assert foreign.stat().st_uid == 12345


def test_a_note_about_an_id_that_is_somebody_elses_now_ends_nobody(tmp_path: Path) -> None:
    note = {"pid": os.getpid(), "start": "long ago", "stop_signal": int(signal.SIGKILL)}
    (tmp_path / "web.json").write_text(json.dumps(note))

    assert stop_left_behind(tmp_path) == []
    assert is_process_running(os.getpid(), get_start_time(os.getpid()))


def test_a_taken_port_is_named_with_a_free_one_beside_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(LocalError, match=rf"Port {port} is taken by another program\..*make run PORT=\d+"):
            choose_ports({"PORT": str(port)})


@pytest.mark.parametrize("value", ["eighty", "0", "70000"])
def test_a_port_that_is_none_is_refused_in_words(value: str) -> None:
    with pytest.raises(LocalError, match=f"PORT={value} is not a port number"):
        choose_ports({"PORT": value})


def _find_free_port_below_a_taken(taken: socket.socket, gap: int) -> int:
    """Binds `taken`, and returns the free port so far below it, whatever else runs on this machine."""
    for port in range(20_000, 30_000):
        with socket.socket() as tried, suppress(OSError):
            tried.bind(("127.0.0.1", port))
            taken.bind(("127.0.0.1", port + gap))
            return port
    raise AssertionError("No two ports are free")


def test_ports_nobody_asked_for_give_way_to_what_is_there() -> None:
    with socket.socket() as taken:
        port = _find_free_port_below_a_taken(taken, 25)  # whose mailbox would be where somebody is
        ports = choose_ports({"PORT": str(port)})

    assert ports.web == port
    assert ports.mailbox != port + 25
    assert len({ports.web, ports.mailbox, ports.stripe, ports.smtp, ports.carrier}) == 5


def test_what_the_developer_sets_wins_over_the_local_stack(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    ports = Ports(8000, 8025, 8012, 8026, 8037)
    for name in (
        "DATABASE_URL",
        "STRIPE_SECRET_KEY",
        "STRIPE_API_BASE",
        "EMAIL_URL",
        "SECRET_KEY",
        "SITE_URL",
        "EASYPOST_API_KEY",
    ):
        monkeypatch.delenv(name, raising=False)
    ours = build_shop_environment(home, ports)
    monkeypatch.setenv("DATABASE_URL", "postgres://elsewhere/shop")
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_theirs")
    theirs = build_shop_environment(home, ports)

    assert ours["SITE_URL"] == "http://localhost:8000"
    assert ours["STRIPE_API_BASE"] == "http://127.0.0.1:8012"
    assert theirs["DATABASE_URL"] == "postgres://elsewhere/shop"
    assert "STRIPE_API_BASE" not in theirs, "real keys mean real Stripe"
    assert ours["EASYPOST_API_BASE"] == "http://127.0.0.1:8037"
    assert ours["SECRET_KEY"] == theirs["SECRET_KEY"], "made once"
    assert stat.S_IMODE((home.path / "secrets.json").stat().st_mode) == 0o600
    assert environment.uses_local_service("EMAIL_URL")


def test_an_environment_without_its_stamp_does_not_count_as_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shop.local.install.VENV", tmp_path)

    assert not _is_up_to_date("run")
