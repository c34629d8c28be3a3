"""The only place that connects anywhere. Deadlines, caps, allow-list, address checks and bulkheads live here, nowhere else.

`client` calls, `addresses` decides what may be called, `connections` enforces it on the socket, `adapter` lends the
same rules to a `requests` session. safety.md S1-S5, F4, F5 and section D "Egress".
"""

from smart_app.outbound.addresses import origin_of
from smart_app.outbound.client import Aside, Outbound
from smart_app.outbound.lane import Lane
from smart_app.outbound.replies import Reply, StreamedReply

__all__ = ["Aside", "Lane", "Outbound", "Reply", "StreamedReply", "origin_of"]
