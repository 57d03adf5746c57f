from typing import Any

import pytest
from api_served import Served

from store.reading import territory


async def test_a_defect_is_recorded_and_tells_nothing(
    served: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("the secret of the house")

    monkeypatch.setattr(territory, "tenants", broken)
    for path, kind in (("/api/v1/tenants", "application/problem+json"), ("/", "text/html")):
        async with served.http.get(path) as response:
            assert (response.status, response.content_type) == (500, kind)
            assert "secret" not in await response.text()
    recorded = capsys.readouterr()
    assert (recorded.out + recorded.err).count("RuntimeError: the secret of the house") == 2
    assert served.registry.get_sample_value(
        "samara_api_requests_total", {"method": "GET", "route": "/", "status": "500"}
    )


async def test_what_is_asked_with_head_is_answered_without_body(served: Served) -> None:
    for path in ("/api/v1/tenants", "/t/mareuville", "/healthz"):
        async with served.http.head(path) as response:
            assert (response.status, await response.read()) == (200, b"")
    async with served.http.head("/api/v1/live?tenant=mareuville") as response:
        assert response.status == 405


@pytest.mark.parametrize("header", ["x" * 9000, "a, b, c"])
async def test_odd_headers_do_no_harm(served: Served, header: str) -> None:
    for name in ("If-None-Match", "Accept-Language", "Last-Event-ID"):
        async with served.http.get("/t/mareuville", headers={name: header}) as response:
            assert response.status in {200, 400}
        async with served.http.get("/api/v1/tenants", headers={name: header}) as response:
            assert response.status in {200, 400}
