"""Codes -> sites. A code that is not here is unknown, whatever it looks like; its display is then read as text.

Where each comes from is said above its table. SNOMED CT and DICOM codes are unique among themselves and are looked up
without their system, since DICOM and many EHRs give none; LOINC, RadLex and Playbook codes have shapes of their own.
"""

from __future__ import annotations

from collections.abc import Mapping

from smart_app.studies.terms.anatomy import (
    ABDOMEN,
    ARM,
    BREAST,
    CERVICAL,
    CHEST,
    ELBOW,
    FACE,
    FOOT,
    FOREARM,
    HAND,
    HEAD,
    HEART,
    HIP,
    KNEE,
    LEG,
    LOWER_LEG,
    LUMBAR,
    NECK,
    PELVIS,
    SHOULDER,
    SPINE,
    THIGH,
    THORACIC,
    UPPER_ARM,
    WHOLE,
)  # fmt: skip

Sites = tuple[str, ...]


def _table(*rows: tuple[Sites, str]) -> Mapping[str, Sites]:
    return {code: sites for sites, codes in rows for code in codes.split()}


# SNOMED CT body structures: DICOM PS3.16 CID 4031 "Common Anatomic Region" (2025), and the older general structures
# (brain, lung, liver, whole abdomen and pelvis) that charts and PS3.16 before 2020 use for the same regions.
STRUCTURES = _table(
    ((HEAD,), "69536005 12738006 89546000 361078006 42575006 59066005 55024004"),
    ((FACE,), "2095001 363654007 89545001 371398005 81745001 91397008 661005 91609006 70925003 74386004 53620006 13881006"),
    ((NECK,), "45048000 69105007 4596009 45289007 54019009"),
    ((HEAD, NECK), "774007"),
    ((CHEST,), "51185008 39607008 816094009 86598002 955009 72410000 113197003 56873002 44567001 7844006"),
    ((HEART,), "80891009 41801008"),
    ((BREAST,), "76752008"),
    ((ABDOMEN,), "818983003 113345001 818981001 10200004 64033007 28273000 34707002 71854001 79741001 38848004 28231008 34516001 21306003 "
                 "14742008 303270005 15776009 69930009 30315005 69695003 431491007 87953007"),
    ((PELVIS,), "12921003 816092008 89837001 53505006 41216001 34402009 13648007 110639002 22356005 39723000"),
    ((HIP,), "29836001 24136001"),
    ((ABDOMEN, PELVIS), "416949008 818982008"), ((CHEST, ABDOMEN), "416550000"), ((CHEST, ABDOMEN, PELVIS), "416775004"),
    ((NECK, CHEST), "417437006"), ((NECK, CHEST, ABDOMEN), "416152001"), ((NECK, CHEST, ABDOMEN, PELVIS), "416319003"),
    ((SPINE,), "421060004 737561001"), ((CERVICAL,), "122494005"), ((THORACIC,), "122495006"), ((CERVICAL, THORACIC), "1217257000"),
    ((LUMBAR,), "122496007 1217253001 1217254007 54735007 64688005"), ((THORACIC, LUMBAR), "1217256009"),
    ((ARM,), "53120007 371195002 30608006 127949000"), ((SHOULDER,), "16982005 85856004 51299004 79601000"), ((UPPER_ARM,), "40983000 85050009"),
    ((ELBOW,), "16953009"), ((FOREARM,), "14975008"), ((HAND,), "85562004 8205005 74670003 7569003 76505004"),
    ((LEG,), "61685007 72001000 102292000"), ((THIGH,), "68367000 71341001"), ((KNEE,), "72696002 64234005"), ((LOWER_LEG,), "30021000 87342007"),
    ((FOOT,), "56459004 70258002 80144004 58742003 27949001 29707007"),
    ((WHOLE,), "38266002"),
)  # fmt: skip

# SNOMED-RT style identifiers of the same concepts, as DICOM wrote them until 2018 (PS3.16 CID 4031, column SNOMED-RT ID).
OLD_STRUCTURES = _table(
    ((HEAD,), "T-D1100 T-11100"), ((FACE,), "T-22000 T-D14AE T-11196"), ((NECK,), "T-D1600"), ((HEAD, NECK), "T-D1000"), ((CHEST,), "T-D3000"),
    ((HEART,), "T-32000"), ((BREAST,), "T-04000"), ((ABDOMEN,), "T-D4000 T-71000"), ((PELVIS,), "T-D6000"), ((HIP,), "T-D2500 T-15710"),
    ((CHEST, ABDOMEN), "R-FAB55"), ((CHEST, ABDOMEN, PELVIS), "R-FAB56"), ((NECK, CHEST), "R-FAB52"),
    ((SPINE,), "T-11500 T-D04FF"), ((CERVICAL,), "T-11501"), ((THORACIC,), "T-11502"), ((LUMBAR,), "T-11503"),
    ((ARM,), "T-D8000"), ((SHOULDER,), "T-D2220"), ((ELBOW,), "T-15430"), ((FOREARM,), "T-D8500"), ((HAND,), "T-D8700 T-15460 T-D8800"),
    ((LEG,), "T-D9000"), ((THIGH,), "T-D9100 T-12710"), ((KNEE,), "T-D9200"), ((LOWER_LEG,), "T-D9400"), ((FOOT,), "T-D9700 T-15750"), ((WHOLE,), "T-D0010"),
)  # fmt: skip

# SNOMED CT reasons and procedures that orders, visits and appointments name often.
REASONS = _table(
    ((HEAD,), "230690007 25064002 303653007"), ((FACE,), "36971009 40055000"), ((HEAD, NECK), "429858000"), ((NECK,), "64586002"),
    ((CHEST,), "233604007 59282003 13645005 195967001 254637007 399208008 169069000"), ((CHEST, HEART), "29857009"),
    ((HEART,), "22298006 49436004 53741008 60573004 40701008 232717009"), ((BREAST,), "71651007"), ((ABDOMEN,), "21522001 235856003 169070004"),
    ((LUMBAR,), "279039007"), ((SPINE,), "161891005"), ((KNEE,), "239720000"),
)  # fmt: skip

# ICD-10 by its first characters, for visits that give no words.
ICD10 = _table(
    ((HEAD,), "I60 I61 I62 I63 I64 I67 I69 G40 G43 G45 R51 S06"), ((FACE,), "J01 J32"), ((HEART,), "I20 I21 I22 I24 I25 I34 I35 I42 I48 I50"),
    ((CHEST,), "J12 J15 J18 J44 J45 J84 J90 J93 C34 I26 R91"), ((CHEST, HEART), "R07"), ((BREAST,), "C50 N63"),
    ((ABDOMEN,), "R10 K35 K57 K80 K81 K85 N20 C22 C25 C64"), ((PELVIS,), "C61 C67"), ((LUMBAR,), "M54.5 M54.4"), ((CERVICAL,), "M54.2"),
    ((HIP,), "M16 S72.0"), ((KNEE,), "M17 M23"), ((LOWER_LEG,), "S82"), ((FOREARM,), "S52"),
)  # fmt: skip

# DICOM Body Part Examined terms whose letters run together (PS3.16 annex L); all others are read as words.
TERMS = {
    "CSPINE": (CERVICAL,), "TSPINE": (THORACIC,), "LSPINE": (LUMBAR,), "SSPINE": (LUMBAR,), "CTSPINE": (CERVICAL, THORACIC), "TLSPINE": (THORACIC, LUMBAR),
    "LSSPINE": (LUMBAR,), "HEADNECK": (HEAD, NECK), "NECKCHEST": (NECK, CHEST), "CHESTABDOMEN": (CHEST, ABDOMEN), "CHESTABDPELVIS": (CHEST, ABDOMEN, PELVIS),
    "NECKCHESTABDOMEN": (NECK, CHEST, ABDOMEN), "NECKCHESTABDPELV": (NECK, CHEST, ABDOMEN, PELVIS), "ABDOMENPELVIS": (ABDOMEN, PELVIS),
    "WHOLEBODY": (WHOLE,), "EXTREMITY": (), "UPPERLIMB": (ARM,), "LOWERLIMB": (LEG,), "UPPERARM": (UPPER_ARM,), "LOWERLEG": (LOWER_LEG,),
    "ACJOINT": (SHOULDER,), "SIJOINT": (PELVIS,), "TMJ": (FACE,), "IAC": (HEAD,), "SINUS": (FACE,),
}  # fmt: skip

# RadLex anatomy (HL7 Switzerland, CH RAD-Order, value set "imaging region").
RADLEX = {
    "RID9080": (HEAD,), "RID7488": (NECK,), "RID1243": (CHEST,), "RID28749": (BREAST,), "RID56": (ABDOMEN,), "RID2507": (PELVIS,), "RID1850": (ARM,),
    "RID2638": (LEG,), "RID39569": (WHOLE,),
}  # fmt: skip

# RadLex Playbook, core: modality, sites, number of each RPID (RSNA; checked against JP Core's copy of the table).
_PLAYBOOK = (
    ("CT", (HEAD,), "7 22 23 24 41 43 45 84 96 105 106 218 373"), ("CT", (FACE,), "34 35 36 40 42 44 62 63 79 98"), ("CT", (NECK,), "11 37 38 39 379"),
    ("CT", (CHEST,), "6 16 17 18 146 147"), ("CT", (ABDOMEN,), "2 3 4 5 86 87 89 140 148 152"), ("CT", (PELVIS,), "12 46 47 48 64 156 161"),
    ("CT", (ABDOMEN, PELVIS), "144 145 198"), ("CT", (CERVICAL,), "19 20 21 138 139"), ("CT", (THORACIC,), "51 52 53 162 163"),
    ("CT", (LUMBAR,), "31 32 33 141 142"), ("CT", (SPINE,), "78"), ("CT", (ARM,), "107 108 109"), ("CT", (LEG,), "10"),
    ("MR", (HEAD,), "461 462 479 480 481 593"), ("MR", (FACE,), "505 506 508 509 511 512 546 547"), ("MR", (NECK,), "466 467 507 510 561"),
    ("MR", (CHEST,), "459 489 490 491 502 503 557"), ("MR", (HEART,), "581"), ("MR", (BREAST,), "572 577 579 597"), ("MR", (ABDOMEN,), "457 473 474 475 554"),
    ("MR", (ABDOMEN, PELVIS), "645"), ("MR", (PELVIS,), "469 531 532 533 534 536 566"), ("MR", (HIP,), "519 520 521"), ("MR", (CERVICAL,), "487 488"),
    ("MR", (THORACIC,), "542 544 545"), ("MR", (LUMBAR,), "500 501 541"), ("MR", (SPINE,), "570"), ("MR", (ARM,), "455 548 549 550 552 553 567 568"),
    ("MR", (SHOULDER,), "525 526 527"), ("MR", (UPPER_ARM,), "551"), ("MR", (ELBOW,), "516 517 518"), ("MR", (FOREARM,), "472"),
    ("MR", (HAND,), "492 494 528 529 530"), ("MR", (LEG,), "463 495 496 497 498 499 559 563 564"), ("MR", (THIGH,), "543"), ("MR", (KNEE,), "522 523 524"),
    ("MR", (LOWER_LEG,), "486"), ("MR", (FOOT,), "493 513 514 515"), ("XA", (NECK,), "6198 6199 6230 6231"), ("XA", (HEAD,), "6200 6201 6202 6203 6204"),
    ("NM", (HEART,), "6172 6173 6174 6183"), ("NM", (WHOLE,), "6179 6180 6192"), ("MG", (BREAST,), "6248 6249 6250"),
)  # fmt: skip
PLAYBOOK: Mapping[str, tuple[str, Sites]] = {f"RPID{number}": (modality, sites) for modality, sites, numbers in _PLAYBOOK for number in numbers.split()}

# LOINC imaging codes, by display as published (LOINC class RAD; DICOM PS3.16 CID 7000 for the reports' titles).
_LOINC = (
    ("CT", (HEAD,), "24725-4 24726-2 24727-0 24728-8 24729-6 30799-1 24877-3 24878-1"), ("CT", (FACE,), "24696-7 24697-5 24848-4 24849-2 24850-0 24913-6"),
    ("CT", (NECK,), "24835-1 24836-9"), ("CT", (CHEST,), "24627-2 24628-0 24544-9 24545-6 29252-4"), ("CT", (HEART,), "58744-4 83289-9"),
    ("CT", (ABDOMEN,), "41806-1 24566-2 24814-6 24815-3 24857-5 24858-3 24988-8 24989-6"), ("CT", (PELVIS,), "24865-8 24866-6"),
    ("CT", (ABDOMEN, PELVIS), "36813-4 36952-0"), ("CT", (CHEST, ABDOMEN, PELVIS), "72254-6"), ("CT", (CERVICAL,), "24932-6 24933-4"),
    ("CT", (THORACIC,), "24978-9 24979-7"), ("CT", (LUMBAR,), "24963-1 24964-9"), ("CT", (SPINE,), "24987-0"), ("CT", (WHOLE,), "46305-9"),
    ("MR", (HEAD,), "24590-2 24586-0 24587-8 24588-6 24589-4 24593-6 24735-3 24740-3 24879-9 24880-7 30657-1 58748-5"),
    ("MR", (FACE,), "24694-2 24851-8 24852-6 24914-4 24915-1 24999-5"), ("MR", (NECK,), "24839-3 24840-1 24841-9 24844-3"),
    ("MR", (CHEST,), "24629-8 24659-5 24660-3"), ("MR", (HEART,), "24748-6"), ("MR", (ABDOMEN,), "24556-3 24557-1 24533-2 36134-5"),
    ("MR", (PELVIS,), "24867-4 24873-2"), ("MR", (PELVIS, HIP), "24872-4"), ("MR", (SPINE,), "18756-7"), ("MR", (CERVICAL,), "24935-9 24937-5 24938-3"),
    ("MR", (THORACIC,), "24980-5 24981-3 24982-1"), ("MR", (LUMBAR,), "24967-2 24968-0 24977-1"), ("MR", (SHOULDER,), "24905-2 24906-0"),
    ("MR", (ELBOW,), "24674-4 24675-1"), ("MR", (FOREARM,), "24710-6"), ("MR", (HAND,), "24705-6 24720-5 25033-2 25035-7"), ("MR", (THIGH,), "24702-3 24703-1"),
    ("MR", (KNEE,), "24802-1 24803-9"), ("MR", (LOWER_LEG,), "24821-1"), ("MR", (FOOT,), "24538-1 24539-9 24707-2"), ("MR", (WHOLE,), "46358-8"),
    ("US", (ABDOMEN,), "24558-9 24532-4 24531-6 24548-0 24711-4 24859-1 24990-4"), ("US", (PELVIS,), "24869-0 24677-7 24884-9 25019-1 11525-3"),
    ("US", (HEART,), "42148-7"), ("US", (BREAST,), "24601-7 24599-3"), ("US", (NECK,), "24616-5 24842-7 25010-0"), ("US", (CHEST,), "24630-6"),
    ("US", (SHOULDER,), "24907-8"), ("US", (HIP,), "24760-1"), ("US", (HEAD,), "24731-2"),
    ("XR", (CHEST,), "36643-5 30745-4 24632-2 24640-5 24642-1 24647-0 24648-8 42272-5 36589-0 24899-7 24994-6"), ("XR", (ABDOMEN,), "24798-1 24799-9 24794-0"),
    ("XR", (FACE,), "24695-9 24916-9 24829-4 24834-4"), ("XR", (HEAD,), "24917-7 24918-5 24919-3"), ("XR", (PELVIS,), "37622-8"),
    ("XR", (HIP,), "24761-9 24762-7 26130-5 26131-3 26132-1"), ("XR", (CERVICAL,), "24946-6 24939-1 24941-7 24942-5"), ("XR", (THORACIC,), "24983-9"),
    ("XR", (LUMBAR,), "24972-2 24970-6 24665-2"), ("XR", (SHOULDER,), "24909-4 24908-6 24664-5 24903-7 26157-8 26158-6 26159-4"),
    ("XR", (ELBOW,), "24676-9 26110-7 26111-5"), ("XR", (FOREARM,), "24891-4 26148-7 26150-3"), ("XR", (HAND,), "24619-9 24721-3 24722-1 26170-1 26171-9"),
    ("XR", (THIGH,), "24704-9 26120-6 26122-2"), ("XR", (KNEE,), "24806-2 24805-4 26085-1 26086-9 26087-7"), ("XR", (LOWER_LEG,), "25011-8 26164-4 26165-1"),
    ("XR", (FOOT,), "24541-5 24540-7 24709-8 26098-4 26099-2 26128-9 26129-7"), ("MG", (BREAST,), "24604-1 24605-8 24606-6 26175-0 26176-8 26177-6"),
    ("XA", (HEART,), "18745-0"), ("PT", (WHOLE,), "44139-4"), ("PT", (HEAD,), "44138-6"), ("NM", (WHOLE,), "42175-0"), ("ECG", (HEART,), "11524-6"),
)  # fmt: skip
LOINC: Mapping[str, tuple[str, Sites]] = {code: (modality, sites) for modality, sites, codes in _LOINC for code in codes.split()}

# LOINC codes that say the side in their display; SNOMED CT qualifiers and DICOM Laterality (0020,0060) say it alone.
SIDES: Mapping[str, str] = {
    **dict.fromkeys(["26131-3", "26158-6", "26110-7", "26148-7", "26170-1", "26120-6", "26086-9", "26164-4", "26098-4", "26128-9", "26176-8", "7771000", "G-A101"], "L"),
    **dict.fromkeys(["26132-1", "26159-4", "26111-5", "26150-3", "26171-9", "26122-2", "26087-7", "26165-1", "26099-2", "26129-7", "26177-6", "24028007", "G-A100"], "R"),
    **dict.fromkeys(["26130-5", "26157-8", "26085-1", "26175-0", "51440002", "G-A102"], "B"),
}  # fmt: skip
