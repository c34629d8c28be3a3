"""Words and abbreviations of descriptions, orders and reasons -> sites. Read from left to right; the first row that fits a place takes it.

So the rows before a trap disarm it: "head of pancreas" is taken as abdomen before "head" can be seen. A row with no site
takes words that look like anatomy and are none ("gradient echo", "C-arm"). Patterns see lower-case words and end at letters.
"""

from __future__ import annotations

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

PHRASES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"(?:spin|gradient|turbo|fast|multi|field)[ -]?echo|echo[ -]?planar|c[ -]?arm|face[ -]to[ -]face|on the other hand|hand[ -]?over|foot[ -]?note|head nurse", ()),
    (r"whole[ -]?body|skull[ -]base to\b[a-z -]*|eyes? to thighs?|vertex to [a-z]+|total body|burn survey|skeletal survey|pan[ -]?scan", (WHOLE,)),
    # parts of other parts
    (r"heads? of (?:the )?pancreas|pancreatic head|neck of (?:the )?pancreas|lobe of (?:the )?liver|pneumoperitoneum|renal pelvis", (ABDOMEN,)),
    (r"(?:head|neck) of (?:the )?(?:left |right )?femur|(?:femoral|femur) (?:head|neck)|nof", (HIP,)),
    (r"(?:head|neck) of (?:the )?(?:left |right )?humerus|(?:humeral|surgical) (?:head|neck)", (SHOULDER,)),
    (r"radial head|head of (?:the )?radius", (ELBOW,)),
    (r"(?:metatarsal|metacarpal|fibular) (?:head|neck)|neck of (?:the )?(?:talus|fibula)", ()),
    (r"bladder neck|uterine neck|cervix|cervical (?:cancer|carcinoma|ca|smear|screening|cytology|length|cerclage|intraepithelial)", (PELVIS,)),
    (r"cervical (?:lymph ?|lymph[ -]?)?(?:nodes?|lymphadenopathy|adenopathy|mass|soft tissues?|vessels?|arter(?:y|ies))", (NECK,)),
    (r"(?:lateral |third |fourth |cerebral )ventric\w*|ventriculo[ -]?peritoneal|vp shunt|pneumocephalus", (HEAD,)),
    # spine
    (r"[ctl](?:[ /,&+-]{1,3}[ctl])+[ .-]?spines?", (SPINE,)),
    (r"(?:cervical|c)[ .-]?spines?|cervical(?=[^.;]{0,30}\bspine)|cervical (?:dis[ck]s?|vertebra\w*|fusion|radiculopathy|myelopathy|spondyl\w*|stenosis)|odontoid", (CERVICAL,)),
    (r"(?:thoracic|dorsal|t)[ .-]?spines?|thoracic(?=[^.;]{0,30}\bspine)|thoracic (?:dis[ck]s?|vertebra\w*)", (THORACIC,)),
    (r"(?:lumbar|lumbo[ -]?sacral|l|ls|l/s)[ .-]?spines?|lumbar|lumbosacral|sacrum|sacral|coccyx|sacro[ -]?coccygeal|sciatica|low(?:er)? back pain", (LUMBAR,)),
    (r"spin(?:e|es|al)|vertebra\w*|myelogra\w*|scoliosis|back ?(?:pain|ache)|cauda equina", (SPINE,)),
    # head to foot
    (r"sinus(?:es|itis)?|paranasal|orbits?|orbital|face|facial|maxill\w*|mandib\w*|dental|teeth|jaw|tmj|nasal|zygoma\w*", (FACE,)),
    (r"heads?|brain|crani\w*|skull|cereb\w*|intracranial|hippocamp\w*|temporal (?:bones?|lobes?)|pituitar\w*|sella|mastoids?|iac|stroke|tia|seizures?|epilep\w*|headaches?|"
     r"migraine|circle of willis", (HEAD,)),
    (r"necks?(?! pain)|carotids?|thyroid\w*|parathyroid\w*|laryn\w*|pharyn\w*|nasopharyn\w*|parotid", (NECK,)),
    (r"neck pain", (CERVICAL,)),
    (r"toe echo\w*|coronar\w*|cardi\w*|heart|echo(?:cardio\w*)?|tte|tee|myocard\w*|atrial|atrium|aortic valve|mitral|tricuspid|(?:left |right )ventric\w*|cabg|tav[ir]|muga|angina|"
     r"endocarditis|pericard\w*|lv function|ejection fraction|(?:e[ck]g)", (HEART,)),
    (r"chest pain", (CHEST, HEART)),
    (r"chest|thora(?:x|cic)|thoracotomy|lungs?|pulmonary|ribs?|sternum|sternal|mediastin\w*|pneumo(?:nia|thorax|nitis)|trachea\w*|bronch\w*|cxr|ctpa|pleura\w*|lobectomy|"
     r"(?:upper|middle|lower) lobe|pneumonectomy|pe (?:study|protocol)|copd|asthma", (CHEST,)),
    (r"breasts?|mammo\w*|tomosynthesis|mastectomy", (BREAST,)),
    (r"abdom\w*|abdo?|liver|hepat\w*|renal|kidneys?|nephr\w*|pancrea\w*|splee?n\w*|bowel|colon\w*|gall ?bladder|biliary|cholecyst\w*|mrcp|ercp|enterogra\w*|kub|ureters?|"
     r"ureteric|urogra\w*|iv[pu]|stomach|gastr\w*|duoden\w*|appendi(?:x|c\w*)|diverticul\w*|retroperitone\w*|adrenals?|ugi", (ABDOMEN,)),
    (r"hips?|acetabul\w*", (HIP,)),
    (r"pelvi[sc]\w*|pelves|prostat\w*|uter(?:us|ine)|ovar\w*|endometri\w*|bladder|rect(?:um|al)|sacro[ -]?iliac|transvaginal|scrot\w*|testi[sc]\w*", (PELVIS,)),
    (r"shoulders?|clavic\w*|scapul\w*|acromio[ -]?clavicular|ac joints?|rotator cuff|gleno\w*", (SHOULDER,)),
    (r"humer(?:us|al)|upper arms?", (UPPER_ARM,)),
    (r"elbows?|olecranon", (ELBOW,)),
    (r"forearms?|radius and ulna|ulna\w*", (FOREARM,)),
    (r"wrists?|hands?|fingers?|thumbs?|scaphoid|metacarpal\w*|carpal\w*", (HAND,)),
    (r"thighs?|femur|femoral shaft", (THIGH,)),
    (r"knees?|patell\w*|menisc\w*|acl", (KNEE,)),
    (r"tib(?:ia|ial|/?fib)?|fibula\w*|lower legs?|cal(?:f|ves)", (LOWER_LEG,)),
    (r"ankles?|foot|feet|toes?|calcane\w*|heels?|metatarsal\w*|tars(?:al|us)|achilles", (FOOT,)),
    (r"upper (?:limbs?|extremit(?:y|ies))|arms?", (ARM,)),
    (r"lower (?:limbs?|extremit(?:y|ies))|legs?", (LEG,)),
)  # fmt: skip

NOT = r"(?:without|w/o|excluding|excl\.?|except(?: for)?|not including|no|minus)\s+(?:the\s+)?([\w-]+(?:\s+(?:or|nor)\s+[\w-]+)*)"
"""What follows these words was not imaged or is not there: `CT head without chest`, `no hip or knee pain`. One word, and more after `or`; after
`and` something new begins (`without contrast and chest`)."""
