"""What each word of the matrix means: the state that is shown, and the sentence a reader gets. `{name}` is the archive's."""

from __future__ import annotations

SHOWN = {
    "unreachable": ("failed", "{name} could not be reached."),
    "timeout": ("timeout", "{name} did not answer in 1 second."),
    "cut": ("failed", "{name}'s answer broke off before the end."),
    "refused": ("refused", "{name} refused our question."),
    "failed": ("failed", "{name} answered with a fault of its own."),
    "overloaded": ("failed", "{name} asked us to come back later."),
    "redirected": ("failed", "{name} sent us on to another address, and nothing was asked there."),
    "sent-away": ("not-approved", "{name} sent us on to another address, and nothing was asked there."),
    "too-large": ("too-large", "{name}'s answer was too large to read."),
    "not-a-list": ("failed", "{name} sent something that is not a list of studies."),
    "more": ("partial", "{name} sent 1 study and may have more. Older studies from there may be missing here."),
    "many": ("partial", "{name} sent 60 studies and may have more. Older studies from there may be missing here."),
    "withheld": ("partial", "1 record was withheld: not this patient's, or not certain to be. The image desk can look into it."),
    "unreadable": ("partial", "1 of 1 records from {name} could not be read."),
    "token-silent": ("failed", "{name} was not asked: the service that lets us in did not answer."),
    "token-refused": ("refused", "{name} was not asked: the service that lets us in refused us."),
    "token-faulty": ("failed", "{name} was not asked: the service that lets us in answered with a fault."),
    "whole": ("ok", ""),
}
"""In the strip over the list: chip state and sentence."""

GIVEN = {
    "unreachable": (502, "unreachable", "{name} could not be reached."),
    "timeout": (504, "timeout", "{name} did not answer in time."),
    "cut": (502, "cut", "{name}\u2019s answer broke off before the end."),
    "refused": (502, "refused", "{name} refused our question."),
    "failed": (502, "failed", "{name} answered with a fault of its own."),
    "overloaded": (503, "overloaded", "{name} asked us to come back later."),
    "redirected": (502, "redirected", "{name} sent us on to another address, and nothing was asked there."),
    "cannot-send": (406, "cannot-send", "{name} cannot send the image in this form."),
    "not-there": (404, "not-there", "{name} does not have this image any more."),
    "wrong-content": (502, "wrong-content", "{name} sent something that is not what was asked for."),
    "damaged": (502, "damaged", "{name} sent this image damaged."),
    "too-large": (502, "too-large", "{name}\u2019s answer was too large to read."),
    "withheld": (404, "withheld", "This image was withheld: it names another patient than this study."),
    "broken": (0, "damaged", "It sent this image damaged."),
    "part": (206, "", ""),
    "kept-back": (200, "withheld", ""),
    "whole": (200, "", ""),
}
"""In the viewer: HTTP status, code and sentence. A Warning counts as 206; rows that were kept back are counted in a header (`withheld`);
0 is an answer that breaks off here too, so that nobody takes it for whole."""
