"""The function of guides/serverless.md."""

from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import DOCS, file_of, run
from tests.engines import SERVERS
from tests.refresh.callers import Fleet

PAGE = DOCS / "guides" / "serverless.md"

pytestmark = pytest.mark.parametrize("engine", SERVERS, indirect=True)


def test_two_invocations_of_one_instance(
    fleet: Fleet,
    page_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fleet.stored(user_name="ada@example.com:10001")
    (page_folder / "handler.py").write_text(file_of(PAGE, "handler.py"))
    monkeypatch.syspath_prepend(page_folder)

    for _ in range(2):
        names: dict[str, Any] = run(file_of(PAGE, ""), PAGE)
    over = fleet.stored(refresh_token=None)["user_name"]
    ended = names["handler"]({"user": over}, None)
    stats = names["handler"].__globals__["store"].refresh_stats()
    names["handler"].__globals__["store"].close()

    assert ended == {"login_required": True}
    assert capsys.readouterr().out == "{'organization': 'Organization 10001'}\n" * 2
    assert (fleet.zoho.count("refresh"), stats.refreshed, stats.early) == (1, 1, 0)
