"""docs/configuration.md lists every setting with its meaning and default; drift fails here."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from smart_app import config, config_archives, config_mail, config_partners, config_preop, config_viewers, dialect_settings

DOC = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text(encoding="utf-8")
MODELS = {
    "Top level": config.Settings,
    "`sealing_keys`": config.SealingKey,
    "`receiving`": config.Receiving,
    "`intake`": config.Intake,
    "`preop`": config_preop.Preop,
    "`marks`": config.MarksSettings,
    "`sessions`": config.Sessions,
    "`policy`": config.PolicyRule,
    "`ehrs`": config.Ehr,
    "`ehrs[].mrn`": config.MrnRule,
    "`ehrs[].roles`": config.RoleRule,
    "`ehrs[].quirks`": config.Quirks,
    "`ehrs[].backend`": config.Backend,
    "Signing keys": config_archives.KeyFile,
    "Secret references": config_archives.SecretRef,
    "`archives`": config_archives.Archive,
    "`archives[].discovery`": config_archives.Discovery,
    "`archives[].credential`": config_archives.Credential,
    "`archives[].profile`": dialect_settings.Profile,
    "`archives[].limits`": config_archives.Limits,
    "`contact`": config_mail.Contact,
    "`mail`": config_mail.Mail,
    "`exchanges`": config_archives.Exchange,
    "`exchanges[].patient_ids`": config_archives.Namespace,
    "`exchanges[].locations`": config_archives.Location,
    "`facilities`": config.FacilityEntry,
    "`facilities[].routes`": config.FacilityRoute,
    "`viewers`": config_viewers.ExternalViewer,
    "`partners`": config_partners.Partner,
    "`api_clients`": config_partners.ApiClient,
}
SETTINGS = [(heading, name) for heading, model in MODELS.items() for name in model.model_fields]


@pytest.mark.parametrize(("heading", "name"), SETTINGS, ids=lambda value: str(value))
def test_every_setting_is_documented(heading: str, name: str) -> None:
    section = DOC.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    field = MODELS[heading].model_fields[name]
    row = next((line for line in section.splitlines() if line.startswith(f"| `{name}` |")), "")
    assert row, f"{name} has no row under '## {heading}'"
    assert (field.description or "").replace("|", "\\|") in row, f"the meaning of {name} differs from smart_app/config.py"


def test_no_model_is_forgotten() -> None:
    named = [kind for module in (config, config_archives, config_mail, config_partners, config_preop, config_viewers) for kind in vars(module).values()]
    kinds = {kind for kind in named if isinstance(kind, type) and issubclass(kind, BaseModel)}
    assert kinds - {config_archives.Frozen, BaseModel, config.BaseSettings} == set(MODELS.values())
