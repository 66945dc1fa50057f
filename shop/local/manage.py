"""`make manage CMD="…"`: a management command against the local shop, its servers started for it if need be."""

import contextlib
import shlex
import subprocess

from shop.local.environment import build_shop_environment, load_ports, uses_local_service
from shop.local.home import get_home
from shop.local.parts import build_manage_command
from shop.local.servers import borrowed_servers


def run_manage_command(shop: str, command: str) -> int:
    """The command's exit code. Root's commands run as root, so that they may write where root asks them to."""
    home = get_home(shop)
    environment = build_shop_environment(home, load_ports(home))
    with contextlib.ExitStack() as stack:
        if uses_local_service("DATABASE_URL") or uses_local_service("REDIS_URL"):
            stack.enter_context(borrowed_servers(home))
        stack.callback(home.chown_to_owner)
        return subprocess.run(build_manage_command(*shlex.split(command)), check=False, env=environment).returncode
