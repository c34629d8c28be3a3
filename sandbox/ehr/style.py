"""What the demo EHR sends as `smart_style_url`: the names are SMART's, the colours its own chart's."""

SMART_STYLE = {
    "color_background": "#f1f0ec",
    "color_error": "#a3262a",
    "color_highlight": "#3d4a7a",
    "color_modal_backdrop": "#2b2f3f",
    "color_success": "#2e6b43",
    "color_text": "#22242c",
    "dim_border_radius": "3px",
    "dim_font_size": "13px",
    "dim_spacing_size": "12px",
    "font_family_body": "'Segoe UI', 'Noto Sans', Arial, sans-serif",
    "font_family_heading": "'Segoe UI', 'Noto Sans', Arial, sans-serif",
}
