"""`python -m shop.local run` and `python -m shop.local manage "…"`. The Makefile calls these."""

import argparse
import sys

from shop.local.account import LocalError
from shop.local.console import Console
from shop.local.drop import drop_root
from shop.local.manage import run_manage_command
from shop.local.run import run_shop

SHOPS = ("sample", "online-retail")


def main() -> int:
    options = _parse_options()
    try:
        if options.command == "manage":
            return run_manage_command(options.data, options.line)
        drop_root(options.data, sys.argv[1:], say=Console().say)
        run_shop(options.data)
    except LocalError as error:
        sys.stderr.write(f"\n{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="shop.local", description="The shop on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, about in (("run", "start the shop and keep it running"), ("manage", "run a management command")):
        command = commands.add_parser(name, help=about)
        command.add_argument("--data", choices=SHOPS, default=SHOPS[0], help="which shop; each has a folder of its own")
        if name == "manage":
            command.add_argument("line", help="the command with its arguments, in one string")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
