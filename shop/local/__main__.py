"""`python -m shop.local run` and `python -m shop.local manage "…"`. The Makefile calls these."""

import argparse
import sys

from shop.local.account import LocalError
from shop.local.console import Console
from shop.local.drop import become_ordinary
from shop.local.manage import manage
from shop.local.run import run

SHOPS = ("sample", "online-retail")


def main() -> int:
    options = _options()
    try:
        if options.command == "manage":
            return manage(options.data, options.line)
        become_ordinary(options.data, sys.argv[1:], say=Console().say)
        run(options.data)
    except LocalError as error:
        sys.stderr.write(f"\n{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _options() -> argparse.Namespace:
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
