"""Our fonts as a style sheet that holds them, from the browser bundle: paper is drawn without fetching anything."""

from __future__ import annotations

import base64
import json
from pathlib import Path

FAMILY = "IBM Plex Sans"
"""Each subset is a family of its own (`IBM Plex Sans greek`): two files under one name are mixed up in the PDF, and a 9 becomes an Ο."""
SUBSETS = ("latin", "latin-ext", "greek", "cyrillic")
WEIGHTS = (400, 500, 600)


def style(bundle: Path) -> str:
    """Empty where the bundle is not built: the machine's own fonts are taken then. A name in another script takes those, too."""
    try:
        manifest = json.loads((bundle / ".vite" / "manifest.json").read_text(encoding="utf-8"))
        return "\n".join(_face(bundle, manifest, subset, weight) for subset in SUBSETS for weight in WEIGHTS)
    except (OSError, ValueError, KeyError):
        return ""


def _face(bundle: Path, manifest: dict[str, dict[str, str]], subset: str, weight: int) -> str:
    entry = manifest[f"node_modules/@fontsource/ibm-plex-sans/files/ibm-plex-sans-{subset}-{weight}-normal.woff2"]
    data = base64.b64encode((bundle / entry["file"]).read_bytes()).decode()
    return f'@font-face {{ font-family: "{FAMILY} {subset}"; font-weight: {weight}; src: url("data:font/woff2;base64,{data}") format("woff2"); }}'
