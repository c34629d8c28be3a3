"""Files that were found by fuzzing and by looking again: what once ended the reading process, hid something, or cost far too much."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from collections.abc import Iterator

from tests.hostile import making as m
from tests.hostile.cases import Case, case


def everything() -> Iterator[Case]:
    yield from fuzzed()
    yield from names_in_zips()
    yield from zips()
    yield from pictures()
    yield from pdfs()
    yield from hidden()


def fuzzed() -> Iterator[Case]:
    """The three inputs of 100,000 that ended a child, byte for byte, and the same faults by themselves."""
    yield case("fuzz-png-chunk-claims-2-gib", base64.b85decode(FUZZ_PNG), "photo")
    yield case("fuzz-zip-with-a-nameless-image", base64.b85decode(FUZZ_ZIP), "zip", "refused:member-damaged")
    yield case("fuzz-zip-with-a-nameless-class", base64.b85decode(FUZZ_JAVA), "zip", "refused:zip-link")
    for kind, length in ((b"IDAT", 0x7FFFFFFF), (b"tEXt", 0x7FFFFFFF), (b"iCCP", 0x7FFFFFF0), (b"eXIf", 0x7FFFFFFF)):
        picture = m.photo("PNG")
        yield case(f"png-{kind.decode().lower()}-claims-2-gib", picture[:33] + struct.pack(">I", length) + kind + picture[33:], "refused:picture-damaged")


def names_in_zips() -> Iterator[Case]:
    good = m.dicom()
    for name, raw, flag in (
        ("none", b"", 0), ("with-a-nul", b"a\0b", 0), ("bad-utf-8", b"\xff\xfe\xfd", 0x800), ("utf-8-cut", "Gerät".encode()[:4], 0x800), ("cp437", b"Ger\x84t", 0), ("shift-jis", "画像".encode("shift-jis"), 0),
        ("latin-1", "Gerät".encode("latin-1"), 0), ("utf-16", "IM1".encode("utf-16"), 0), ("only-slashes", b"///", 0), ("slash", b"/", 0), ("of-64-kb", b"A" * 65_000, 0), ("control", bytes(range(1, 32)), 0),
    ):  # fmt: skip
        yield case(f"zip-raw-name-{name}", _zip([(raw, good)], flag=flag), *(("refused:zip-damaged",) if flag else ("zip", "dicom")))
    other = b"safe"
    extra = struct.pack("<HHBI", 0x7075, 5 + 16, 1, zlib.crc32(other)) + b"../../etc/passwd"
    yield case("zip-name-of-another-in-its-extra-field", _zip([(other, good)], extra=extra), "zip", "dicom")
    yield case("zip-local-name-is-another", _zip([(b"harmless", good)], local=b"../../..x"[:8]), "zip", "refused:member-damaged")
    yield case("zip-extra-field-cut", _zip([(other, good)], extra=b"\x75\x70\xff\xff\1"), "refused:zip-damaged")


def zips() -> Iterator[Case]:
    good = m.dicom()
    yield case("zip-folder-that-holds-a-file", _zip([(b"folder/", good)]), "zip", "dicom")
    yield case("zip-behind-text", b"Hello. " * 40 + m.zipped({"a": good}), "refused:unknown")
    yield case("zip-with-a-zip-in-its-comment", _zip([(b"a", good)], comment=m.zipped({"b": b"MZ"})), "refused:zip-damaged")
    yield case("zip-64-claims-a-billion", _zip64(m.zipped({"a": good}), entries=1_000_000_000, size=46_000_000_000), "refused:zip-count")
    yield case("zip-64-points-outside", _zip64(m.zipped({"a": good}), entries=1, size=47, offset=1 << 62), "zip", "refused:member-damaged")
    index = m.dicom(m.element(0x00041220, "SQ", m.item(m.element(0x00041500, "CS", b"..\\..\\..\\RECEIVED\\0"))), sop_class="1.2.840.10008.1.3.10")
    yield case("zip-disc-whose-index-points-outside", m.zipped({"DICOMDIR": index, "IM1": good}), "zip", "dicomdir:dicomdir", "dicom")
    yield case("zip-disc-whose-index-is-a-loop", m.zipped({"DICOMDIR": m.dicom(m.element(0x00041200, "UL", b"\x80\1\0\0") + m.element(0x00041220, "SQ", m.item(m.element(0x00041400, "UL", b"\x80\1\0\0"))), sop_class="1.2.840.10008.1.3.10")}), "zip", "dicomdir:dicomdir")
    yield case("zip-of-a-program-called-dicom", m.zipped({"IM0001.dcm": b"MZ\x90\0" + bytes(128)}), "zip", "skipped:program")


def pictures() -> Iterator[Case]:
    from PIL import Image

    place = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta exif:GPSLatitude='52,31.2N'/>"
    picture = m.photo()
    yield case("photo-with-place-in-xmp", picture[:2] + b"\xff\xe1" + struct.pack(">H", len(place) + 2) + place + picture[2:], "photo")
    yield case("photo-with-icc-garbage", m.photo(icc_profile=b"CANARY" * 100), "photo")
    yield case("photo-png-bomb-in-its-profile", _chunked(b"iCCPx\0\0" + zlib.compress(bytes(80_000_000), 9)), "refused:picture-damaged")
    yield case("photo-png-bomb-in-international-text", _chunked(b"iTXtx\0\1\0\0\0" + zlib.compress(b"A" * 80_000_000, 9)), "refused:picture-damaged")
    yield case("photo-png-of-16-bits", m.photo("PNG", mode="I;16"), "photo")
    out = io.BytesIO()
    Image.new("RGB", (64, 48)).save(out, "MPO", save_all=True, append_images=[Image.new("RGB", (64, 48), "red")])
    yield case("photo-of-two-pictures", out.getvalue(), "photo")
    out = io.BytesIO()
    Image.new("RGB", (64, 48)).save(out, "PNG", save_all=True, append_images=[Image.new("RGB", (64, 48), (n, 0, 0)) for n in range(1, 40)])
    yield case("photo-that-moves", out.getvalue(), "photo")
    yield case("photo-of-10000-scans", _scans(m.photo(size=(1024, 1024), progressive=True), 10_000), "refused:picture-damaged")
    yield case("photo-with-dicom-marker-in-its-comment", picture[:2] + b"\xff\xfe" + struct.pack(">H", 200) + bytes(122) + b"DICM" + bytes(72) + picture[2:], "refused:syntax")
    heic = m.heic()
    at = heic.index(b"ispe")
    yield case("photo-heic-claims-4-billion", heic[: at + 8] + struct.pack(">II", 65_535, 65_535) + heic[at + 16 :], "refused:picture-damaged")
    yield case("photo-heic-cut", heic[: len(heic) * 3 // 4], "refused:picture-damaged")
    yield case("photo-heic-box-claims-4-gib", heic[:24] + b"\xff\xff\xff\xff" + heic[28:], "photo")


def pdfs() -> Iterator[Case]:
    attached = b"<< /Length 2 >>\nstream\nMZ\nendstream"
    yield case("pdf-attaches-without-saying", m.pdf(b"<< /F (x.exe) /EF << /F 5 0 R >> >>", attached, catalog=b"/X 4 0 R"), "pdf")
    yield case("pdf-content-in-another-file", m.pdf(b"<< /Length 0 /F (/etc/passwd) >>\nstream\n\nendstream", page=b"/Contents 4 0 R"), "pdf")
    yield case("pdf-launches-under-another-type", m.pdf(b"<< /Type /Font /S /Launch /F (cmd.exe) >>", page=b"/Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A 4 0 R >>]"), "pdf")
    yield case("pdf-javascript-in-an-object-stream", _object_stream(zlib.compress(b"4 0 << /S /JavaScript /JS (app.alert(1)) >>")), "pdf")
    squeeze = zlib.compressobj(9)
    bomb = squeeze.compress(b"4 0 << /A 1 >> ") + b"".join(squeeze.compress(b" " * 1_000_000) for _ in range(600)) + squeeze.flush()
    yield case("pdf-bomb-in-an-object-stream", _object_stream(bomb), "pdf")
    yield case("pdf-bomb-packed-twice", _object_stream(zlib.compress(bomb, 9), b"[/FlateDecode /FlateDecode]"), "pdf")
    yield case("pdf-claims-2-billion-objects", m.pdf().replace(b"/Size 4", b"/Size 2147483647"), "pdf")
    yield case("pdf-nested-dictionaries", m.pdf(b"<< /A " * 400 + b"1" + b" >>" * 400), "refused:pdf-damaged")


def hidden() -> Iterator[Case]:
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = squeeze.compress(m.dataset(m.facts())) + squeeze.flush()
    yield case("deflated-and-zip", m.dicom(packed + m.zipped({"evil.exe": b"MZ"}), syntax=m.DEFLATED), "refused:unreadable")
    yield case("deflated-and-a-pad", m.dicom(packed + b"\0", syntax=m.DEFLATED), "dicom")
    yield case("zip-in-the-padding", m.dicom(more=m.element(0xFFFCFFFC, "OB", m.zipped({"evil.exe": b"MZ"})), preamble=b"PK\3\4"), "dicom", faults=("preamble",))
    scans = _scans(m.photo(size=(256, 256), mode="L", progressive=True), 10_000)
    yield case("jpeg-of-10000-scans", m.packed(m.fragments(scans), m.JPEG, size=256), "dicom", faults=("pixels",))


def _scans(picture: bytes, count: int) -> bytes:
    """Its last scan again and again: each goes over the whole picture."""
    last = picture.rindex(b"\xff\xda")
    return picture[:last] + picture[last:-2] * count + picture[-2:]


def _chunked(chunk: bytes) -> bytes:
    picture = m.photo("PNG")
    return picture[:33] + struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) + picture[33:]


def _zip(members: list[tuple[bytes, bytes]], *, flag: int = 0, extra: bytes = b"", local: bytes | None = None, comment: bytes = b"") -> bytes:
    """A zip of stored members under names of any bytes."""
    body, directory = b"", b""
    for name, content in members:
        fields = struct.pack("<HHHHHIII", 20, flag, 0, 0, 33, zlib.crc32(content), len(content), len(content))
        directory += b"PK\1\2" + struct.pack("<H", 20) + fields + struct.pack("<HHHHHII", len(name), len(extra), 0, 0, 0, 0, len(body)) + name + extra
        there = name if local is None else local
        body += b"PK\3\4" + fields + struct.pack("<HH", len(there), len(extra)) + there + extra + content
    return body + directory + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, len(members), len(members), len(directory), len(body), len(comment)) + comment


def _zip64(whole: bytes, *, entries: int, size: int, offset: int = 0) -> bytes:
    end = whole.rindex(b"PK\5\6")
    record = b"PK\6\6" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, entries, entries, size, offset) + b"PK\6\7" + struct.pack("<IQI", 0, end, 1)
    return whole[:end] + record + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)


def _object_stream(packed: bytes, filters: bytes = b"/FlateDecode") -> bytes:
    """A PDF of one page whose object 4 lies in the stream."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /OpenAction 4 0 R >>", b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>", b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Resources << >> >>",
        b"<< /Type /ObjStm /N 1 /First 4 /Filter %b /Length %d >>\nstream\n" % (filters, len(packed)) + packed + b"\nendstream",
    ]  # fmt: skip
    out, at = b"%PDF-1.5\n", []
    for number, content in zip((1, 2, 3, 5), objects, strict=True):
        at.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    rows = [(0, 0), *((1, place) for place in at[:3]), (2, 5), (1, at[3]), (1, len(out))]
    table = b"".join(struct.pack(">BIB", kind, place, 0) for kind, place in rows)
    return out + b"6 0 obj\n<< /Type /XRef /Size 7 /W [1 4 1] /Root 1 0 R /Length %d >>\nstream\n" % len(table) + table + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % len(out)


FUZZ_PNG = (
    'iBL{Q4GJ0x0000DNk~Le0000$0000m0RsR40GoyGTmS$715iv<MF0Q*r+PiwM*sjCNkl<Zc${PW&%nUQz`(%3!~g{Y%NPat0RY^b0U+)zpEm#i002ovPDHLkV1f'
)
FUZZ_ZIP = (
    'P)h>@6aWAK2mk;8Appj`YEI1p001-v000sI001H<J7jWia3FMHVr*p~csngE<x*926HySIq@gS&l&w;HTdYWzw;L@|NRvt$*^smpDQyD{P$&e4qQ%|a-QC^Y-QC^YnQRYy@B@E*@ZQ-oci!AH_rA9S'
    '@NbvFsJBQlCYfc>4x<z#AVhm2E{POllCcPIEYE6{gyje!T2{q!tP(#w#kv<Vm|O<0W|6}x)LKH63S_gKQln%wEQdTAd4a!m@?;!PkO%Y*A22$EG^3rt5(UA3(4`>cuXHJ3z@VdmC%l>{h>`*Vi573*'
    '2&eMs*uW9*17=eMuZ~bCA~_1u(Tf!Hi4^33S?~w5v$?BnW`>KgJ2NufS?(s;*n>6;KFDF54Kv&=TrDYx5>IrUGM!lr#}bCd``WB>5KMwKK}e0W>+~@+dhxK#CY6dO8cu<%P&}c)tTV+pj0R*7(JdFL'
    'R&!{VhMJ<ASSAF55K*9uHVBp&E9N#ZIAq|_VxR!NMcAL-f)LdA{R<{9GX3y>NP)-'
    'h0V3iM@u=wyB!#4SG7V;O;8KXVF*4zvd2x7VC>&(yR}L1zD(K_w=$XeVEmmo)`u##6`H3VVk|UCeC_f@E5dqxjL4%MCxq~T@ddc#5=cV%b<d+xlElB(M2LuKM7YZp{q-'
    'e3?B}y`(VWmo!DO)bQe1(dYBG}4=;}uGkTBD7uQngz3s2VkO(RxEnY+SrC!DO~r1zRn<BQdFVa-F*M>ZdeFO-pw+Y?R?@+@xt{v*uYXTDn`cZqv41`wksDWq0n<wOjWdIX!#z?$ftl{{aIB4IVOd*z'
    'ge}M~xmccHH<06DLicGIiSY88c_io-=pe`~?daEnc#8+42=DSFK*NcHR078#is<vUS_`9XogJ-'
    'm`b#{sRXO9X@jO*zpr5Pn|w<_T2dk7cX7Da`oEv8#iy=zH|59{Ra;pJ$~}^+4C1KU%h_w_TBsc|Ns9FA3uHm^7Y&I|NZ_y08mQ-0u%!j000080000X0LHy)PR#-'
    'U05k;v01^NI00000000000Du7i00000Cp%<vZ*U-VVPb4$Ab2}1El^7Z1^@s60096206+i$0Q~|00000'
)
FUZZ_JAVA = (
    'P)h>@6aWAK2mk;8Apn(GxBmYP;O7qj000dD000yK002!zR6#9CPDU?HK~70VMN?ERO-A!g%*@ku&PgmTwo-@y08mQ<1QY-'
    'O00;m803iS!R~@wm000040000700013E@NzAb8|cOZ`VEmP)h*<6ay3h000O8001EX07Fy=0Du5YPZ9u3VQXb`X=G&}Qek9iZ)|U8c?bY75KK=B07FzDVPa%&ZDno<06q{*PYM7*cxhp5ATcg5Apjj'
    '$9km7k000C4000L70000000000004jiK>z>%>Mmn!VRLg(O9ci10000200IDa0001N0000000'
)
