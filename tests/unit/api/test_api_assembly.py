import sys
from pathlib import Path
from types import ModuleType

import pytest

from api import problems, v1
from api.endpoint import Endpoint
from api.loading import routes
from api.models import Answer
from api.pages.rendering import island
from domain.errors import ConfigurationError


def package(directory: Path, name: str, **modules: str) -> ModuleType:
    for module, source in modules.items():
        (directory / f"{module}.py").write_text(source, encoding="utf-8")
    found = ModuleType(name)
    found.__path__ = [str(directory)]
    sys.modules[name] = found
    return found


ROUTE = "from aiohttp import web\nROUTES = (web.get('/x', print),)\n"


def test_each_module_s_routes_are_found(tmp_path: Path) -> None:
    assert [route.path for route in routes(package(tmp_path, "found_once", one=ROUTE, helper="x = 1\n"))] == ["/x"]


def test_two_modules_with_one_route_stop_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"GET /x: declared by found_twice.one and by found_twice.two"):
        routes(package(tmp_path, "found_twice", one=ROUTE, two=ROUTE))


@pytest.mark.parametrize("source", ["ROUTES = ('/x',)\n", "import nothing_of_that_name\n"])
def test_a_broken_module_stops_the_start(tmp_path: Path, source: str) -> None:
    with pytest.raises(ConfigurationError, match="one"):
        routes(package(tmp_path, f"broken_{len(source)}", one=source))


def test_every_route_of_the_api_is_under_its_version_and_declared() -> None:
    found = routes(v1)
    assert all(isinstance(route, Endpoint) and route.path.startswith("/api/v1/") for route in found)
    names = [route.operation.name for route in found if isinstance(route, Endpoint)]
    assert len(set(names)) == len(names)


def test_every_model_says_its_fields_and_refuses_others() -> None:
    for model in Answer.__subclasses__():
        assert model.model_config.get("extra") == "forbid", model
        assert model.__doc__, model


def test_texts_for_scripts_cannot_end_their_element() -> None:
    assert "<" not in island({"a": "</script><script>alert(1)</script>&"})


def test_the_documentation_tells_every_problem_route_and_parameter() -> None:
    page = (Path(__file__).parents[3] / "docs" / "api.md").read_text("utf-8")
    for kind in problems.KINDS:
        assert f"`urn:samara:problem:{kind.name}`" in page
    for route in routes(v1):
        assert f"`{route.path}" in page, route.path
    for endpoint in routes(v1):
        assert isinstance(endpoint, Endpoint)
        for model in (endpoint.operation.query, endpoint.operation.body):
            for name, field in (model.model_fields if model else {}).items():
                assert f"`{field.alias or name}`" in page, (endpoint.path, name)
