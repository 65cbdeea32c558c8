import pytest


@pytest.fixture(autouse=True)
def _do_not_wait_for_deaf_applications(monkeypatch):
    monkeypatch.setattr("dragoman.client.http.asgi_http.CLOSE_GRACE_SECONDS", 0.02)
