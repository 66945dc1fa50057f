"""Makes `.venv` and installs the hashed lock into it. Run by a bare Python 3.11 or newer, before anything is there.

`python3 -I shop/local/install.py [--dev]`. A second run with nothing changed returns at once. A `.venv` is either whole
or made anew: what counts as whole is written into it last.
"""

import argparse
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
VENV = CHECKOUT / ".venv"
PYTHON = VENV / "bin" / "python"
UV = VENV / "bin" / "uv"
_MADE = VENV / ".made"
_RUN = ("requirements.txt", "requirements-local.txt")
_LOCKS = {"run": _RUN, "dev": (*_RUN, "requirements-dev.txt")}
_PIP_WHEEL = "pip-26.3-py3-none-any.whl"
_PIP_SHA256 = "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13"  # pragma: allowlist secret


def ensure_environment() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dev", action="store_true", help="also the tools for tests and checks")
    kind = "dev" if parser.parse_args().dev else "run"
    if VENV.is_symlink():
        return 0  # somebody shares an environment among checkouts and looks after it himself
    if not os.access(CHECKOUT, os.W_OK):
        return _print_failure(f"{CHECKOUT} is not yours to write to, so .venv cannot be made there.")
    (CHECKOUT / ".local").mkdir(mode=0o700, exist_ok=True)
    with (CHECKOUT / ".local" / "install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return 0 if _is_up_to_date(kind) else _install_environment(kind)


def _install_environment(kind: str) -> int:
    began = time.monotonic()
    try:
        if not (_MADE.exists() and _can_run_python()):
            _create_venv()
        _install_locks(_LOCKS[kind])
    except subprocess.CalledProcessError as error:
        return _print_failure(f"Installing failed: {' '.join(map(str, error.cmd))} (exit code {error.returncode})")
    except OSError as error:
        return _print_failure(f"Installing failed: {error}. Is the package registry within reach?")
    for installed in ("run", "dev") if kind == "dev" else ("run",):
        _get_stamp_path(installed).write_text(_hash_locks(installed))
    _print_progress(f"Installed in {time.monotonic() - began:.0f} s.")
    return 0


def _is_up_to_date(kind: str) -> bool:
    stamp = _get_stamp_path(kind)
    return stamp.exists() and stamp.read_text() == _hash_locks(kind) and _can_run_python()


def _create_venv() -> None:
    _print_progress(f"Making .venv with Python {sys.version.split()[0]} ...")
    shutil.rmtree(VENV, ignore_errors=True)
    made = subprocess.run([sys.executable, "-m", "venv", VENV], check=False, capture_output=True)
    if made.returncode:  # Debian keeps pip's installer in a package of its own
        shutil.rmtree(VENV, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", VENV], check=True)
        wheel = _download_pip()
        subprocess.run([PYTHON, f"{wheel}/pip", "install", "-q", "--no-index", wheel], check=True)
        wheel.unlink()
    _MADE.write_text(sys.version)


def _install_locks(locks: tuple[str, ...]) -> None:
    requirements = [flag for lock in locks for flag in ("-r", str(CHECKOUT / lock))]
    if _ensure_uv():
        _print_progress("Installing the locked requirements with uv ...")
        quiet = [] if sys.stderr.isatty() else ["--quiet"]
        environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never", "UV_SYSTEM_CERTS": "1"}
        command = [str(UV), "pip", "install", *quiet, "--python", str(PYTHON), "--require-hashes", *requirements]
        if subprocess.run(command, env=environment, check=False).returncode == 0:
            return
        _print_progress("uv could not install them; trying pip, which is slower.")
    else:
        _print_progress("Installing the locked requirements with pip (a minute or two) ...")
    subprocess.run([*_PIP, "install", "--require-hashes", *requirements], check=True)


_PIP = [str(PYTHON), "-m", "pip", "--disable-pip-version-check"]


def _ensure_uv() -> bool:
    """uv, from its own lock; False where it cannot be had."""
    lock = CHECKOUT / "requirements-uv.txt"
    command = [*_PIP, "install", "-q", "--require-hashes", "--only-binary", ":all:", "-r", str(lock)]
    return UV.exists() or subprocess.run(command, check=False).returncode == 0


def _download_pip() -> Path:
    """pip's wheel from the package index, held against its hash."""
    index = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/") + "/pip/"
    page = _fetch_url(index).decode()
    found = re.search(rf'href="([^"#]*{re.escape(_PIP_WHEEL)})', page)
    if found is None:
        raise SystemExit(f"{index} offers no {_PIP_WHEEL}. Install your system's python3-venv package and start again.")
    content = _fetch_url(urllib.parse.urljoin(index, found[1]))
    if hashlib.sha256(content).hexdigest() != _PIP_SHA256:
        raise SystemExit(f"{_PIP_WHEEL} from {index} is not the one expected. Nothing was installed.")
    wheel = VENV / _PIP_WHEEL
    wheel.write_bytes(content)
    return wheel


def _fetch_url(address: str) -> bytes:
    request = urllib.request.Request(address, headers={"Accept": "text/html, */*"})  # noqa: S310
    with urllib.request.urlopen(request) as answer:  # noqa: S310  (the index the developer configured)
        content: bytes = answer.read()
    return content


def _get_stamp_path(kind: str) -> Path:
    return VENV / f".installed-{kind}"


def _hash_locks(kind: str) -> str:
    digest = hashlib.sha256()
    for lock in _LOCKS[kind]:
        digest.update((CHECKOUT / lock).read_bytes())
    return digest.hexdigest()


def _can_run_python() -> bool:
    """Whether the environment's interpreter is still there: a system update may have taken it away."""
    try:
        return subprocess.run([PYTHON, "-c", ""], check=False).returncode == 0
    except OSError:
        return False


def _print_progress(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _print_failure(text: str) -> int:
    sys.stderr.write(text + "\n")
    return 1


if __name__ == "__main__":
    sys.exit(ensure_environment())
