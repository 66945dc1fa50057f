"""Root hands the whole shop over to `nobody` and is gone: this process becomes that account before anything starts.

`nobody` must be able to read the interpreter, the libraries and the code. What lies where it cannot go (below /root,
say) is copied into root's folder under /var/tmp, and the log says so.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from shop.local.account import Account, LocalError, root_folder, servers_account
from shop.local.copying import copy_file, copy_tree, everybody_may_read
from shop.local.home import CHECKOUT, RUNNING_ALREADY, Home, home_of, locked

_NOT_CODE = (".git", ".venv", ".local", ".mypy_cache", ".ruff_cache", ".pytest_cache", "__pycache__", "node_modules")
_NOT_NEEDED = (
    "site-packages",
    "test",
    "tests",
    "idlelib",
    "tkinter",
    "turtledemo",
    "ensurepip",
    "__pycache__",
    "config-*",
)
_ENOUGH = "import django, shop.local.supervisor"
_VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"


@dataclass
class Layout:
    """What `nobody` will run, and what had to be copied for that."""

    python: Path
    code: Path
    copied: list[str] = field(default_factory=list)
    libraries: Path | None = None  # of a copied interpreter that has some of its own

    @property
    def loader(self) -> dict[str, str]:
        return {"LD_LIBRARY_PATH": str(self.libraries)} if self.libraries else {}


def become_ordinary(shop: str, arguments: Sequence[str], *, say: Callable[[str], None]) -> None:
    """Does nothing for an ordinary user; as root, replaces this process by the same one run as `nobody`."""
    account = servers_account()
    if account is None:
        return
    os.umask(0o022)
    folder, home = root_folder(CHECKOUT), home_of(shop)
    with locked(home.path / "lock") as ours:
        if not ours:
            raise LocalError(RUNNING_ALREADY)
        with locked(folder / "copies.lock", wait=True), everybody_may_read():
            layout = lay_out(folder, account, shop=shop)
        account.own(home.path / "lock")  # made just now, perhaps, and by root
    say(f"Started as root, so root is dropped: everything runs as the account {account.name}, its data in {folder}.")
    if layout.copied:
        say(f"Copied there, because that account could not read the original: {', '.join(layout.copied)}.")
    os.chdir(layout.code)
    environment = {**_environment(home, account), **layout.loader}
    sys.stdout.flush()
    os.setgroups([])
    os.setgid(account.gid)
    os.setuid(account.uid)
    os.execve(layout.python, [str(layout.python), "-m", "shop.local", *arguments], environment)  # noqa: S606


def lay_out(folder: Path, account: Account, *, shop: str) -> Layout:
    """The interpreter and the code as the account can use them, copied where need be. May raise `LocalError`."""
    layout = Layout(Path(sys.executable), CHECKOUT)
    if _complaint(account, layout, _ENOUGH) is None:
        return layout
    base, packages = Path(sys.base_prefix), Path(sysconfig.get_path("purelib"))
    if _complaint(account, layout, "import ssl") and not _readable(account, base / "lib" / _VERSION / "os.py"):
        base = _copy_interpreter(folder)
        layout.libraries = base / "lib"
        layout.copied.append("the interpreter")
    if not _readable(account, packages / "django" / "__init__.py"):
        packages = _copy_packages(packages, folder)
        layout.copied.append("its libraries")
    if not _readable(account, CHECKOUT / "shop" / "wsgi.py"):
        layout.code = _copy_code(folder / f"code-{shop}")
        layout.copied.append("the code")
    layout.python = _environment_folder(folder / f"venv-{shop}", base, packages)
    if complaint := _complaint(account, layout, _ENOUGH):
        raise LocalError(
            f"The account {account.name} cannot run the shop even from {folder} ({complaint}). Start as an ordinary "
            "user, or make .venv anew with a Python all accounts can read: make run PYTHON=/usr/bin/python3"
        )
    return layout


def _complaint(account: Account, layout: Layout, code: str) -> str | None:
    """What stands in the way when the account runs the code; None when nothing does."""
    try:
        subprocess.run(
            [layout.python, "-c", code],
            check=True,
            capture_output=True,
            text=True,
            cwd=layout.code,
            env={"PATH": os.defpath, "HOME": "/nonexistent", **layout.loader},
            **account.popen_arguments(),
        )
    except subprocess.CalledProcessError as error:
        return str(error.stderr).strip() or str(error)
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    return None


def _readable(account: Account, path: Path) -> bool:
    answer = subprocess.run(["test", "-r", path], check=False, cwd="/", **account.popen_arguments())
    return answer.returncode == 0


def _copy_interpreter(folder: Path) -> Path:
    """The base Python, without the parts a server has no use for. Pythons find their library from where they stand."""
    target, origin = folder / "python", Path(sys.base_prefix)
    if _is_current(target, sys.version + sys.base_prefix):
        return target
    shutil.rmtree(target, ignore_errors=True)
    (target / "bin").mkdir(parents=True)
    copy_file(Path(sys.executable).resolve(), target / "bin" / _VERSION)
    copy_tree(origin / "lib" / _VERSION, target / "lib" / _VERSION, but_not=_NOT_NEEDED)
    for library in (origin / "lib").glob("libpython*.so*"):
        copy_file(library, target / "lib" / library.name)
    _mark(target, sys.version + sys.base_prefix)
    return target


def _copy_packages(packages: Path, folder: Path) -> Path:
    target = folder / "site-packages"
    key = _fingerprint(packages)
    if not _is_current(target, key):
        shutil.rmtree(target, ignore_errors=True)
        copy_tree(packages, target, but_not=("__pycache__",), may_link=True)
        _mark(target, key)
    return target


def _copy_code(target: Path) -> Path:
    coming = target.with_suffix(".coming")
    shutil.rmtree(coming, ignore_errors=True)
    copy_tree(CHECKOUT, coming, but_not=_NOT_CODE)
    shutil.rmtree(target, ignore_errors=True)
    coming.rename(target)
    return target


def _environment_folder(venv: Path, base: Path, packages: Path) -> Path:
    """A virtual environment of links: this base, these packages. Returns its interpreter."""
    shutil.rmtree(venv, ignore_errors=True)
    (venv / "bin").mkdir(parents=True)
    (venv / "lib" / _VERSION).mkdir(parents=True)
    (venv / "pyvenv.cfg").write_text(f"home = {base / 'bin'}\ninclude-system-site-packages = false\n")
    (venv / "lib" / _VERSION / "site-packages").symlink_to(packages)
    python = venv / "bin" / "python"
    python.symlink_to(base / "bin" / _VERSION)
    return python


def _environment(home: Home, account: Account) -> dict[str, str]:
    return {
        **os.environ,
        "HOME": str(home.folder("home")),
        "USER": account.name,
        "LOGNAME": account.name,
        "SAY_WHEN_HOME": str(home.path),
        "PYTHONPYCACHEPREFIX": str(home.folder("bytecode")),  # it may not write beside the code
    }


def _fingerprint(packages: Path) -> str:
    return " ".join(sorted(path.name for path in packages.glob("*.dist-info")))


def _is_current(target: Path, key: str) -> bool:
    mark = target / ".copied"
    return mark.exists() and mark.read_text() == key


def _mark(target: Path, key: str) -> None:
    (target / ".copied").write_text(key)
