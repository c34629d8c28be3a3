"""Build hook: puts the browser bundle into the wheel and the sdist.

With npm the bundle is built from `viewer/`. Without npm a bundle that is already there (as in an sdist) is used.
An editable install takes what lies in the tree: `make` builds the bundle there.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ViewerBuildHook(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        root = Path(self.root)
        manifest = root / "smart_app" / "static" / "viewer" / ".vite" / "manifest.json"
        npm = shutil.which("npm")
        if npm is None:
            if manifest.exists():
                return
            raise RuntimeError("The viewer bundle is not built and npm was not found: install Node.js 20 or later, then try again.")
        if not (root / "viewer" / "node_modules").exists():
            subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=root / "viewer", check=True)
        subprocess.run([npm, "run", "build"], cwd=root / "viewer", check=True)
