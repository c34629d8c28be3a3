"""A PDF becomes an Encapsulated PDF object; what could act in it is taken out first, or the file is refused (safety.md D2). Child process only.

A PDF without anything active, and with nothing before or behind it, is kept byte for byte. Anything else is written anew by
pikepdf without its programs, embedded files and actions, which also drops whatever was hidden around it.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import IO, Any

from smart_app.intake.element_walk import DOCUMENT, Read, Refused, Walked
from smart_app.intake.made_objects import MAKER, Origin, anonymous, written

ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"
MOST_BYTES = 100_000_000
MOST_PAGES = 2_000
MOST_OBJECTS = 500_000
ACTIVE_KEYS = ("/EF", "/RF", "/JS", "/JavaScript", "/AA", "/XFA", "/EmbeddedFiles", "/EmbeddedFile", "/RichMediaContent", "/RichMediaSettings", "/Collection", "/AF", "/Movie", "/Sound", "/3DD")
ELSEWHERE = ("/F", "/FFilter", "/FDecodeParms", "/Ref")
"""Of a stream: its content lies in another file."""
ACTIVE_KINDS = frozenset({
    "/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/GoToR", "/GoToE", "/Rendition", "/RichMediaExecute", "/Movie", "/Sound", "/Trans", "/GoTo3DView", "/ResetForm",
    "/Hide", "/SetOCGState", "/Thread", "/URI",
})  # fmt: skip


def to_dicom(source: IO[bytes], size: int, origin: Origin, path: Path) -> None:
    """:raises Refused:"""
    if size > MOST_BYTES:
        raise Refused("pdf-too-large")
    source.seek(0)
    content = harmless(source.read())
    import pydicom
    from pydicom.dataset import Dataset, FileMetaDataset

    meta, dataset = FileMetaDataset(), Dataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID = pydicom.uid.UID(ENCAPSULATED_PDF)
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = pydicom.uid.UID(origin.instance("document"))
    meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    dataset.file_meta = meta
    dataset.SpecificCharacterSet = "ISO_IR 192"
    anonymous(dataset)
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = origin.study, origin.series("documents")
    dataset.Modality, dataset.ConversionType, dataset.Manufacturer = "DOC", "WSD", MAKER
    dataset.StudyDescription, dataset.SeriesDescription = "Sent with images", "Document"
    dataset.StudyDate = dataset.ContentDate = dataset.SeriesDate = origin.day
    dataset.StudyTime = dataset.ContentTime = dataset.SeriesTime = origin.clock
    dataset.AcquisitionDateTime = ""
    dataset.SeriesNumber, dataset.InstanceNumber = 1, int(origin.sha256[:7], 16)
    dataset.BurnedInAnnotation = "YES"
    dataset.DocumentTitle = ""
    dataset.ConceptNameCodeSequence = []
    dataset.MIMETypeOfEncapsulatedDocument = "application/pdf"
    dataset.EncapsulatedDocumentLength = len(content)
    dataset.EncapsulatedDocument = content + b"\0" * (len(content) % 2)
    written(dataset, path)


def harmless(content: bytes) -> bytes:
    """The PDF without anything that acts. :raises Refused:"""
    try:
        import pikepdf
    except ImportError:
        raise Refused("no-converter") from None
    try:
        with pikepdf.open(io.BytesIO(content), suppress_warnings=True) as pdf:
            if len(pdf.pages) > MOST_PAGES or len(pdf.objects) > MOST_OBJECTS:
                raise Refused("pdf-too-large")
            if not len(pdf.pages):
                raise Refused("pdf-damaged")
            changed = disarm(pdf)
            if not changed and content.rstrip(b"\r\n\0 ").endswith(b"%%EOF") and not pdf.get_warnings():
                return content
            out = io.BytesIO()
            pdf.save(out, deterministic_id=True, compress_streams=True)
    except pikepdf.PasswordError:
        raise Refused("locked") from None
    except Refused:
        raise
    except MemoryError:
        raise
    except Exception:  # qpdf's errors, and Python's where a file lies about its own structure
        raise Refused("pdf-damaged") from None
    try:
        with pikepdf.open(io.BytesIO(out.getvalue()), suppress_warnings=True) as again:
            if disarm(again):
                raise Refused("pdf-active")
    except (Refused, MemoryError):
        raise
    except Exception:
        raise Refused("pdf-damaged") from None
    return out.getvalue()


def disarm(pdf: Any) -> bool:
    """Take out what acts; whether there was anything."""
    import pikepdf

    found = False
    root = pdf.Root
    for key in ("/OpenAction", "/AA", "/Collection", "/AF"):
        if key in root and (key != "/OpenAction" or isinstance(root[key], pikepdf.Dictionary)):
            del root[key]
            found = True
    for thing in pdf.objects:
        found = _disarmed(thing, 0) or found
    return found


def _disarmed(thing: Any, depth: int) -> bool:
    """Direct objects inside an indirect one are looked through; a reference is met as an object of its own."""
    import pikepdf

    if depth > 64:
        raise Refused("pdf-damaged")
    found = False
    if isinstance(thing, pikepdf.Array):
        for child in list(thing):
            if isinstance(child, pikepdf.Dictionary | pikepdf.Array) and not child.is_indirect:
                found = _disarmed(child, depth + 1) or found
        return found
    if not isinstance(thing, pikepdf.Dictionary | pikepdf.Stream):
        return False
    if thing.get("/Type") == "/EmbeddedFile" and isinstance(thing, pikepdf.Stream):
        thing.write(b"")
        del thing["/Type"]
        found = True
    if str(thing.get("/S", "")) in ACTIVE_KINDS:  # whatever `/Type` it says it has: readers do not ask
        for key in list(thing.keys()):
            del thing[key]
        return True
    if str(thing.get("/Subtype", "")) in ("/RichMedia", "/Movie", "/Sound", "/3D", "/Screen", "/FileAttachment") and "/Rect" in thing:
        for key in [key for key in thing if key not in ("/Rect", "/Type", "/P")]:
            del thing[key]
        thing["/Subtype"] = pikepdf.Name("/Text")
        return True
    for key in (*ACTIVE_KEYS, *(ELSEWHERE if isinstance(thing, pikepdf.Stream) else ())):
        if key in thing:
            del thing[key]
            found = True
    for key in list(thing.keys()):
        child = thing[key]
        if isinstance(child, pikepdf.Dictionary | pikepdf.Array) and not child.is_indirect:
            found = _disarmed(child, depth + 1) or found
    return found


def check_inside(found: Walked, read: Read) -> None:
    """An Encapsulated PDF of somebody else is never altered: it holds a PDF that does not act, or it is refused. :raises Refused:"""
    place = found.documents.get(DOCUMENT)
    if place is None:
        raise Refused("no-content")
    begin, length = place
    if length > MOST_BYTES:
        raise Refused("pdf-too-large")
    content = read(begin, length)
    if not content.startswith(b"%PDF-"):
        raise Refused("active-object")
    try:
        import pikepdf
    except ImportError:
        return
    try:
        with pikepdf.open(io.BytesIO(content), suppress_warnings=True) as pdf:
            if len(pdf.objects) <= MOST_OBJECTS and not disarm(pdf):
                return
    except pikepdf.PasswordError:
        raise Refused("locked") from None
    except MemoryError:
        raise
    except Exception:
        raise Refused("pdf-damaged") from None
    raise Refused("pdf-active")
