"""Why a file was refused or left out: fixed words, each with a sentence for whoever sent it and one for whoever reviews it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    sender: str
    """What happened and what can be done, for a person who knows nothing of DICOM."""
    reviewer: str


REASONS: dict[str, Reason] = {
    # damaged or incomplete
    "empty": Reason("This file is empty. Send it again from where it came from.", "Empty file."),
    "cut": Reason("This file breaks off in the middle, most likely when it was copied. Send it again from the original.", "The object ends before its own lengths say."),
    "pixels-cut": Reason("This image breaks off in the middle, most likely when it was copied. Send it again from the original.", "Pixel data is shorter than rows, columns and frames say, or its fragments do not end."),
    "no-pixels": Reason("This image holds no picture. Send it again from the original.", "An image object without pixel data: cut before it, or exported without it."),
    "no-content": Reason("This document holds nothing. Send it again from the original.", "A document, waveform or structure object without its content."),
    "unreadable": Reason("This file can't be read. Send it again from the original.", "Its elements cannot be read: lengths or types do not add up."),
    "reader-ended": Reason("This file can't be read. It may be damaged; send it again from the original.", "Reading it ended the reading process by a fault, so it was refused."),
    "reader-fault": Reason("This file can't be read. It may be damaged; send it again from the original.", "A reader failed on it in a way nobody foresaw, so it was refused."),
    "needs-memory": Reason("This file takes more memory to open than one file may have here. Send it in a smaller size, or again from the original.", "Reading it needs more memory than the reading process may have (512 MB)."),
    "takes-too-long": Reason("This file takes too long to open. Send it again from the original, or in a smaller size.", "Reading it takes longer than 30 seconds."),
    "picture-damaged": Reason("This photo can't be opened. Take or send it again.", "The photo cannot be decoded."),
    "pdf-damaged": Reason("This PDF can't be opened. Send it again from where it came from.", "The PDF cannot be read."),
    "zip-damaged": Reason("This zip can't be opened. Make it again, or drop the folder instead.", "The zip cannot be read."),
    "member-damaged": Reason("One file in this zip is damaged. Make the zip again, or drop the folder instead.", "The member's checksum or length does not hold."),
    # identity of objects
    "no-marker": Reason("This image file has an old form that can't be taken. Ask for an export as DICOM.", "A data set without the Part 10 marker; nothing is read by force."),
    "no-uids": Reason("This image does not say which study it belongs to, so it can't be filed.", "Study, series, instance or class UID missing or malformed."),
    "ambiguous": Reason("This image contradicts itself about whose it is, so it can't be filed.", "A naming element is given twice with different values, or file meta and data set differ."),
    "conflict": Reason("Two different files carry the same image number, so neither was taken. Send that series again from the original.", "Same SOP Instance UID, other content, within this upload: neither is stored until somebody decides."),
    "twice": Reason("The same file came twice. One is enough.", "Identical to another file of this upload."),
    "syntax": Reason("This image is compressed in a way that can't be taken here. Ask for an export without special compression.", "Transfer syntax is not on the allow-list."),
    # limits
    "too-deep": Reason("This file is built in a way that can't be read safely.", "Sequences nested deeper than 32."),
    "too-many-elements": Reason("This file is built in a way that can't be read safely.", "More than 200,000 elements."),
    "header-too-large": Reason("This file is built in a way that can't be read safely.", "Its header is larger than 64 MB, or an identifying value longer than 1,024 bytes."),
    "inflates": Reason("This file unpacks to far more than it should, so it was not opened.", "Inflates beyond the cap."),
    "zip-total": Reason("The zip unpacks to more than can be taken at once. Send the folder itself instead.", "Running total of unpacked bytes is over its cap."),
    "zip-count": Reason("The zip holds more files than can be taken at once. Send it in parts.", "Running total of unpacked files is over its cap."),
    "zip-ratio": Reason("This file unpacks to far more than it should, so it was not opened.", "Ratio of unpacked to packed bytes is over its cap."),
    "zip-depth": Reason("A zip inside a zip inside a zip is not opened. Unpack it once and send the folder.", "Zips nested deeper than two."),
    "zip-method": Reason("This zip uses a packing that can't be read here. Make it again as a plain zip.", "Compression method other than stored or deflated."),
    "zip-link": Reason("The zip holds a link instead of a file. Send the file itself.", "A symbolic link or device inside the zip."),
    "locked": Reason("This file is locked with a password. Unlock it and send it again.", "Encrypted."),
    "picture-too-large": Reason("This picture is too large. Send it in a smaller size.", "More pixels than can be decoded within the limits."),
    "pdf-too-large": Reason("This PDF is too large. Send it in parts.", "PDF over 100 MB or 2,000 pages."),
    "pdf-active": Reason("This PDF holds programs or other files that can't be taken out. Print it to a new PDF and send that.", "Active content that could not be removed."),
    # kinds
    "malware": Reason("This file carries the mark of a harmful program. It was not kept.", "Signature found by the scanner."),
    "program": Reason("A program from the disc. Not needed.", "Program, script or installer."),
    "viewer-part": Reason("Part of the disc's own viewer. Not needed.", "Icon, font, help or data file of a viewer."),
    "web-page": Reason("A web page from the disc. Not needed.", "HTML or XML."),
    "text": Reason("A text file. Not needed.", "Plain text or settings."),
    "system-file": Reason("A file your computer keeps for itself. Not needed.", "Folder settings of an operating system."),
    "dicomdir": Reason("The disc's table of contents. Not needed.", "DICOMDIR: a hint only; nothing but received files is used."),
    "office": Reason("Office documents can't be taken. Save it as PDF and send that.", "Office document (may carry macros)."),
    "other-archive": Reason("This kind of archive can't be opened. Make it a zip, or drop the folder instead.", "Archive other than zip."),
    "other-picture": Reason("This kind of picture can't be taken. Send it as JPEG, PNG or HEIC.", "Picture format not on the allow-list."),
    "other-document": Reason("This kind of document can't be taken. Save it as PDF and send that.", "Document format not on the allow-list."),
    "video": Reason("Video and sound can't be taken. Ask for the images as DICOM.", "Video or audio."),
    "active-object": Reason("This document holds a web page or model that can't be taken.", "Encapsulated content other than PDF."),
    "no-converter": Reason("Photos and PDFs can't be taken here at the moment. Call the image desk.", "The converter is not installed (extra `intake`)."),
    "unknown": Reason("This is neither an image nor a report that can be taken here.", "Content is not on the allow-list."),
}
