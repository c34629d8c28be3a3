"""Every study of the demo world, in the order the stories are told. Data only; pixels come from `recipes`."""

from __future__ import annotations

from sandbox import lookalikes
from sandbox.model import DemoSeries as Series
from sandbox.model import DemoStudy as Study

STROKE = (
    Study("marchetti-ct-today", "marchetti", ("stbrannoc",), 0, "0852", "CT", "CT head without contrast", "HEAD", "SB-26-88120", (
        Series(1, "CT", "Scout", "ct_head_scout", 2, 1),
        Series(2, "CT", "Axial brain 5 mm", "ct_head", 30, 6, options={"stroke": True, "thickness": 5.0}),
        Series(3, "CT", "Axial bone 1.25 mm", "ct_head", 120, 3, "jpeg-ls", {"stroke": True, "thickness": 1.25, "bone": True}),
        Series(4, "SR", "Dose report", "sr_dose"),
    ), in_chart=False, report="preliminary", conclusion="Early left middle cerebral infarct. Dense artery sign. No haemorrhage."),
    Study("marchetti-cta-today", "marchetti", ("stbrannoc",), 0, "0858", "CT", "CTA head and neck", "HEADNECK", "SB-26-88121", (
        Series(1, "CT", "CTA axial 1 mm", "cta_neck", 240, 6, options={"thickness": 1.0}),
    ), in_chart=False),
    Study("marchetti-mr", "marchetti", ("kestrel",), 129, "1430", "MR", "MRI brain with diffusion", "BRAIN", "KC-2026-0077", (
        Series(1, "MR", "Axial T1", "mr_brain", 32, 3, options={"weight": "t1"}),
        Series(2, "MR", "Axial T2", "mr_brain", 32, 3, "jpeg2000", {"weight": "t2"}),
        Series(3, "MR", "Axial FLAIR", "mr_brain", 32, 3, "rle", {"weight": "flair"}),
        Series(4, "MR", "Diffusion b1000", "mr_brain", 32, 3, "deflated", {"weight": "dwi"}),
    ), report="final", conclusion="Small vessel change. No acute infarct. No mass."),
    Study("marchetti-ct-old", "marchetti", ("northgate",), 610, "2205", "CT", "CT head without contrast", "HEAD", "NG24-0918-311", (
        Series(2, "CT", "Axial brain 5 mm", "ct_head", 30, 3, options={"thickness": 5.0}),
    ), chart_shape="series-endpoint", report="final", conclusion="No haemorrhage. Mild generalised volume loss."),
    Study("marchetti-cxr", "marchetti", ("northgate",), 718, "0710", "DX", "Chest, 1 view, portable", "CHEST", "NG24-0602-044", (
        Series(1, "DX", "Chest AP portable", "cxr_synthetic", options={"view": "AP"}),
    ), report="final", conclusion="Mild cardiomegaly. Lungs clear."),
    Study("marchetti-echo", "marchetti", ("northgate",), 1148, "1120", "US", "Echocardiogram, transthoracic", "HEART", "NG23-0330-208", (
        Series(1, "US", "Apical loop", "us_loop_real"),
        Series(2, "US", "Parasternal long axis", "us_still_real"),
    ), report="final", conclusion="Preserved ejection fraction. Dilated left atrium."),
    Study("marchetti-spine", "marchetti", ("kestrel",), 1652, "0915", "MR", "MRI lumbar spine", "LSPINE", "KC-2021-4410", (
        Series(1, "MR", "Sagittal T2", "mr_spine", 15, 3, options={"weight": "t2"}),
        Series(2, "MR", "Sagittal T1", "mr_spine", 15, 3, options={"weight": "t1"}),
    ), in_chart=False),
    Study("marchetti-cxr-undated", "marchetti", ("northgate",), None, "", "CR", "Chest", "CHEST", "", (
        Series(1, "CR", "Chest PA", "cr_chest_real"),
    ), in_chart=False),
)  # fmt: skip

ONCOLOGY = (
    Study("holt-ct-now", "adeyemi-holt", ("northgate",), 2, "1012", "CT", "CT chest with contrast", "CHEST", "NG26-0519-118", (
        Series(1, "CT", "Scout", "ct_chest_scout", 1, 1),
        Series(2, "CT", "Axial lung 1 mm", "ct_chest", 320, 8, options={"thickness": 1.0, "nodule": 13.0, "kernel": "lung"}),
        Series(3, "CT", "Axial soft tissue 5 mm", "ct_chest", 64, 3, options={"thickness": 5.0, "nodule": 13.0}),
        Series(9, "SEG", "Nodule segmentation", "seg"),
    ), report="final", conclusion="Right upper lobe nodule 13 mm, was 11 mm. No effusion. No enlarged nodes."),
    Study("holt-ct-kestrel", "adeyemi-holt", ("kestrel",), 114, "1132", "CT", "CT chest with contrast", "CHEST", "KC-2026-0418", (
        Series(3, "CT", "Axial soft tissue 2.5 mm", "ct_chest", 120, 6, options={"thickness": 2.5, "nodule": 11.0}),
        Series(4, "CT", "Axial lung 2.5 mm", "ct_chest", 120, 3, "jpeg-ls", {"thickness": 2.5, "nodule": 11.0, "kernel": "lung"}),
        Series(5, "SR", "Measurements", "sr_text"),
    ), report="final", conclusion="Right upper lobe nodule 11 mm, was 9 mm in November. Tissue sampling advised."),
    Study("holt-ct-nov", "adeyemi-holt", ("northgate", "kestrel"), 188, "0940", "CT", "CT chest with contrast", "CHEST", "NG25-1114-072", (
        Series(3, "CT", "Axial lung 5 mm", "ct_chest", 64, 3, options={"thickness": 5.0, "nodule": 9.0, "kernel": "lung"}),
    ), report="amended", conclusion="Amended: nodule measures 9 mm, not 7 mm. Spiculated margin."),
    Study("holt-nm", "adeyemi-holt", ("kestrel",), 150, "1310", "NM", "Bone scan, whole body", "WHOLEBODY", "KC-2025-9001", (
        Series(1, "NM", "Whole body anterior", "nm_bone_real"),
    ), in_chart=False),
    Study("holt-biopsy", "adeyemi-holt", (), 161, "1500", "CT", "CT-guided biopsy, right lung", "CHEST", "KC-2025-9911",
          endpoint="kestrel", report="final", conclusion="Core biopsy of right upper lobe nodule. No pneumothorax."),
    Study("holt-ct-first", "adeyemi-holt", ("stbrannoc",), 714, "1622", "CT", "CT chest, low dose", "CHEST", "SB-24-30021", (
        Series(2, "CT", "Axial lung 5 mm low dose", "ct_chest", 60, 3, "implicit", {"thickness": 5.0, "nodule": 5.0, "kernel": "lung"}),
    ), in_chart=False),
    Study("holt-ct-first-sent", "adeyemi-holt", ("northgate",), 714, "1622", "CT", "CT chest, low dose", "CHEST", "NG24-0612-901", (
        Series(2, "CT", "Axial lung 5 mm low dose", "ct_chest", 60, 3, "implicit", {"thickness": 5.0, "nodule": 5.0, "kernel": "lung"}),
    ), in_chart=False),
    Study("holt-liver", "adeyemi-holt", ("stbrannoc",), 420, "1105", "US", "Ultrasound liver", "ABDOMEN", "SB-25-10440", (
        Series(1, "US", "Liver", "us_liver", 3, 1),
    ), in_chart=False),
    Study("holt-cxr", "adeyemi-holt", ("northgate",), 190, "0820", "DX", "Chest, 2 views", "CHEST", "NG25-1112-009", (
        Series(1, "DX", "Chest PA", "cxr_synthetic", options={"view": "PA", "nodule": 9.0}),
        Series(2, "DX", "Chest lateral", "cxr_synthetic", options={"view": "LATERAL", "nodule": 9.0}),
    ), report="final", conclusion="Nodule projected over the right upper zone. CT advised."),
)  # fmt: skip

PREOP = (
    Study("parekh-echo", "parekh", ("northgate",), 9, "1540", "US", "Echocardiogram, transthoracic", "HEART", "NG26-0512-333", (
        Series(1, "US", "Apical four chamber, colour", "echo_real"),
        Series(2, "US", "Parasternal loop", "us_loop_real"),
        Series(3, "SR", "Echo report", "sr_text"),
    ), report="final", conclusion="Ejection fraction 55 %. Mild mitral regurgitation."),
    Study("parekh-cath", "parekh", ("stbrannoc",), 21, "1105", "XA", "Coronary angiogram", "HEART", "SB-26-70155", (
        Series(1, "XA", "Left coronary, RAO caudal", "xa_cine", 2, 1, "jpeg-baseline", {"frames": 60, "arm": "left"}),
        Series(2, "XA", "Right coronary, LAO", "xa_cine", 1, 1, "jpeg-baseline", {"frames": 48, "arm": "right"}),
    ), in_chart=False),
    Study("parekh-cxr", "parekh", ("northgate",), 1, "0730", "DX", "Chest, 1 view", "CHEST", "NG26-0520-021", (
        Series(1, "DX", "Chest PA", "cxr_synthetic", options={"view": "PA", "heart": 1.15}),
    ), report="preliminary", conclusion="Heart size upper normal."),
    Study("parekh-ecg", "parekh", ("northgate",), 1, "0655", "ECG", "ECG, 12 lead", "HEART", "NG26-0520-005", (
        Series(1, "ECG", "12 lead, 10 s", "ecg_real"),
    )),
    Study("parekh-ct", "parekh", ("stbrannoc",), 44, "1015", "CT", "CT chest, aorta and grafts", "CHEST", "SB-26-61203", (
        Series(2, "CT", "Axial 5 mm", "ct_chest", 48, 3, options={"thickness": 5.0, "nodule": 0.0}),
        Series(4, "CT", "Lung 1.0 mm", "ct_chest", 240, 6, options={"thickness": 1.0}, held=False),
    )),
    Study("grunwald-ct", "grunwald", ("northgate",), 12, "0905", "CT", "CT chest, aorta", "CHEST", "NG26-0509-140", (
        Series(2, "CT", "Axial 5 mm", "ct_chest", 48, 3, options={"thickness": 5.0, "nodule": 0.0}),
    ), chart_shape="codeable-modality", report="final", conclusion="Ascending aorta 38 mm. Calcified aortic valve."),
    Study("grunwald-echo", "grunwald", (), 34, "1400", "US", "Echocardiogram, transoesophageal", "HEART", "HV-7781",
          endpoint="harrowvale", report="final", conclusion="Severe aortic stenosis. Ejection fraction 35 %."),
    Study("grunwald-cxr", "grunwald", ("northgate",), 13, "1815", "CR", "Chest, 1 view", "CHEST", "NG26-0508-090", (
        Series(1, "CR", "Chest PA", "cr_chest_real"),
    ), chart_shape="contained-endpoint", report="final", conclusion="Calcified aortic arch."),
    Study("grunwald-cath", "grunwald", ("northgate",), 19, "1330", "XA", "Cardiac catheterisation", "HEART", "NG26-0502-061", (
        Series(1, "XA", "Right coronary, LAO", "xa_cine", 1, 1, "jpeg-lossless", {"frames": 40, "arm": "right"}),
    ), chart_shape="no-started"),
    Study("grunwald-odd", "grunwald", (), 400, "1000", "CT", "Record that cannot be read", "CHEST", "NG25-0000-001",
          endpoint="northgate", chart_shape="unreadable"),
)  # fmt: skip

OTHERS = (
    Study("vasquez-photos", "lindgren-vasquez", ("northgate",), 0, "0310", "XC", "Burn photographs, left forearm", "ARM", "NG26-0521-002", (
        Series(1, "XC", "Left forearm, on arrival", "photo_burn", 3, 2, "jpeg-baseline", {"stage": 0}),
        Series(2, "OT", "Left forearm, phone picture", "photo_burn", 1, 1, "explicit", {"stage": 1, "secondary": True}),
    )),
    Study("vasquez-film", "lindgren-vasquez", ("stbrannoc",), 1, "2340", "CR", "Tibia, 2 views", "LEG", "SB-26-87990", (
        Series(1, "CR", "Tibia AP", "cr_tibia_real"),
    ), in_chart=False),
    Study("hathersage-sinus", "hathersage", ("stbrannoc",), 250, "1010", "CT", "CT sinus", "SINUS", "SB-25-41200", (
        Series(2, "CT", "Axial sinus 2 mm", "ct_sinus", 44, 6, options={"thickness": 2.0}),
    ), in_chart=False),
    Study("hathersage-cxr", "hathersage", ("northgate",), 900, "1330", "DX", "Chest, 1 view", "CHEST", "NG23-1204-110", (
        Series(1, "DX", "Chest PA", "cxr_synthetic", options={"view": "PA", "heart": 0.85}),
    ), report="final", conclusion="Normal."),
    Study("femi-ct", "oyelaran-femi", ("northgate",), 17, "0925", "CT", "CT chest", "CHEST", "NG26-0504-050", (
        Series(2, "CT", "Axial 5 mm", "ct_chest", 40, 3, options={"thickness": 5.0, "nodule": 0.0}),
    ), report="final", conclusion="Normal study."),
    Study("femi-us", "oyelaran-femi", ("kestrel",), 88, "1450", "US", "Ultrasound liver", "ABDOMEN", "KC-2026-0301", (
        Series(1, "US", "Liver", "us_liver", 3, 1),
    ), in_chart=False),
    Study("femi-ade-shoulder", "oyelaran-femi-ade", ("northgate",), 45, "1610", "MR", "MRI shoulder, right", "SHOULDER", "NG26-0406-071", (
        Series(1, "MR", "Coronal PD", "mr_shoulder_real"),
    ), report="final", conclusion="Intact cuff."),
    Study("femi-ade-tibia", "oyelaran-femi-ade", ("kestrel",), 46, "1000", "CR", "Tibia", "LEG", "KC-2026-0377", (
        Series(1, "CR", "Tibia AP", "cr_tibia_real"),
    ), in_chart=False),
    Study("penhaligon-clinic", "penhaligon", ("northgate",), 410, "1050", "DX", "Chest, 2 views, immunology clinic", "CHEST", "NG25-0406-118", (
        Series(1, "DX", "Chest PA", "cxr_synthetic", options={"view": "PA"}),
    ), report="final", conclusion="Clear lungs.", security=("R", "HIV")),
    Study("penhaligon-cxr", "penhaligon", ("stbrannoc",), 30, "0840", "DX", "Chest, 1 view", "CHEST", "SB-26-60010", (
        Series(1, "DX", "Chest PA", "cxr_synthetic", options={"view": "PA"}),
    ), in_chart=False),
    Study("penhaligon-ct", "penhaligon", ("stbrannoc",), 29, "1100", "CT", "CT sinus", "SINUS", "SB-26-60188", (
        Series(2, "CT", "Axial sinus 3 mm", "ct_sinus", 24, 3, options={"thickness": 3.0}),
    ), in_chart=False),
    Study("nakamura-us", "nakamura", ("northgate",), 19, "1000", "US", "Carotid duplex", "NECK", "NG26-0502-020", (
        Series(1, "US", "Right carotid", "us_doppler_real"),
    ), report="final", conclusion="Stenosis of the right internal carotid, over 70 %.", charset="iso2022"),
    Study("nakamura-mr", "nakamura", ("kestrel",), 60, "0900", "MR", "MRI abdomen · 肝臓", "ABDOMEN", "KC-2026-0310", (
        Series(1, "MR", "Axial", "mr_abdomen_real"),
    ), in_chart=False),
    Study("nakamura-zz", "nakamura", ("stbrannoc",), 200, "1200", "ZZ", "颈部检查", "NECK", "SB-25-50001", (
        Series(1, "ZZ", "Unknown device", "mr_shoulder_real"),
    ), in_chart=False, charset="gb18030"),
    Study("nakamura-undated", "nakamura", ("stbrannoc",), None, "", "CT", "CT head", "HEAD", "", (
        Series(1, "CT", "Axial 5 mm", "ct_head", 20, 3, options={"thickness": 7.0}),
    ), in_chart=False, charset="gb18030"),
    Study("nakamura-latin", "nakamura", ("northgate",), 500, "1545", "OT", "Échographie cervicale, côté gauche", "NECK", "NG25-0106-003", (
        Series(1, "OT", "Régions", "us_doppler_real"),
    ), in_chart=False, charset="latin1"),
)  # fmt: skip

_ONE_OF_EACH = (
    ("implicit", "Implicit VR little endian"), ("explicit", "Explicit VR little endian"), ("deflated", "Deflated"),
    ("big-endian", "Explicit VR big endian"), ("rle", "RLE lossless"), ("jpeg-baseline", "JPEG baseline"),
    ("jpeg-lossless", "JPEG lossless SV1"), ("jpeg-ls", "JPEG-LS lossless"), ("jpeg-ls-near", "JPEG-LS near-lossless"),
    ("jpeg2000", "JPEG 2000 lossless"), ("jpeg2000-lossy", "JPEG 2000"), ("htj2k", "HTJ2K lossless"),
    ("htj2k-lossy", "HTJ2K"),
)  # fmt: skip

FORMATS = (
    Study("formats-images", "okonkwo-reyes", ("northgate",), 5, "1200", "MR", "Every image encoding", "BRAIN", "NG26-0516-001", tuple(
        Series(number, "MR", title, "mr_brain", 4, 2, syntax, {"weight": "t1", "format": True})
        for number, (syntax, title) in enumerate(_ONE_OF_EACH, start=1)
    ), report="final", conclusion="Technical set."),
    Study("formats-colour", "okonkwo-reyes", ("northgate",), 5, "1230", "US", "Colour and palettes", "ABDOMEN", "NG26-0516-002", (
        Series(1, "US", "RGB", "us_doppler_real"),
        Series(2, "US", "Palette colour", "us_palette_real"),
        Series(3, "US", "YBR full 422 loop", "us_loop_real"),
        Series(4, "US", "YBR RCT, JPEG 2000", "us_j2k_real"),
        Series(5, "OT", "RGB planar, RLE", "photo_burn", 1, 1, "rle", {"stage": 1, "secondary": True}),
    ), report="final", conclusion="Technical set."),
    Study("formats-documents", "okonkwo-reyes", ("northgate",), 4, "0900", "CT", "CT head with documents", "HEAD", "NG26-0517-001", (
        Series(2, "CT", "Axial 7 mm", "ct_head", 20, 3, options={"thickness": 7.0}),
        Series(3, "PR", "Presentation state", "pr"),
        Series(4, "KO", "Key images", "ko"),
        Series(5, "SR", "Structured report", "sr_text"),
        Series(6, "DOC", "Scanned letter", "pdf"),
        Series(7, "ECG", "12 lead ECG", "ecg_real"),
        Series(8, "SEG", "Segmentation", "seg"),
        Series(9, "OT", "Unknown transfer syntax", "unknown_syntax", syntax="unknown"),
        Series(10, "RTSTRUCT", "Contours", "rt_structures"),
    ), report="final", conclusion="Technical set."),
    Study("formats-sides", "okonkwo-reyes", ("kestrel",), 6, "1000", "DX", "Laterality markers, both hands", "HAND", "KC-2026-0555", (
        Series(1, "DX", "Right", "side_marker", options={"side": "R"}),
        Series(2, "DX", "Left", "side_marker", options={"side": "L"}),
    ), in_chart=False),
)  # fmt: skip

ELSEWHERE = (
    Study("femi-mr-larkmoor", "oyelaran-femi", ("larkmoor",), 140, "1115", "MR", "MRI liver", "ABDOMEN", "LM-26-0107", (
        Series(1, "MR", "Axial T2", "mr_brain", 12, 3, options={"weight": "t2"}),
    ), in_chart=False),
    Study("penhaligon-cxr-larkmoor", "penhaligon", ("larkmoor",), 410, "0905", "DX", "Chest, 2 views", "CHEST", "LM-25-0401", (
        Series(1, "DX", "Chest PA", "cxr_synthetic", options={"view": "PA"}),
        Series(2, "DX", "Chest lateral", "cxr_synthetic", options={"view": "LATERAL"}),
    ), in_chart=False, chart_shape="capability"),
    Study("hathersage-ct-dunmere", "hathersage", ("dunmere",), 1300, "1640", "CT", "CT head without contrast", "HEAD", "DM-22-0611", (
        Series(2, "CT", "Axial brain 5 mm", "ct_head", 24, 3, options={"thickness": 5.0}),
        Series(3, "CT", "Axial bone 2 mm", "ct_head", 24, 2, options={"thickness": 2.0, "bone": True}),
    ), in_chart=False),
    Study("penhaligon-ct-dunmere", "penhaligon", ("dunmere",), 780, "1210", "CT", "CT chest", "CHEST", "DM-24-0402", (
        Series(2, "CT", "Axial 5 mm", "ct_chest", 32, 3, options={"thickness": 5.0, "nodule": 0.0}),
    ), in_chart=False, chart_shape="kos"),
)  # fmt: skip
"""Known to no archive that is asked over DICOMweb: found through an exchange (by token, by capability) or a manifest (FHIR, KOS)."""

STUDIES: tuple[Study, ...] = STROKE + ONCOLOGY + PREOP + OTHERS + FORMATS + ELSEWHERE + lookalikes.STUDIES
