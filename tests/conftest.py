"""Starts the run's servers before anything reads the settings."""

import django
import pytest

from shop.local import testing

testing.prepare()
django.setup()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if testing.chromium() is None:
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(pytest.mark.skip(reason="no Chromium here"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if testing.chromium() is None:
        terminalreporter.write_line("")
        terminalreporter.write_line(
            "Browser tests did NOT run: no Chromium here. Install Debian's chromium, or set CHROMIUM=/path/to/it."
        )


def pytest_unconfigure() -> None:
    testing.stop()
