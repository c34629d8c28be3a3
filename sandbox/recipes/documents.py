"""Objects that are not pictures: structured reports, PDF, key objects, presentation states, segmentations, contours.

They refer to images of the same study by their stable UIDs.
"""

from __future__ import annotations

import zlib
from datetime import date

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID

from sandbox.recipes.objects import SOP_CLASSES, Job, axial, image, instance_uid


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    ds = Dataset()
    ds.CodeValue, ds.CodingSchemeDesignator, ds.CodeMeaning = value, scheme, meaning
    return ds


def _item(relation: str, kind: str, name: Dataset | None) -> Dataset:
    ds = Dataset()
    ds.RelationshipType, ds.ValueType = relation, kind
    if name is not None:
        ds.ConceptNameCodeSequence = Sequence([name])
    return ds


def _reference(job: Job, number: int, index: int = 0) -> Dataset:
    series = job.sibling(number)
    ds = Dataset()
    ds.ReferencedSOPClassUID = UID(SOP_CLASSES[series.modality])
    ds.ReferencedSOPInstanceUID = instance_uid(job.study, series, index)
    return ds


def _evidence(job: Job, number: int, count: int) -> Sequence:
    series, study = Dataset(), Dataset()
    series.SeriesInstanceUID = job.study.series_uid(job.sibling(number))
    series.ReferencedSOPSequence = Sequence([_reference(job, number, k) for k in range(count)])
    study.StudyInstanceUID = job.study.uid
    study.ReferencedSeriesSequence = Sequence([series])
    return Sequence([study])


def _image_series(job: Job) -> int:
    return next(one.number for one in job.study.series if one.modality in SOP_CLASSES and one.modality in ("CT", "MR", "US"))


def _document(kind: str, title: Dataset) -> Dataset:
    ds = image(kind)
    del ds.ImageType
    ds.CompletionFlag, ds.VerificationFlag = "COMPLETE", "UNVERIFIED"
    ds.ValueType, ds.ContinuityOfContent = "CONTAINER", "SEPARATE"
    ds.ConceptNameCodeSequence = Sequence([title])
    ds.ReferencedPerformedProcedureStepSequence = Sequence()
    ds.PerformedProcedureCodeSequence = Sequence()
    return ds


def text_report(job: Job, index: int) -> Dataset:
    ds = _document("SR", _code("18748-4", "LN", "Diagnostic imaging report"))
    finding = _item("CONTAINS", "TEXT", _code("121071", "DCM", "Finding"))
    finding.TextValue = job.study.conclusion or "See the signed report."
    ds.ContentSequence = Sequence([finding])
    return ds


def dose_report(job: Job, index: int) -> Dataset:
    """The shape of TID 10011: totals, then one container an irradiation."""
    ds = _document("DOSE", _code("113701", "DCM", "X-Ray Radiation Dose Report"))
    sums = _container(_code("113811", "DCM", "CT Accumulated Dose Data"), [
        _number(_code("113812", "DCM", "Total Number of Irradiation Events"), "2", "{events}"),
        _number(_code("113813", "DCM", "CT Dose Length Product Total"), "912.4", "mGy.cm"),
    ])  # fmt: skip
    events = []
    for protocol, volume, product in (("Scout", "0.1", "4.2"), ("Head routine", "52.6", "908.2")):
        name = _item("CONTAINS", "TEXT", _code("125203", "DCM", "Acquisition Protocol"))
        name.TextValue = protocol
        dose = _container(_code("113829", "DCM", "CT Dose"), [
            _number(_code("113830", "DCM", "Mean CTDIvol"), volume, "mGy"), _number(_code("113838", "DCM", "DLP"), product, "mGy.cm"),
        ])  # fmt: skip
        events.append(_container(_code("113819", "DCM", "CT Acquisition"), [name, dose]))
    ds.ContentSequence = Sequence([sums, *events])
    return ds


def _container(name: Dataset, content: list[Dataset]) -> Dataset:
    item = _item("CONTAINS", "CONTAINER", name)
    item.ContinuityOfContent, item.ContentSequence = "SEPARATE", Sequence(content)
    return item


def _number(name: Dataset, value: str, unit: str) -> Dataset:
    item, measured = _item("CONTAINS", "NUM", name), Dataset()
    measured.MeasurementUnitsCodeSequence = Sequence([_code(unit, "UCUM", unit.strip("{}"))])
    measured.NumericValue = value
    item.MeasuredValueSequence = Sequence([measured])
    return item


def key_images(job: Job, index: int) -> Dataset:
    number = _image_series(job)
    ds = _document("KO", _code("113000", "DCM", "Of Interest"))
    del ds.CompletionFlag, ds.VerificationFlag, ds.PerformedProcedureCodeSequence
    items = []
    for k in range(2):
        item = _item("CONTAINS", "IMAGE", None)
        item.ReferencedSOPSequence = Sequence([_reference(job, number, k)])
        items.append(item)
    ds.ContentSequence = Sequence(items)
    ds.CurrentRequestedProcedureEvidenceSequence = _evidence(job, number, 2)
    return ds


def presentation(job: Job, index: int) -> Dataset:
    number = _image_series(job)
    ds = image("PR")
    del ds.ImageType
    ds.ContentLabel, ds.ContentDescription, ds.ContentCreatorName = "WINDOW", "Stroke window", "Halloran^S"
    ds.PresentationCreationDate, ds.PresentationCreationTime = "", ""
    series = Dataset()
    series.SeriesInstanceUID = job.study.series_uid(job.sibling(number))
    series.ReferencedImageSequence = Sequence([_reference(job, number)])
    ds.ReferencedSeriesSequence = Sequence([series])
    voi = Dataset()
    voi.WindowCenter, voi.WindowWidth = 32, 40
    ds.SoftcopyVOILUTSequence = Sequence([voi])
    area = Dataset()
    area.DisplayedAreaTopLeftHandCorner, area.DisplayedAreaBottomRightHandCorner = [1, 1], [512, 512]
    area.PresentationSizeMode, area.PresentationPixelAspectRatio = "SCALE TO FIT", [1, 1]
    ds.DisplayedAreaSelectionSequence = Sequence([area])
    ds.PresentationLUTShape = "IDENTITY"
    return ds


def segmentation(job: Job, index: int) -> Dataset:
    """One binary frame over the first slice of the study's image series."""
    number = _image_series(job)
    size = 128
    y, x = np.mgrid[0:size, 0:size]
    mask = (np.hypot(x - 44, y - 58) < 6).astype(np.uint8)
    ds = image("SEG")
    ds.ImageType = ["DERIVED", "PRIMARY"]
    ds.SegmentationType, ds.ContentLabel, ds.ContentDescription = "BINARY", "NODULE", "Nodule outline"
    ds.ContentCreatorName, ds.LossyImageCompression = "Reader^One", "00"
    ds.Rows = ds.Columns = size
    ds.NumberOfFrames, ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 1, 1, 0, 0
    segment = Dataset()
    segment.SegmentNumber, segment.SegmentLabel, segment.SegmentAlgorithmType = 1, "Nodule", "MANUAL"
    segment.SegmentedPropertyCategoryCodeSequence = Sequence([_code("49755003", "SCT", "Morphologically abnormal structure")])
    segment.SegmentedPropertyTypeCodeSequence = Sequence([_code("27925004", "SCT", "Nodule")])
    ds.SegmentSequence = Sequence([segment])
    ds.ReferencedSeriesSequence = _evidence(job, number, 1)[0].ReferencedSeriesSequence
    frame = Dataset()
    plane = Dataset()
    axial(plane, job.study, size=size, field=240.0, z=0.0, thickness=5.0)
    position = Dataset()
    position.ImagePositionPatient = plane.ImagePositionPatient
    frame.PlanePositionSequence = Sequence([position])
    ds.PerFrameFunctionalGroupsSequence = Sequence([frame])
    shared = Dataset()
    ds.SharedFunctionalGroupsSequence = Sequence([shared])
    ds.PixelData = np.packbits(mask.ravel(), bitorder="little").tobytes()
    ds["PixelData"].VR = "OB"
    return ds


def letter(job: Job, index: int) -> Dataset:
    ds = image("PDF")
    del ds.ImageType
    data = _pdf(("Northgate University Hospital", "", "Dear colleague,", "", "Please find the earlier head CT of this patient enclosed.",
                 "The images are for demonstration. No real person is shown.", "", "Radiology, Northgate University"))  # fmt: skip
    ds.ConversionType, ds.BurnedInAnnotation = "WSD", "YES"
    ds.DocumentTitle, ds.MIMETypeOfEncapsulatedDocument = "Referral letter", "application/pdf"
    ds.ConceptNameCodeSequence = Sequence([_code("57133-1", "LN", "Referral note")])
    ds.EncapsulatedDocumentLength = len(data)
    ds.EncapsulatedDocument = data + b"\0" * (len(data) & 1)
    ds.AcquisitionDateTime = ""
    return ds


def _pdf(lines: tuple[str, ...]) -> bytes:
    """A one-page PDF 1.4 with these lines of text."""
    text = b"BT /F1 12 Tf 72 760 Td 18 TL " + b" ".join(f"({line}) Tj T*".encode() for line in lines) + b" ET"
    stream = zlib.compress(text)
    parts = [
        b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 4 0 R>>>>/Contents 5 0 R>>",
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        b"<</Length %d/Filter/FlateDecode>>stream\n%b\nendstream" % (len(stream), stream),
    ]  # fmt: skip
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, part in enumerate(parts, 1):
        places.append(len(out))
        out += b"%d 0 obj%b\nendobj\n" % (number, part)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(parts) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(parts) + 1, start)
    return bytes(out)


def contours(job: Job, index: int) -> Dataset:
    ds = image("RTSTRUCT")
    del ds.ImageType
    ds.StructureSetLabel, ds.StructureSetDate, ds.StructureSetTime = "HEAD", "", ""
    region, outline, line = Dataset(), Dataset(), Dataset()
    region.ROINumber, region.ROIName, region.ROIGenerationAlgorithm = 1, "Brain", "MANUAL"
    line.ContourGeometricType, line.NumberOfContourPoints = "CLOSED_PLANAR", 3
    line.ContourData = [0, 0, 0, 10, 0, 0, 0, 10, 0]
    outline.ReferencedROINumber, outline.ContourSequence = 1, Sequence([line])
    ds.StructureSetROISequence, ds.ROIContourSequence = Sequence([region]), Sequence([outline])
    return ds


def unknown_encoding(job: Job, index: int) -> Dataset:
    """A picture in a transfer syntax that nobody knows: it must be listed, not drawn."""
    ds = image("SC")
    ds.ConversionType = "WSD"
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.Rows, ds.Columns = 1, "MONOCHROME2", 64, 64
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
    ds.PixelData = bytes(64 * 64)
    ds["PixelData"].VR = "OB"
    return ds


def blank_dates(ds: Dataset, day: date | None, time: str) -> None:
    """Give this object's own dates the study's."""
    text = day.strftime("%Y%m%d") if day else ""
    for keyword in ("PresentationCreationDate", "StructureSetDate"):
        if keyword in ds:
            setattr(ds, keyword, text)
    for keyword in ("PresentationCreationTime", "StructureSetTime"):
        if keyword in ds:
            setattr(ds, keyword, time)
    if "AcquisitionDateTime" in ds:
        ds.AcquisitionDateTime = text + time if text else ""
