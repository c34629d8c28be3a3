"""DICOM JSON of stored objects (PS3.18 F): pixels and other big values become BulkDataURI."""

from __future__ import annotations

from typing import Any
from zlib import crc32

import pydicom
from pydicom.dataelem import DataElement

from sandbox.archive.index import Instance

BULK_THRESHOLD = 1024
_NEVER = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")


def describe(instance: Instance, base: str) -> dict[str, Any]:
    """One object's metadata. Bulk data URIs are absolute, under this object."""
    here = f"{base}/studies/{instance.study}/series/{instance.series}/instances/{instance.uid}"
    ds = pydicom.dcmread(instance.path, defer_size="64 KB", stop_before_pixels=True)
    told: dict[str, Any] = ds.to_json_dict(
        bulk_data_threshold=BULK_THRESHOLD,
        bulk_data_element_handler=lambda element: f"{here}/bulkdata/{_name(element)}",
        suppress_invalid_tags=True,
    )
    told.pop("7FE00010", None)
    if "Rows" in ds and "BitsAllocated" in ds:
        told["7FE00010"] = {"vr": "OW" if ds.BitsAllocated > 8 else "OB", "BulkDataURI": f"{here}/bulkdata/7fe00010"}
    if "00080005" in told:
        told["00080005"] = {"vr": "CS", "Value": ["ISO_IR 192"]}
    told["00083002"] = {"vr": "UI", "Value": [instance.syntax]}
    told["00081190"] = {"vr": "UR", "Value": [here]}
    return told


def bulk(instance: Instance, name: str) -> bytes | None:
    """The value that `describe` named, or None."""
    ds = pydicom.dcmread(instance.path)
    for element in ds.iterall():
        if isinstance(element.value, bytes) and name.lower() in (_name(element), f"{int(element.tag):08x}"):
            return bytes(element.value)
    return None


def _name(element: DataElement) -> str:
    """One tag can lie in several sequences of an object: its value tells them apart."""
    return f"{int(element.tag):08x}-{crc32(element.value):08x}"
