"""What every request passes: routes' types, the guard (launch, rights, CSRF), headers, pages for faults, static files.

Knows no study and no archive. The factory hands it collaborators once, through `install`.
"""

from smart_app.web.context import current_launch, current_roles, current_who, request_reference
from smart_app.web.faults import NotHere, show_launch_error
from smart_app.web.headers import with_wasm
from smart_app.web.install import UnmarkedRoutes, Web, install, public_origin, refuse_unmarked
from smart_app.web.recent import Recent
from smart_app.web.references import new_reference

__all__ = [
    "NotHere",
    "Recent",
    "UnmarkedRoutes",
    "Web",
    "current_launch",
    "current_roles",
    "current_who",
    "install",
    "new_reference",
    "public_origin",
    "refuse_unmarked",
    "request_reference",
    "show_launch_error",
    "with_wasm",
]
