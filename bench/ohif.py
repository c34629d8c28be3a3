"""OHIF as its makers ship it: the build inside the npm package, with one data source and its text files gzipped beside."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

VERSION = "3.13.2"
PACKAGE = f"@ohif/app@{VERSION}"
COMPRESSIBLE = frozenset({".js", ".css", ".json", ".svg", ".wasm", ".html"})
LARGEST = 40_000_000
"""Not worth packing: the ONNX runtime, which no page here asks for."""
CONFIG = """window.config = {
  routerBasename: null, extensions: [], modes: [], customizationService: {}, showStudyList: true, maxNumberOfWebWorkers: 3,
  showWarningMessageForCrossOrigin: true, showCPUFallbackMessage: true, showLoadingIndicator: true, strictZSpacingForVolumeViewport: true,
  groupEnabledModesFirst: true, maxNumRequests: { interaction: 100, thumbnail: 75, prefetch: 25 }, defaultDataSourceName: 'dicomweb',
  dataSources: [{
    namespace: '@ohif/extension-default.dataSourcesModule.dicomweb', sourceName: 'dicomweb',
    configuration: {
      friendlyName: 'Archive', name: 'archive', wadoUriRoot: '/dicom-web', qidoRoot: '/dicom-web', wadoRoot: '/dicom-web',
      qidoSupportsIncludeField: false, imageRendering: 'wadors', thumbnailRendering: 'wadors', enableStudyLazyLoad: true,
      supportsFuzzyMatching: false, supportsWildcard: true, omitQuotationForMultipartRequest: true,
    },
  }],
};
"""


def site(folder: Path, say: Callable[[str], None]) -> Path:
    """The folder to serve, fetched the first time."""
    dist = folder / f"site-{VERSION}"
    if not dist.exists():
        say(f"Fetching {PACKAGE} (once).")
        folder.mkdir(parents=True, exist_ok=True)
        packed = subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, capture_output=True, text=True).stdout.split()[-1]
        unpacked = folder / "unpacked"
        shutil.rmtree(unpacked, ignore_errors=True)
        with tarfile.open(folder / packed) as archive:
            archive.extractall(unpacked, filter="data")
        made = unpacked / "package" / "dist"
        (made / "app-config.js").write_text(CONFIG)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(_gzip, [path for path in made.rglob("*") if path.is_file()]))
        made.rename(dist)
        shutil.rmtree(unpacked)
        (folder / packed).unlink()
    return dist


def _gzip(path: Path) -> None:
    if path.suffix in COMPRESSIBLE and 1024 < path.stat().st_size < LARGEST:
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), 9))
