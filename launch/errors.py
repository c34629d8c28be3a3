"""Each way a launch can fail, with its own plain page (design.md section 7, "Launch")."""

from __future__ import annotations


class LaunchError(Exception):
    """A launch that did not come about. `code` picks the page; `detail` is safe to show (never user data)."""

    code = "sign-in-broken"
    status = 400
    retryable = False

    def __init__(self, detail: str = "", *, reason: str = "") -> None:
        self.detail = detail
        self.reason = reason
        """For the audit and the log: why exactly, in a few fixed words."""
        super().__init__(f"{self.code}: {reason}" if reason else self.code)


class UnknownIssuer(LaunchError):
    """`iss` is not registered: nothing was fetched. `detail` is the issuer as it was sent."""

    code = "unknown-issuer"
    status = 403


class MissingParameter(LaunchError):
    """No `iss` or no `launch`: the menu entry is set up as a plain link. `detail` names what is missing."""

    code = "missing-parameter"


class CookiesBlocked(LaunchError):
    """The binding cookie did not come back; `iss` and `launch` are still unspent. `detail` is empty."""

    code = "cookies-blocked"


class SignInBroken(LaunchError):
    """state, nonce, iss, code or id_token is not what this browser's launch began with."""

    code = "sign-in-broken"


class SignInRefused(LaunchError):
    """The EHR answered with an OAuth error; `detail` is the RFC 6749 error code only."""

    code = "sign-in-refused"
    status = 403


class NoPatient(LaunchError):
    """The EHR opened us without saying which patient."""

    code = "no-patient"


class EhrSilent(LaunchError):
    """The EHR did not answer within the deadline. Their side."""

    code = "ehr-silent"
    status = 504
    retryable = True


class EhrFaulty(EhrSilent):
    """The EHR answered at once, with a fault of its own. Their side; another try may help."""

    code = "ehr-faulty"
    status = 502


class EhrMisconfigured(LaunchError):
    """Its smart-configuration or token answer breaks the specification. `detail` says which field."""

    code = "ehr-misconfigured"
    status = 502


class SessionEnded(LaunchError):
    """Idle, past its lifetime, ended, or the EHR withdrew the token."""

    code = "session-ended"
    status = 401
