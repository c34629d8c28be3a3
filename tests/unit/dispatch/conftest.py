"""The office, for every test of this folder."""

from tests.unit.dispatch.correspondence import office

__all__ = ["office"]
