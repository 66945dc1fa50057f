"""What apps register as they get ready: each registry is in use, and takes nothing twice."""

import importlib
import pkgutil

import pytest

from shop.registry import RegisteredTwiceError, Registry

ROOMS = ("shop", "accounts", "orders", "notifications", "recommendations")
REGISTRIES = {
    "accounts.privacy.erasure._obstacles",
    "accounts.people.guest_session._cleared_at_login",
    "accounts.people.address_verification._callbacks",
    "accounts.consent.uses._uses",
    "notifications.topics.definition._topics",
    "orders.forgotten_purchases._readers",
    "recommendations.picks.shelf._shelves",
    "shop.catalog.stock._shelf_callbacks",
    "shop.personal_data._holdings",
    "shop.personal_data._processors",
    "shop.retrying.loops._loops",
}


def get_registry(name: str) -> Registry:
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


def test_every_registry_is_known_here():
    found = {
        f"{module.name}.{name}"
        for room in ROOMS
        for module in pkgutil.walk_packages([room], prefix=f"{room}.")
        if not {"local", "migrations", "wsgi", "asgi", "start", "__main__"} & set(module.name.split("."))
        for name, value in vars(importlib.import_module(module.name)).items()
        if isinstance(value, Registry)
    }
    assert found == REGISTRIES


@pytest.mark.parametrize("name", sorted(REGISTRIES))
def test_nothing_is_registered_twice(name):
    registry = get_registry(name)
    before = dict(registry)
    assert before
    for key, entry in before.items():
        with pytest.raises(RegisteredTwiceError, match="registered twice"):
            registry.add(key, entry)
    assert dict(registry) == before


@pytest.mark.parametrize("label", ["accounts", "orders", "notifications", "recommendations"])
def test_an_app_that_gets_ready_twice_is_refused(label):
    from django.apps import apps

    with pytest.raises(RegisteredTwiceError):
        apps.get_app_config(label).ready()
