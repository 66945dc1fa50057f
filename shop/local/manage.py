"""`make manage CMD="…"`: a management command against the local shop, its servers started for it if need be."""

import contextlib
import shlex
import subprocess

from shop.local.environment import environment_of, remembered_ports, uses_own
from shop.local.home import home_of
from shop.local.parts import manage_command
from shop.local.servers import borrowed_servers


def manage(shop: str, command: str) -> int:
    """The command's exit code. Root's commands run as root, so that they may write where root asks them to."""
    home = home_of(shop)
    environment = environment_of(home, remembered_ports(home))
    with contextlib.ExitStack() as stack:
        if uses_own("DATABASE_URL") or uses_own("REDIS_URL"):
            stack.enter_context(borrowed_servers(home))
        stack.callback(home.give_back)
        return subprocess.run(manage_command(*shlex.split(command)), check=False, env=environment).returncode
