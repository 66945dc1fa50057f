"""Which account the servers run as, and what root must lay out for it first.

PostgreSQL refuses to run as root, and nothing else here should. Started by root, the shop runs as `nobody`, with its
data in one folder under /var/tmp that only root can have made.
"""

import hashlib
import os
import pwd
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT_FOLDERS = Path("/var/tmp")  # noqa: S108  (owner-checked below)


class LocalError(Exception):
    """Something the person at the terminal can put right; the message says how."""


@dataclass(frozen=True)
class SystemAccount:
    name: str
    uid: int
    gid: int

    def popen_arguments(self) -> dict[str, Any]:
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        os.chown(path, self.uid, self.gid, follow_symlinks=False)


def is_root() -> bool:
    return os.geteuid() == 0


def get_servers_account() -> SystemAccount | None:
    """The account for servers when we are root; None when we are already an ordinary user."""
    if not is_root():
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError as error:
        raise LocalError("Started by root, the shop runs as `nobody`, and this system has no such account.") from error
    return SystemAccount(entry.pw_name, entry.pw_uid, entry.pw_gid)


def ensure_root_folder(checkout: Path) -> Path:
    """The one folder outside the checkout, used only by root. Raises `LocalError` if anyone else made it."""
    key = hashlib.sha256(str(checkout.resolve()).encode()).hexdigest()[:12]
    folder = ROOT_FOLDERS / f"say-when-{key}"
    folder.mkdir(mode=0o755, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != 0 or found.st_mode & 0o022:
        raise LocalError(f"{folder} is not root's alone, so it is not used. Remove it and start again.")
    folder.chmod(0o755)
    return folder


def ensure_private_folder(path: Path, owner: SystemAccount | None = None) -> Path:
    """Makes the folder for its owner's eyes only. Raises `LocalError` if it is somebody else's."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    uid = owner.uid if owner else os.geteuid()
    if owner and path.lstat().st_uid == 0:
        owner.own(path)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != uid:
        raise LocalError(f"{path} belongs to another account, so it is not used. Remove it and start again.")
    path.chmod(0o700)
    return path


def write_safely(path: Path, text: str, *, mode: int = 0o600) -> None:
    """Writes a file of this mode. Never through a link: root writes in folders that are not root's."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def can_run(program: Path, account: SystemAccount) -> bool:
    """Whether the account can start the program, all folders above it included. Asked by trying."""
    try:
        subprocess.run([program, "--version"], check=True, capture_output=True, cwd="/", **account.popen_arguments())
    except (OSError, subprocess.SubprocessError):
        return False
    return True
