"""The recipe book: names used in the catalogue → functions that draw."""

from __future__ import annotations

from sandbox.recipes import documents, pictures, real, slices
from sandbox.recipes.objects import Recipe

RECIPES: dict[str, Recipe] = {
    "ct_head": slices.head_ct,
    "ct_head_scout": slices.head_scout,
    "cta_neck": slices.neck_cta,
    "ct_sinus": slices.sinus_ct,
    "ct_chest": slices.chest_ct,
    "ct_chest_scout": slices.chest_scout,
    "mr_brain": slices.brain_mr,
    "mr_spine": pictures.lumbar_mr,
    "cxr_synthetic": pictures.chest_film,
    "side_marker": pictures.side_marker,
    "xa_cine": pictures.angiogram,
    "us_liver": pictures.liver_ultrasound,
    "photo_burn": pictures.burn_photo,
    "cr_chest_real": real.chest_film,
    "cr_tibia_real": real.tibia_film,
    "mr_shoulder_real": real.shoulder,
    "mr_abdomen_real": real.abdomen,
    "nm_bone_real": real.bone_scan,
    "echo_real": real.echo,
    "us_loop_real": real.loop,
    "us_still_real": real.still,
    "us_doppler_real": real.doppler,
    "us_palette_real": real.palette,
    "us_j2k_real": real.colour_j2k,
    "ecg_real": real.ecg,
    "sr_text": documents.text_report,
    "sr_dose": documents.dose_report,
    "ko": documents.key_images,
    "pr": documents.presentation,
    "seg": documents.segmentation,
    "pdf": documents.letter,
    "rt_structures": documents.contours,
    "unknown_syntax": documents.unknown_encoding,
}
