"""Which part of the body a study shows, in plain words, from codes or from its description. A table of words; no code decides.

Codes and terms: PS3.16 CID 4031 and annex L (body part examined), SNOMED CT. Unknown stays unknown: nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

HEAD, NECK, CHEST, HEART, BREAST = "Head", "Neck", "Chest", "Heart", "Breast"
ABDOMEN, PELVIS, SPINE, ARM, LEG, WHOLE = "Abdomen", "Pelvis", "Spine", "Arm", "Leg", "Whole body"
ORDER = (WHOLE, HEAD, NECK, CHEST, HEART, BREAST, ABDOMEN, PELVIS, SPINE, ARM, LEG)

CODES = {
    "69536005": (HEAD,), "12738006": (HEAD,), "89546000": (HEAD,), "2095001": (HEAD,), "363654007": (HEAD,), "89545001": (HEAD,), "T-D1100": (HEAD,),
    "45048000": (NECK,), "69105007": (NECK,), "T-D1600": (NECK,), "774007": (HEAD, NECK), "T-D1000": (HEAD, NECK),
    "51185008": (CHEST,), "39607008": (CHEST,), "816094009": (CHEST,), "T-D3000": (CHEST,), "80891009": (HEART,), "41801008": (HEART,), "T-32000": (HEART,),
    "76752008": (BREAST,), "T-04000": (BREAST,), "818983003": (ABDOMEN,), "113345001": (ABDOMEN,), "818981001": (ABDOMEN,), "10200004": (ABDOMEN,),
    "64033007": (ABDOMEN,), "T-D4000": (ABDOMEN,), "12921003": (PELVIS,), "816092008": (PELVIS,), "T-D6000": (PELVIS,),
    "416949008": (ABDOMEN, PELVIS), "416550000": (CHEST, ABDOMEN), "416775004": (CHEST, ABDOMEN, PELVIS), "818982008": (ABDOMEN, PELVIS),
    "421060004": (SPINE,), "122494005": (SPINE,), "122495006": (SPINE,), "122496007": (SPINE,), "T-11500": (SPINE,),
    "53120007": (ARM,), "16982005": (ARM,), "85562004": (ARM,), "40983000": (ARM,), "14975008": (ARM,), "8205005": (ARM,), "127949000": (ARM,),
    "61685007": (LEG,), "72696002": (LEG,), "56459004": (LEG,), "70258002": (LEG,), "30021000": (LEG,), "68367000": (LEG,), "24136001": (LEG,),
    "38266002": (WHOLE,), "T-D0010": (WHOLE,),
}  # fmt: skip

PHRASES = (
    (r"whole.?body|skull.?base to|eyes? to thigh|vertex to|total body|burn survey", (WHOLE,)),
    (r"(cervical|thoracic|lumbar|lumbosacral|dorsal|[ctl]|ls)[ .-]?spine|spine|lumbar|sacrum|coccyx|vertebra\w*|myelogra\w*|scoliosis", (SPINE,)),
    (r"head|brain|crani\w*|skull|cereb\w*|intracranial|sinus(es)?|paranasal|orbits?|face|facial|maxill\w*|mandib\w*|dental|jaw|temporal bones?|pituitar\w*|stroke", (HEAD,)),
    (r"neck|carotids?|thyroid|laryn\w*|pharyn\w*|cervical(?!.{0,3}spine)", (NECK,)),
    (r"chest|thora(x|cic(?!.{0,3}spine))|lungs?|pulmonary|ribs?|sternum|mediastin\w*|pneumo\w*|trachea|bronch\w*|cxr", (CHEST,)),
    (r"heart|cardi\w*|coronar\w*|echo(cardiogra\w*)?|tte|toe|tee|ventric\w*|myocard\w*", (HEART,)),
    (r"breasts?|mammo\w*|tomosynthesis", (BREAST,)),
    (r"abdom\w*|liver|hepat\w*|renal|kidneys?|pancrea\w*|spleen|bowel|colon\w*|gallbladder|biliary|mrcp|enterogra\w*|kub|ureters?", (ABDOMEN,)),
    (r"pelvi[sc]\w*|prostat\w*|uter\w*|ovar\w*|bladder|rect(um|al)|hips?", (PELVIS,)),
    (r"shoulders?|humer\w*|elbows?|forearms?|wrists?|hands?|fingers?|thumbs?|clavic\w*|scapul\w*|upper (limb|extremity)|arms?", (ARM,)),
    (r"thighs?|femur|knees?|tibia\w*|fibula\w*|ankles?|foot|feet|toes?|calcane\w*|lower (limb|extremity)|legs?", (LEG,)),
)  # fmt: skip
_PHRASES = tuple((re.compile(rf"(?<![a-z])(?:{pattern})(?![a-z])"), regions) for pattern, regions in PHRASES)
TERMS = {
    "CSPINE": (SPINE,), "TSPINE": (SPINE,), "LSPINE": (SPINE,), "SSPINE": (SPINE,), "HEADNECK": (HEAD, NECK), "CHESTABDOMEN": (CHEST, ABDOMEN),
    "CHESTABDPELVIS": (CHEST, ABDOMEN, PELVIS), "ABDOMENPELVIS": (ABDOMEN, PELVIS), "WHOLEBODY": (WHOLE,), "EXTREMITY": (),
}  # fmt: skip


def regions_of(body_parts: Iterable[str], description: str | None) -> tuple[str, ...]:
    """Plain region words, head to foot. The description is read only where codes and terms say nothing."""
    found: set[str] = set()
    for part in body_parts:
        key = part.strip().upper()
        known = CODES.get(key) or TERMS.get(re.sub(r"[^A-Z]", "", key))
        found.update(known if known is not None else _from_text(part))
    if not found and description:
        found = _from_text(description)
    return (WHOLE,) if WHOLE in found else tuple(region for region in ORDER if region in found)


def _from_text(text: str) -> set[str]:
    lowered = text.lower().replace("_", " ")
    found: set[str] = set()
    for pattern, regions in _PHRASES:
        if pattern.search(lowered):
            found.update(regions)
            if WHOLE in regions:
                return found
    return found
