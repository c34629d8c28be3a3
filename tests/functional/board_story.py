"""Someone of the surgical team at the board, without a page: reads it, has its cases looked for, opens one."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from urllib.parse import urlencode

from tests.town import Jar, Seen, Town


@dataclass
class Team:
    town: Town
    jar: Jar
    handle: str
    day: str = "tomorrow"

    @classmethod
    def signed_in(cls, town: Town, user: str = "dr-sato") -> Team:
        jar = Jar()
        return cls(town, jar, jar.sign_in(town, user))

    @property
    def here(self) -> str:
        return f"{self.town.plan.app}/l/{self.handle}/board"

    def read(self, case: str = "") -> Seen:
        return self.jar.get(f"{self.here}?day={self.day}{f'&case={case}' if case else ''}")

    def rows(self) -> dict[str, str]:
        """Patient's name → the row's HTML."""
        found = re.findall(r'<tr id="c-([0-9a-f]{32})".*?</tr>', self.read().text, re.S)
        pieces = {id: re.search(rf'<tr id="c-{id}".*?</tr>', self.read().text, re.S) for id in found}
        return {re.search(r"<bdi>(.*?)</bdi>", piece[0])[1]: piece[0] for piece in pieces.values() if piece}  # type: ignore[index]

    def case(self, name: str) -> str:
        return re.search(r'id="c-([0-9a-f]{32})"', self.rows()[name])[1]  # type: ignore[index]

    def words(self, name: str) -> str:
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", self.rows()[name])).split())

    def post(self, path: str, token: str | None = None, **form: str) -> Seen:
        if token is None:
            token = re.search(r'name="csrf" content="([^"]+)"', self.read().text)[1]  # type: ignore[index]
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.town.plan.app, "Sec-Fetch-Site": "same-origin"}
        return self.jar.send("POST", f"{self.here}{path}", headers=headers, body=urlencode({"csrf": token, "day": self.day} | form).encode())

    def look(self, name: str) -> Seen:
        return self.post(f"/cases/{self.case(name)}/look")

    def open(self, name: str, **form: str) -> Seen:
        return self.post(f"/cases/{self.case(name)}/open", **form)
