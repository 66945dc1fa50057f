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

from shop.local.account import LocalError, SystemAccount, ensure_root_folder, get_servers_account
from shop.local.copying import copy_file, copy_tree, world_readable_files
from shop.local.home import CHECKOUT, RUNNING_ALREADY, Home, file_lock, get_home

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
_TRIAL_IMPORT = "import django, shop.local.supervisor"
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


def drop_root(shop: str, arguments: Sequence[str], *, say: Callable[[str], None]) -> None:
    """Does nothing for an ordinary user; as root, replaces this process by the same one run as `nobody`."""
    account = get_servers_account()
    if account is None:
        return
    os.umask(0o022)
    folder, home = ensure_root_folder(CHECKOUT), get_home(shop)
    with file_lock(home.path / "lock") as ours:
        if not ours:
            raise LocalError(RUNNING_ALREADY)
        with file_lock(folder / "copies.lock", wait=True), world_readable_files():
            layout = prepare_layout(folder, account, shop=shop)
        account.own(home.path / "lock")  # made just now, perhaps, and by root
    say(f"Started as root, so root is dropped: everything runs as the account {account.name}, its data in {folder}.")
    if layout.copied:
        say(f"Copied there, because that account could not read the original: {', '.join(layout.copied)}.")
    os.chdir(layout.code)
    environment = {**_build_account_environment(home, account), **layout.loader}
    sys.stdout.flush()
    os.setgroups([])
    os.setgid(account.gid)
    os.setuid(account.uid)
    os.execve(layout.python, [str(layout.python), "-m", "shop.local", *arguments], environment)  # noqa: S606


def prepare_layout(folder: Path, account: SystemAccount, *, shop: str) -> Layout:
    """The interpreter and the code as the account can use them, copied where need be. May raise `LocalError`."""
    layout = Layout(Path(sys.executable), CHECKOUT)
    if _find_obstacle(account, layout, _TRIAL_IMPORT) is None:
        return layout
    base, packages = Path(sys.base_prefix), Path(sysconfig.get_path("purelib"))
    if _find_obstacle(account, layout, "import ssl") and not _is_readable(account, base / "lib" / _VERSION / "os.py"):
        base = _copy_interpreter(folder)
        layout.libraries = base / "lib"
        layout.copied.append("the interpreter")
    if not _is_readable(account, packages / "django" / "__init__.py"):
        packages = _copy_packages(packages, folder)
        layout.copied.append("its libraries")
    if not _is_readable(account, CHECKOUT / "shop" / "wsgi.py"):
        layout.code = _copy_code(folder / f"code-{shop}")
        layout.copied.append("the code")
    layout.python = _make_linked_venv(folder / f"venv-{shop}", base, packages)
    if complaint := _find_obstacle(account, layout, _TRIAL_IMPORT):
        raise LocalError(
            f"The account {account.name} cannot run the shop even from {folder} ({complaint}). Start as an ordinary "
            "user, or make .venv anew with a Python all accounts can read: make run PYTHON=/usr/bin/python3"
        )
    return layout


def _find_obstacle(account: SystemAccount, layout: Layout, code: str) -> str | None:
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


def _is_readable(account: SystemAccount, path: Path) -> bool:
    answer = subprocess.run(["test", "-r", path], check=False, cwd="/", **account.popen_arguments())
    return answer.returncode == 0


def _copy_interpreter(folder: Path) -> Path:
    """The base Python, without the parts a server has no use for. Pythons find their library from where they stand."""
    target, origin = folder / "python", Path(sys.base_prefix)
    if _is_copy_current(target, sys.version + sys.base_prefix):
        return target
    shutil.rmtree(target, ignore_errors=True)
    (target / "bin").mkdir(parents=True)
    copy_file(Path(sys.executable).resolve(), target / "bin" / _VERSION)
    copy_tree(origin / "lib" / _VERSION, target / "lib" / _VERSION, but_not=_NOT_NEEDED)
    for library in (origin / "lib").glob("libpython*.so*"):
        copy_file(library, target / "lib" / library.name)
    _mark_copy(target, sys.version + sys.base_prefix)
    return target


def _copy_packages(packages: Path, folder: Path) -> Path:
    target = folder / "site-packages"
    key = _fingerprint_packages(packages)
    if not _is_copy_current(target, key):
        shutil.rmtree(target, ignore_errors=True)
        copy_tree(packages, target, but_not=("__pycache__",), may_link=True)
        _mark_copy(target, key)
    return target


def _copy_code(target: Path) -> Path:
    coming = target.with_suffix(".coming")
    shutil.rmtree(coming, ignore_errors=True)
    copy_tree(CHECKOUT, coming, but_not=_NOT_CODE)
    shutil.rmtree(target, ignore_errors=True)
    coming.rename(target)
    return target


def _make_linked_venv(venv: Path, base: Path, packages: Path) -> Path:
    """A virtual environment of links: this base, these packages. Returns its interpreter."""
    shutil.rmtree(venv, ignore_errors=True)
    (venv / "bin").mkdir(parents=True)
    (venv / "lib" / _VERSION).mkdir(parents=True)
    (venv / "pyvenv.cfg").write_text(f"home = {base / 'bin'}\ninclude-system-site-packages = false\n")
    (venv / "lib" / _VERSION / "site-packages").symlink_to(packages)
    python = venv / "bin" / "python"
    python.symlink_to(base / "bin" / _VERSION)
    return python


def _build_account_environment(home: Home, account: SystemAccount) -> dict[str, str]:
    return {
        **os.environ,
        "HOME": str(home.folder("home")),
        "USER": account.name,
        "LOGNAME": account.name,
        "SAY_WHEN_HOME": str(home.path),
        "PYTHONPYCACHEPREFIX": str(home.folder("bytecode")),  # it may not write beside the code
    }


def _fingerprint_packages(packages: Path) -> str:
    return " ".join(sorted(path.name for path in packages.glob("*.dist-info")))


def _is_copy_current(target: Path, key: str) -> bool:
    mark = target / ".copied"
    return mark.exists() and mark.read_text() == key


def _mark_copy(target: Path, key: str) -> None:
    (target / ".copied").write_text(key)
