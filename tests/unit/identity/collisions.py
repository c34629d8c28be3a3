"""A seeded maker of collisions: pairs of two people whose records look like one, and pairs of one person's that do not.

Made without looking at how the product compares. One kind is left out, since no rule of identifiers and demographics could
tell it: another person of the same birth date and sex under this patient's own number, whose name is only an initial or unreadable.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from smart_app.archives.types import PatientId
from smart_app.identity.match import Person
from smart_app.identity.names import PersonName, from_parts, from_pn

FAMILIES = ["Smith", "Jones", "Taylor", "Brown", "Fernandes", "García", "Núñez", "Müller", "Schäfer", "Weiß", "Østergård", "Åkesson", "Nguyễn", "Tran", "O'Brien", "McDonald", "Adeyemi-Holt", "Lindgren-Vasquez", "Marchetti", "Kowalski", "Wójcik", "Novák", "Dvořák", "Yılmaz", "Öztürk", "Haddad", "Rahman", "Okafor", "Nakamura", "Suzuki", "Wang", "Li", "Kim", "Park", "Ivanov", "Petrov", "Papadopoulos", "Nikolaidis", "Silva", "Santos", "Rossi", "Bianchi", "Dubois", "Lefèvre", "Van-Dijk", "Jansen", "Cohen", "Levi", "Singh", "Kaur", "Patel", "Sharma", "Oyelaran", "Grunwald", "Thornbury", "Penhaligon"]
WOMEN = ["Maria", "Marie", "Anna", "Anja", "Emma", "Ella", "Ellen", "Helen", "Laura", "Lara", "Lena", "Lotta", "Nina", "Mina", "Sara", "Clara", "Julia", "Julie", "Jana", "Dana", "Hana", "Amira", "Samira", "Rosalind", "Imogen", "Morwenna", "Sunita", "Edith", "Marisol", "Olga", "Irina", "Marina", "Karina", "Sofia", "Zoe", "Chloe", "Aisha", "Fatima", "Yuki", "Yuka", "Mei", "Li-Na", "Ji-Woo", "Agnieszka", "Zofia"]
MEN = ["Tim", "Tom", "Jan", "Jon", "Ian", "Ivan", "Evan", "Dan", "Dean", "Mark", "Marco", "Mario", "Peter", "Pedro", "Paul", "Raul", "Karl", "Carlos", "Otto", "Tobias", "Femi", "Elio", "Ken", "Kenji", "Sergei", "Andrei", "Yusuf", "Omar", "Ahmed", "Hamed", "Hassan", "Hussein", "Jack", "James", "Jason", "Daniel", "Samuel", "Noah", "Liam", "Luca", "Lukas", "Jürgen", "Jörg", "Åke", "Öyvind", "Zbigniew", "Paweł", "Giorgos", "Nikos"]
MIDDLE = ("", "", "", "Jane", "Lee", "Ade", "Isabel", "Teresa", "Pierre", "Alexander")
NATIVE = {
    "Nakamura": "中村", "Suzuki": "鈴木", "Wang": "王", "Li": "李", "Kim": "김", "Park": "박", "Ivanov": "Иванов", "Petrov": "Петров", "Papadopoulos": "Παπαδόπουλος",
    "Nikolaidis": "Νικολαΐδης", "Haddad": "حداد", "Rahman": "رحمان", "Cohen": "כהן", "Ken": "健", "Yuki": "雪", "Sergei": "Сергей", "Andrei": "Андрей", "Olga": "Ольга",
    "Irina": "Ирина", "Omar": "عمر", "Giorgos": "Γιώργος", "Marina": "Марина",
}  # fmt: skip
PLAIN = str.maketrans("äöüåøéèáíóúñçłšřıÄÖÜÅØ", "aouaoeeaiouncLsriAOUAO")
SPELT = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "å": "aa", "ø": "oe", "Ö": "Oe", "Ø": "Oe", "Å": "Aa"}
ISSUERS = ("NORTHGATE", "KESTREL", "BRANNOC")
PLACEHOLDER_NAMES = ("DOE^JOHN", "DOE^JANE", "UNKNOWN^UNKNOWN", "UNKNOWN", "TEST^PATIENT", "XXX^XXX", "ANONYMOUS", "TRAUMA^X")
PLACEHOLDER_DAYS = ("1900-01-01", "1901-01-01", "1800-01-01", "9999-12-31")
PLACEHOLDER_IDS = ("000000", "0", "999999", "UNKNOWN", "123456789", "N/A")


@dataclass(frozen=True)
class Human:
    """The truth."""

    family: str
    given: str
    middle: str
    born: str
    sex: str
    number: str
    issuer: str
    suffix: str = ""


@dataclass(frozen=True)
class Pair:
    kind: str
    chart: Person
    record: Person
    grade: str | None = None
    alone: bool = False


class Maker:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def human(self) -> Human:
        pick = self.random
        sex = pick.choice("FM")
        born = f"{pick.randint(1925, 2024)}-{pick.randint(1, 12):02}-{pick.randint(1, 28):02}"
        return Human(pick.choice(FAMILIES), pick.choice(WOMEN if sex == "F" else MEN), pick.choice(MIDDLE), born, sex, str(pick.randint(10**6, 10**8)), pick.choice(ISSUERS))

    def other_given(self, human: Human) -> str:
        names = WOMEN if human.sex == "F" else MEN
        while (given := self.random.choice(names)) == human.given:
            pass
        return given

    # -- how a desk writes somebody down --

    def chart(self, human: Human) -> Person:
        return _person((from_parts(human.family, f"{human.given} {human.middle}", human.suffix),), human)

    def record(self, human: Human, *, readable: bool = True) -> Person:
        return _person(self.written(human, readable), human)

    def written(self, human: Human, readable: bool) -> tuple[PersonName, ...]:
        pick = self.random
        family, given, middle = human.family, human.given, human.middle
        style = pick.randrange(8 if readable else 11)
        if style == 1:
            family, given = family.upper(), given.upper()
        elif style == 2:
            family, given, middle = (text.translate(PLAIN) for text in (family, given, middle))
        elif style == 3:
            family, given = ("".join(SPELT.get(letter, letter) for letter in text) for text in (family, given))
        elif style == 4:
            middle = middle[:1]
        elif style == 5:
            middle = ""
        elif style == 6:
            return from_pn(f"{family}, {given} {middle}")
        elif style == 7:
            return from_pn(f"{family}^{given}^{middle}^^{human.suffix}={NATIVE.get(family, '')}^{NATIVE.get(given, '')}")
        elif style == 8:
            return from_pn(f"{_damaged(family)}^{_damaged(given)}")
        elif style == 9:
            given, middle = given[:1], ""
        elif style == 10 and family in NATIVE:
            return from_pn(f"{NATIVE[family]}^{NATIVE.get(given, given)}")
        return from_pn(f"{family}^{given}^{middle}^^{human.suffix}")

    # -- two people --

    def collision(self) -> Pair:
        make = self.random.choice(COLLISIONS)
        human = self.human()
        return make(self, human)

    def _filed(self, kind: str, human: Human, other: Human) -> Pair:
        """`other`'s record, under a number of its own, under this patient's by mistake, or as a matching server gives it."""
        route = self.random.randrange(6)
        chart = self.chart(human)
        if route == 0:
            return Pair(kind, chart, self.record(replace(other, number=str(int(other.number) + 1), issuer=human.issuer)))
        if route == 1:
            return Pair(kind, chart, self.record(replace(other, number=human.number, issuer=self._elsewhere(human))), self._uncertain())
        if route == 2:
            record = self.record(replace(other, number=str(int(other.number) + 1), issuer=self._elsewhere(human)))
            return Pair(kind, chart, record, "certain", alone=other.given != human.given or other.born != human.born or other.suffix != human.suffix)
        if route == 3:
            return Pair(kind, chart, self.record(replace(other, number=str(int(other.number) + 1), issuer=human.issuer)), "certain", alone=True)
        return Pair(kind, chart, self.record(replace(other, number=human.number, issuer=human.issuer)))

    def _elsewhere(self, human: Human) -> str:
        return self.random.choice([issuer for issuer in ISSUERS if issuer != human.issuer])

    def _uncertain(self) -> str | None:
        return self.random.choice([None, "probable", "possible", "certainly-not"])

    def twins(self, human: Human) -> Pair:
        sex = self.random.choice("FM")
        other = replace(human, sex=sex, given=self.random.choice([name for name in (WOMEN if sex == "F" else MEN) if name != human.given]), number=str(self.random.randint(10**6, 10**8)))
        return self._filed("twins", human, other)

    def newborns(self, human: Human) -> Pair:
        ours, theirs = replace(human, given="BabyGirl A", middle=""), replace(human, given="BabyGirl B", middle="")
        return Pair("newborns", self.chart(ours), _person(from_pn(f"{theirs.family}^{theirs.given}"), theirs))

    def generations(self, human: Human) -> Pair:
        human = replace(human, suffix=self.random.choice(["Jr", "II", "III", ""]))
        older = replace(human, suffix=self.random.choice([suffix for suffix in ("Sr", "I", "IV") if suffix != human.suffix]) if human.suffix else "")
        older = replace(older, born=f"{int(human.born[:4]) - self.random.randint(18, 40)}{human.born[4:]}") if not human.suffix or self.random.random() < 0.7 else older
        if older.suffix == "I":
            older = replace(older, suffix="Sr")
        pair = self._filed("generations", human, older)
        if older.born == human.born:  # only the suffix tells them apart, so it is written
            pair = replace(pair, record=replace(pair.record, names=from_pn(f"{older.family}^{older.given}^^^{older.suffix}")))
        return pair

    def namesakes(self, human: Human) -> Pair:
        """The same name, and often the same birthday: two records, two numbers."""
        other = replace(human, number=str(int(human.number) + self.random.randint(1, 9)))
        if self.random.random() < 0.5:
            return Pair("namesakes", self.chart(human), self.record(replace(other, issuer=self._elsewhere(human))), self._uncertain())
        return Pair("namesakes", self.chart(human), self.record(other), self.random.choice([None, "probable", "certain"]), alone=True)

    def same_number_elsewhere(self, human: Human) -> Pair:
        other = self.human() if self.random.random() < 0.5 else human
        return Pair("same number elsewhere", self.chart(human), self.record(replace(other, number=human.number, issuer=self._elsewhere(human))), self._uncertain())

    def number_mistyped(self, human: Human) -> Pair:
        """Somebody's number was typed into this chart, or was given out again."""
        other = self.human()
        while other.given == human.given and other.born == human.born:
            other = self.human()
        if self.random.random() < 0.4:
            other = replace(other, born=human.born, sex=human.sex, given=self.other_given(human))
        return Pair("number mistyped", self.chart(human), self.record(replace(other, number=human.number, issuer=human.issuer)))

    def number_mistyped_and_silent(self, human: Human) -> Pair:
        record = self.record(replace(self.human(), number=human.number, issuer=human.issuer))
        keep = self.random.randrange(3)
        return Pair("silent", self.chart(human), replace(record, birth_date=None, sex=record.sex if keep == 1 else None, names=() if keep == 2 else record.names))

    def day_swapped(self, human: Human) -> Pair:
        human = replace(human, born=f"{human.born[:4]}-{self.random.randint(1, 6):02}-{self.random.randint(7, 12):02}")
        year, month, day = human.born.split("-")
        return self._filed("day swapped", human, replace(human, born=f"{year}-{day}-{month}"))

    def order_swapped(self, human: Human) -> Pair:
        human = replace(human, family=self.random.choice(MEN), middle="")
        other = replace(human, family=human.given, given=human.family, number=str(self.random.randint(10**6, 10**8)))
        return Pair("order swapped", self.chart(human), self.record(other), self._uncertain())

    def placeholders(self, human: Human) -> Pair:
        """Two unknown people share what was typed because something had to be."""
        number, day = self.random.choice(PLACEHOLDER_IDS), self.random.choice(PLACEHOLDER_DAYS)
        names = from_pn(self.random.choice(PLACEHOLDER_NAMES))
        ids = (PatientId(number, human.issuer),)
        if self.random.random() < 0.5:
            chart = Person(names, day, human.sex, ids)
            return Pair("placeholders", chart, Person(from_pn(self.random.choice(PLACEHOLDER_NAMES)), day, human.sex, ids))
        chart = self.chart(human)
        own = chart.identifiers if self.random.random() < 0.5 else ids
        return Pair("placeholders", replace(chart, identifiers=(*chart.identifiers, *ids)), Person(names, day, self.random.choice(["F", "M", None]), own))

    def damaged(self, human: Human) -> Pair:
        """Two names that the same damage made equal."""
        text = f"{_damaged(human.family)}^{_damaged(human.given)}"
        record = Person(from_pn(text), human.born, human.sex, (PatientId(human.number, self._elsewhere(human)),))
        return Pair("damaged", Person(from_pn(text), human.born, human.sex, (PatientId(human.number, human.issuer),)), record, self._uncertain())

    def merged(self, human: Human) -> Pair:
        """A record that its source calls deprecated, however well it fits."""
        return Pair("merged", self.chart(human), replace(self.record(human), active=False), self.random.choice([None, "certain"]), alone=True)

    def several_certain(self, human: Human) -> Pair:
        return Pair("several certain", self.chart(human), self.record(replace(human, number=str(int(human.number) + 1), issuer=self._elsewhere(human))), "certain", alone=False)

    # -- one person --

    def true_match(self) -> Pair:
        pick, human = self.random, self.human()
        chart, there = self.chart(human), replace(human, issuer=human.issuer)
        slip = pick.randrange(10)
        if slip == 0:
            there = replace(there, family=_slipped(pick, there.family))
        elif slip == 1:
            there = replace(there, given=_slipped(pick, there.given))
        elif slip == 2:
            year, month, day = there.born.split("-")
            there = replace(there, born=f"{year}-{day if int(day) <= 12 else month}-{month if int(day) <= 12 else '11'}")
        elif slip == 3 and human.sex == "F":
            there = replace(there, family=pick.choice(FAMILIES))
            chart = replace(chart, names=(*chart.names, from_parts(there.family, human.given, "", True)) if pick.random() < 0.6 else chart.names)
        route = pick.randrange(10)
        if route < 6:
            record = self.record(there, readable=False)
            if pick.random() < 0.1:
                record = replace(record, birth_date=None if pick.random() < 0.5 else "1900-01-01", sex=None)
            return Pair("true, by number", chart, record)
        record = self.record(replace(there, number=str(int(there.number) + 1), issuer=self._elsewhere(human)), readable=False)
        if route < 8:
            return Pair("true, by demographics", chart, record)
        return Pair("true, by a matching server", chart, record, pick.choice(["certain", "certain", "probable", "possible"]), alone=True)


COLLISIONS: tuple[Callable[[Maker, Human], Pair], ...] = (
    Maker.twins, Maker.twins, Maker.newborns, Maker.generations, Maker.namesakes, Maker.same_number_elsewhere, Maker.number_mistyped, Maker.number_mistyped_and_silent,
    Maker.day_swapped, Maker.order_swapped, Maker.placeholders, Maker.damaged, Maker.merged, Maker.several_certain,
)  # fmt: skip


def _person(names: tuple[PersonName, ...], human: Human) -> Person:
    return Person(names, human.born, human.sex, (PatientId(human.number, human.issuer),))


def _damaged(text: str) -> str:
    return text[:1] + "�" + text[2:]


def _slipped(pick: random.Random, text: str) -> str:
    at = pick.randrange(1, len(text)) if len(text) > 1 else 0
    return pick.choice((text[:at] + text[at + 1 :], text[:at] + pick.choice("aeinrst") + text[at:], text[: at - 1] + text[at : at + 1] + text[at - 1 : at] + text[at + 1 :]))
