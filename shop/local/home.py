"""Where a local shop keeps everything it has: one folder per shop, outside version control."""

import fcntl
import hashlib
import json
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shop.local.account import (
    SystemAccount,
    ensure_private_folder,
    ensure_root_folder,
    get_servers_account,
    write_safely,
)

CHECKOUT = Path(__file__).resolve().parents[2]
RUNNING_ALREADY = "This shop is running already. Stop that one first (Ctrl-C where it runs)."
_LONGEST_SOCKET_FOLDER = 85  # bytes; a socket's whole path must stay under 107


@dataclass(frozen=True)
class Home:
    """The folder of one local shop. `owner` is the account its servers run as, when that isn't ourselves."""

    path: Path
    owner: SystemAccount | None = None

    def folder(self, name: str) -> Path:
        return ensure_private_folder(self.path / name, self.owner)

    @property
    def notes(self) -> Path:
        return self.folder("processes")

    @property
    def sockets(self) -> Path:
        """The sockets' folder; a short one elsewhere if this path is too long for a socket's address."""
        inside = self.path / "sockets"
        if len(os.fsencode(inside)) <= _LONGEST_SOCKET_FOLDER:
            return ensure_private_folder(inside, self.owner)
        key = hashlib.sha256(os.fsencode(inside)).hexdigest()[:12]
        return ensure_private_folder(Path(tempfile.gettempdir()) / f"say-when-sockets-{key}", self.owner)

    def secret(self, name: str) -> str:
        """A random value, made once and kept for this shop."""
        path = self.path / "secrets.json"
        known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        if name not in known:
            known[name] = secrets.token_urlsafe(48)
            write_safely(path, json.dumps(known))
            if self.owner:
                self.owner.own(path)
        return known[name]

    def chown_to_owner(self) -> None:
        """Hands to the owner whatever root made in here."""
        if self.owner is None:
            return
        for path in self.path.rglob("*"):
            found = path.lstat()
            if found.st_uid == 0 and (found.st_nlink == 1 or path.is_dir()):  # not another name of a file elsewhere
                self.owner.own(path)


def get_home(shop: str, *, owner: SystemAccount | None = None) -> Home:
    """The folder of the shop so named: inside the checkout, or for root in root's own folder."""
    owner = owner or get_servers_account()
    if override := os.environ.get("SAY_WHEN_HOME"):
        return Home(ensure_private_folder(Path(override), owner), owner)
    base = ensure_root_folder(CHECKOUT) if owner else ensure_private_folder(CHECKOUT / ".local")
    return Home(ensure_private_folder(base / shop, owner), owner)


@contextmanager
def file_lock(path: Path, *, wait: bool = False, shared: bool = False) -> Iterator[bool]:
    """Whether we hold the lock at `path`. The system lets go of it when its holder ends, however it ends."""
    with path.open("a+") as file:
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
        else:
            yield True
