"""The whole product on PostgreSQL: launch, list, images, audit. Each table is tested on both engines elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import peers
from tests.functional.test_command_line import priors
from tests.town import Jar, events, town


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the server goes before this process's pool
def test_a_chart_is_opened_listed_and_looked_at_on_postgresql(tmp_path: Path, pictures: Path) -> None:
    with peers.postgres() as url, town(tmp_path, pictures, extra=lambda content: content.update(database_url=url)) as running:
        jar = Jar()
        handle = jar.launch(running, "marchetti")
        base = f"{running.plan.app}/l/{handle}"
        stream = events(jar.get(f"{base}/studies/stream"))
        rows = [row for name, data in stream if name == "rows" for row in data["rows"]]
        study = next(row["uid"] for row in rows if 'data-archive="northgate"' in row["html"])
        answer = jar.get(f"{base}/dicomweb/northgate/studies/{study}", Accept='multipart/related; type="application/dicom"')
        assert answer.status == 200
        seen = json.loads(priors(running, "audit", "--patient", "marchetti", "--json").stdout)
        assert {"LaunchOpened", "SourceAnswered", "SeriesRead"} <= {row["event"] for row in seen}
        assert priors(running, "audit", "--verify").returncode == 0
        assert not list(running.plan.path("data").glob("*.sqlite3")), "nothing may be kept beside the configured database"
