"""Scripts that a browser fetches once: under a name that changes with what is in them."""

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from server import scripts
from views.ui import scripts as offered


@pytest.mark.parametrize("base", ["", "/backstep"])
def test_a_script_is_kept_for_long_and_another_one_has_another_name(monkeypatch, base):
    monkeypatch.setattr(scripts, "SCRIPTS", {})
    monkeypatch.setattr(offered, "SCRIPTS", scripts.SCRIPTS)
    wholes = "export default 1;", "export default 2;"
    fetching = [offered.fetched("talk", whole) for whole in wholes]
    client = TestClient(Starlette(routes=[scripts.route]))
    for name, whole, few in zip(scripts.SCRIPTS, wholes, fetching, strict=True):
        assert f"scripts/{name}`" in few
        answer = client.get(f"{base}/scripts/{name}")
        assert answer.text == whole
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["Content-Type"].startswith("text/javascript")
    assert client.get(f"{base}/scripts/other.js").status_code == 404
