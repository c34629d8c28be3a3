"""Reading the configuration file: every problem is named with its line, its reason and its cure.

Owns the YAML text and its line numbers. What a setting means is `config`; what is unsafe is `config_safety`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from smart_app.config import Settings
from smart_app.config_safety import unsafe
from smart_app.config_safety_partners import unsafe_exchange_of_requests

Loc = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """One wrong setting. `line` is 1-based; None when it came from the environment."""

    line: int | None
    setting: str
    reason: str
    cure: str

    def __str__(self) -> str:
        where = f"line {self.line}" if self.line else "environment"
        return f"{where}: {self.setting}: {self.reason} {self.cure}".rstrip()


class WrongConfiguration(Exception):
    """The start stops here. `problems` is never empty."""

    def __init__(self, path: Path | None, problems: tuple[Problem, ...]) -> None:
        self.path, self.problems = path, problems
        super().__init__(
            "\n".join([f"The configuration {path or ''} cannot be used:".replace("  ", " "), *(f"  {problem}" for problem in problems)])
        )


def load(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """The validated settings from `path`, or from the file that PRIORS_CONFIG names.

    Relative paths in the file are relative to its folder. :raises WrongConfiguration: with every problem found.
    """
    path = path or (Path(environ["PRIORS_CONFIG"]) if environ.get("PRIORS_CONFIG") else None)
    if path is None:
        raise WrongConfiguration(None, (Problem(None, "PRIORS_CONFIG", "names no file.", "Set it to the path of the configuration file."),))
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WrongConfiguration(
            path, (Problem(None, "PRIORS_CONFIG", f"cannot be read ({type(error).__name__}).", "Check the path and its rights."),)
        ) from error
    node, content = _parse(path, text)
    try:
        settings = Settings(**_absolute(content, path.parent.resolve()))
    except ValidationError as error:
        raise WrongConfiguration(path, tuple(_problem(node, item, environ) for item in error.errors())) from error
    found = tuple(
        Problem(_line(node, danger.where), _dotted(danger.where), danger.reason, danger.cure) for danger in (*unsafe(settings, environ), *unsafe_exchange_of_requests(settings, environ))
    )
    if found:
        raise WrongConfiguration(path, found)
    return settings


def _parse(path: Path, text: str) -> tuple[yaml.Node, dict[str, Any]]:
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise WrongConfiguration(path, (Problem(line, "file", f"is not YAML: {error.problem}.", "Mend that line."),)) from error
    if not isinstance(node, yaml.MappingNode):
        raise WrongConfiguration(path, (Problem(1, "file", "holds no settings.", "See docs/configuration.md."),))
    twice = tuple(_repeated(node))
    if twice:
        raise WrongConfiguration(path, twice)
    return node, content


def _repeated(node: yaml.Node) -> list[Problem]:
    """YAML keeps the last of two equal keys without a word; here that would be a setting that silently does nothing."""
    problems: list[Problem] = []
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                problems.append(Problem(key.start_mark.line + 1, str(key.value), "is given twice.", "Keep one of them."))
            seen.add(key.value)
            problems += _repeated(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            problems += _repeated(value)
    return problems


PATH_SETTINGS = ("file", "ca_file", "data_dir", "jwks_file")


def _absolute(value: Any, folder: Path, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _absolute(item, folder, str(key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_absolute(item, folder) for item in value]
    if name in PATH_SETTINGS and isinstance(value, str):
        return str(folder / value)
    return value


def _problem(node: yaml.Node, item: Any, environ: Mapping[str, str]) -> Problem:
    loc: Loc = tuple(item["loc"])
    setting = _dotted(loc)
    if item["type"] == "missing":
        return Problem(_line(node, loc), setting, "is missing.", _meaning(loc))
    if item["type"] == "extra_forbidden":
        return Problem(_line(node, loc), setting, "is not a setting of Priors.", "Check the spelling in docs/configuration.md.")
    reason = str(item["msg"]).removeprefix("Value error, ")
    from_environment = bool(loc) and f"PRIORS_{loc[0]}".upper() in {name.upper() for name in environ}
    return Problem(None if from_environment else _line(node, loc), setting, f"{reason[0].lower()}{reason[1:]}.", _meaning(loc))


def _meaning(loc: Loc) -> str:
    """The description of the setting at `loc`: the cure of most mistakes is to know what it is for."""
    model: Any = Settings
    description = ""
    for part in loc:
        if isinstance(part, int):
            continue
        field = getattr(model, "model_fields", {}).get(part)
        if field is None:
            break
        description = field.description or ""
        model = next((kind for kind in _models(field.annotation)), None)
    return f"It is: {description}" if description else "See docs/configuration.md."


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in getattr(annotation, "__args__", ()) for model in _models(part)]


def _line(node: yaml.Node, loc: Loc) -> int:
    """The line of the setting at `loc`, or of the nearest thing around it that the file holds."""
    line: int = node.start_mark.line + 1
    for part in loc:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == part:
                    line, node = key.start_mark.line + 1, value
                    break
            else:
                return line
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            return line
    return line


def _dotted(loc: Loc) -> str:
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text or "settings"
