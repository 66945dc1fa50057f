import pytest
from django.test import Client

from tests import cast


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(cast.sam())
    return client
