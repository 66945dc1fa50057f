from typing import Any

import pytest
from django.template import Template
from django.test.utils import _TestState


@pytest.fixture
def production_like(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """As in production: nobody listens in on templates, which costs more than the pages; staff have a second factor."""
    monkeypatch.setattr(Template, "_render", _TestState.saved_data.template_render)
    settings.ROOT_URLCONF = "tests.bench.anchors"
    settings.CHECKOUTS_PER_MINUTE = 1_000_000
    settings.REQUIRE_STAFF_MFA = True
