"""The gateway alone, for gunicorn: one launch, its studies and its archive from the environment. See test_dicomweb.py."""

import os
from pathlib import Path

from tests.unit.viewer import world

built = world.build(Path(os.environ["GATEWAY_FOLDER"]), [world.archive(os.environ["GATEWAY_ARCHIVE"], limits={"parallel": 16, "retrieve": 60})],
                    public_url=os.environ["GATEWAY_URL"], keep=int(os.environ["GATEWAY_KEEP"]))  # fmt: skip
for entry in os.environ["GATEWAY_STUDIES"].split(","):
    study, _, patient = entry.partition("=")
    world.held(built.holdings, study, patient)
app = built.app
