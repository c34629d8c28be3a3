"""Hands one message to the mail server, and says which of three things happened: taken, not taken, or not known. Owns smtplib.

TLS is verified and never given up (`security`). The moment after which the fate of a message may be unknown is told before it comes.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP

from smart_app.config_mail import Mail


class NotTaken(Exception):
    """Not now: the server is away, or said 4xx. Trying later may help. `reason` is a fixed word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Refused(Exception):
    """The server will not take it as it is. A person must look. `reason` is a fixed word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unknown(Exception):
    """The connection was lost after the message was given: it may have been taken."""


class Post:
    """The configured mail server. One connection a message: there are few, and each has its own fate."""

    def __init__(self, mail: Mail, password: str | None) -> None:
        self._mail, self._password = mail, password
        self._tls = ssl.create_default_context(cafile=mail.ca_file) if mail.security != "none" else None

    def hand_over(self, message: EmailMessage, to: str, giving: Callable[[], None]) -> None:
        """Returns when the server has taken it. `giving` is called when it is about to be given; what it raises goes up.

        :raises NotTaken: :raises Refused: :raises Unknown:
        """
        smtp = self._connected()
        try:
            self._address(smtp, to)
            giving()
            try:
                status, _ = smtp.data(message.as_bytes(policy=SMTP))
            except smtplib.SMTPDataError as error:
                raise _fault(error.smtp_code, "mail-content-refused") from error
            except (smtplib.SMTPException, OSError) as error:
                raise Unknown from error
            if status != 250:
                raise _fault(status, "mail-content-refused")
        finally:
            with suppress(smtplib.SMTPException, OSError):
                smtp.quit()
            smtp.close()

    def _connected(self) -> smtplib.SMTP:
        mail = self._mail
        here = mail.sender.rpartition("@")[2]
        try:
            if mail.security == "tls":
                smtp: smtplib.SMTP = smtplib.SMTP_SSL(mail.host, mail.port, local_hostname=here, timeout=mail.timeout, context=self._tls)
            else:
                smtp = smtplib.SMTP(mail.host, mail.port, local_hostname=here, timeout=mail.timeout)
        except ssl.SSLError as error:
            raise Refused("mail-certificate") from error
        except (smtplib.SMTPException, OSError) as error:
            raise NotTaken("mail-server-away") from error
        try:
            smtp.ehlo_or_helo_if_needed()
            if mail.security == "starttls":
                smtp.starttls(context=self._tls)
            if mail.username is not None and self._password is not None:
                smtp.login(mail.username, self._password)
        except BaseException as error:
            smtp.close()
            if isinstance(error, ssl.SSLError):
                raise Refused("mail-certificate") from error
            if isinstance(error, smtplib.SMTPNotSupportedError):
                raise Refused("mail-server-set-up") from error
            if isinstance(error, smtplib.SMTPAuthenticationError):
                raise _fault(error.smtp_code, "mail-sign-in-refused") from error
            if isinstance(error, smtplib.SMTPException | OSError):
                raise NotTaken("mail-server-away") from error
            raise
        return smtp

    def _address(self, smtp: smtplib.SMTP, to: str) -> None:
        try:
            for (status, _), reason in ((smtp.mail(self._mail.sender), "mail-sender-refused"), (smtp.rcpt(to), "mail-address-refused")):
                if status not in (250, 251):
                    raise _fault(status, reason)
        except (smtplib.SMTPException, OSError) as error:
            raise NotTaken("mail-server-away") from error


def _fault(status: int, reason: str) -> Exception:
    return Refused(reason) if status >= 500 else NotTaken("mail-not-taken")
