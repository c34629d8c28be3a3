"""The parts of the body that are told apart, and how they hang together.

A *region* is what the list shows and filters by. A *site* is finer, where a region holds parts that are not compared
with each other: a knee is no ankle. A region without parts is its own only site.
"""

from __future__ import annotations

from collections.abc import Mapping

HEAD, NECK, CHEST, HEART, BREAST = "Head", "Neck", "Chest", "Heart", "Breast"
ABDOMEN, PELVIS, SPINE, ARM, LEG, WHOLE = "Abdomen", "Pelvis", "Spine", "Arm", "Leg", "Whole body"
ORDER = (WHOLE, HEAD, NECK, CHEST, HEART, BREAST, ABDOMEN, PELVIS, SPINE, ARM, LEG)
"""Head to foot, as shown."""

FACE, HIP = "Face and sinuses", "Hip"
CERVICAL, THORACIC, LUMBAR = "Cervical spine", "Thoracic spine", "Lumbar spine"
SHOULDER, UPPER_ARM, ELBOW, FOREARM, HAND = "Shoulder", "Upper arm", "Elbow", "Forearm", "Wrist and hand"
THIGH, KNEE, LOWER_LEG, FOOT = "Thigh", "Knee", "Lower leg", "Ankle and foot"

REGION: Mapping[str, str] = {
    **{region: region for region in ORDER},
    FACE: HEAD, HIP: PELVIS, CERVICAL: SPINE, THORACIC: SPINE, LUMBAR: SPINE,
    SHOULDER: ARM, UPPER_ARM: ARM, ELBOW: ARM, FOREARM: ARM, HAND: ARM, THIGH: LEG, KNEE: LEG, LOWER_LEG: LEG, FOOT: LEG,
}  # fmt: skip
"""Site -> region."""

CONTAINS = frozenset({ARM, LEG, SPINE})
"""Sites that hold every other site of their region: `leg` is compared with a knee."""

PAIRED = frozenset({BREAST, HIP, ARM, SHOULDER, UPPER_ARM, ELBOW, FOREARM, HAND, LEG, THIGH, KNEE, LOWER_LEG, FOOT})
"""Sites of which a picture shows one side: only there do left and right make another study. A chest film shows both lungs."""

NEIGHBOURS: Mapping[str, tuple[str, ...]] = {HEAD: (NECK,), NECK: (HEAD,), HEART: (CHEST,), ABDOMEN: (PELVIS,), PELVIS: (ABDOMEN,)}
"""Region -> regions whose studies are looked at too: carotids for a stroke, the chest film before heart surgery. Not mutual: an
echocardiogram says nothing of a lung nodule."""
