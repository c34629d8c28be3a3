"""The one source of time of this library: injected, aware, UTC."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

Clock = Callable[[], datetime]
