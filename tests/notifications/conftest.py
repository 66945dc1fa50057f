import socket
from collections.abc import Iterator

import pytest

from tests.notifications.sink import Server, Sink


@pytest.fixture
def sink(settings) -> Iterator[Sink]:
    """A mail server that takes everything unless told otherwise, and the shop set up to use it.

    Whatever test it serves, every mail that came keeps to the rules of the wire.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    made = Sink()
    server = Server(made, port)
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    yield made
    server.stop(no_assert=True)
    assert made.faults == []
