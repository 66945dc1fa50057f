"""`python -m shop.local.mailbox --smtp-port 1025 --port 8025 --data FOLDER`"""

import argparse
import signal
import sys
from pathlib import Path
from socketserver import ThreadingMixIn
from types import FrameType
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from django.conf import settings

from shop.local.mailbox.smtp import make_smtp_server
from shop.local.mailbox.store import MailStore


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base class's name)
        """A page that looks for new mail every two seconds would fill the log."""


def main() -> None:
    options = _parse_mailbox_options()
    settings.configure(
        ALLOWED_HOSTS=["localhost", "127.0.0.1"],
        ROOT_URLCONF="shop.local.mailbox.web",
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "DIRS": [Path(__file__).parent / "templates"],
            }
        ],
        INSTALLED_APPS=["django.contrib.humanize"],
        MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
        USE_TZ=False,  # times are shown in this machine's zone, as the store hands them out
        APPEND_SLASH=False,
        LOGGING_CONFIG=None,
    )
    from shop.local.mailbox import web  # noqa: PLC0415  (Django's shortcuts need the settings above)

    store = MailStore(options.data)
    smtp = make_smtp_server(store, port=options.smtp_port)
    smtp.start()
    server = make_server("127.0.0.1", options.port, web.make_wsgi_application(store), _Server, _QuietHandler)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _exit_on_signal)
    sys.stdout.write(f"mail is taken on smtp://127.0.0.1:{options.smtp_port} and shown on port {options.port}\n")
    sys.stdout.flush()
    try:
        server.serve_forever()
    finally:
        smtp.stop()


def _exit_on_signal(number: int, frame: FrameType | None) -> None:
    sys.exit(0)


def _parse_mailbox_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="shop.local.mailbox", description="The local mailbox.")
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    main()
