"""The rules as a site writes them: YAML, checked whole before the app starts, so that no case is judged by half a rule."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from smart_app.preop.rules import Kind, Matcher, Rule, Want

DEFAULT = Path(__file__).parent / "default_rules.yaml"
Code = Annotated[str, BeforeValidator(str), Field(pattern=r"^[A-Za-z0-9.]+(\*|-[0-9]+)?$", max_length=40)]
Word = Annotated[str, Field(min_length=3, max_length=80, pattern=r"^[a-z0-9][a-z0-9 /-]*$")]
Key = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]


class WrongRules(Exception):
    """The file cannot be used; the words name its place and what is wrong."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Kind(_Frozen):
    title: str = Field(min_length=1, max_length=60)
    modalities: tuple[str, ...] = Field(min_length=1)
    regions: tuple[str, ...] = ()
    words: tuple[Word, ...] = ()


class _Matcher(_Frozen):
    snomed: tuple[Code, ...] = ()
    cpt: tuple[Code, ...] = ()
    icd10pcs: tuple[Code, ...] = ()
    icd10: tuple[Code, ...] = ()
    words: tuple[Word, ...] = ()

    def made(self) -> Matcher:
        return Matcher(tuple((system, code) for system in ("snomed", "cpt", "icd10pcs", "icd10") for code in getattr(self, system)), self.words)


class _Want(_Frozen):
    study: Key
    months: int = Field(ge=1, le=240)
    useful: bool = False


class _Rule(_Frozen):
    key: Key
    title: str = Field(min_length=1, max_length=80)
    procedure: _Matcher = _Matcher()
    history: _Matcher = _Matcher()
    wants: tuple[_Want, ...] = Field(min_length=1)


class _Book(_Frozen):
    version: Literal[1]
    studies: dict[Key, _Kind]
    rules: tuple[_Rule, ...] = Field(min_length=1)


def read(path: Path | None) -> tuple[Rule, ...]:
    """The rules of this file, or the package's. :raises WrongRules:"""
    file = path or DEFAULT
    try:
        book = _Book.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise WrongRules(f"{file.name} cannot be read: {type(error).__name__}") from None
    except ValidationError as error:
        first = error.errors()[0]
        raise WrongRules(f"{file.name}: {'.'.join(str(part) for part in first['loc'])}: {first['msg']}") from None
    kinds = {key: Kind(key, one.title, one.modalities, one.regions, one.words) for key, one in book.studies.items()}
    return tuple(_made(rule, kinds, file.name) for rule in _distinct(book.rules, file.name))


def _distinct(rules: tuple[_Rule, ...], name: str) -> tuple[_Rule, ...]:
    keys = [one.key for one in rules]
    if twice := next((key for key in keys if keys.count(key) > 1), None):
        raise WrongRules(f"{name}: two rules are called {twice}")
    return rules


def _made(rule: _Rule, kinds: dict[str, Kind], name: str) -> Rule:
    procedure, history = rule.procedure.made(), rule.history.made()
    if procedure.is_empty and history.is_empty:
        raise WrongRules(f"{name}: rule {rule.key} names neither a procedure nor a history")
    unknown = next((want.study for want in rule.wants if want.study not in kinds), None)
    if unknown is not None:
        raise WrongRules(f"{name}: rule {rule.key} wants {unknown}, which is not among the studies")
    return Rule(rule.key, rule.title, tuple(Want(kinds[one.study], one.months, one.useful) for one in rule.wants), procedure, history)
