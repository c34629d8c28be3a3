"""Settings of the pre-op board. Its rules are a file of their own, read by `preop.rulebook`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from smart_app.config_archives import Frozen


class Preop(Frozen):
    """The board of today's and tomorrow's surgical list."""

    rules: Path | None = Field(None, description="YAML of what imaging matters before which procedure; the rules of the package when absent.")
    read_with: Literal["user", "backend"] = Field("user", description="How the list is read: with the token of who looks (`ehrs[].staff_scopes`), or as Priors itself (`ehrs[].backend`).")
    open_with: Literal["user", "backend"] = Field(
        "user", description="Who decides whether a case may be opened: the EHR, asked with the user's own token for that patient; or this site, which lets everybody with the role open every case of the list, read as Priors itself."
    )
    locations: tuple[str, ...] = Field((), description="Only appointments at these places (`Location/<id>`, or the name as the EHR writes it); empty: all that are surgery by their category.")
    reasons: tuple[str, ...] = Field(
        ("Imaging is repeated in theatre", "The report is enough", "Emergency"), min_length=1, description="Reasons to go on without an image, to choose from."
    )
