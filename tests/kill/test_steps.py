"""Every place where the work of requests is written is a step at which somebody is killed, or is named here with the reason why not."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.kill.steps import STEPS

ROOT = Path(__file__).parents[2]
PACKAGES = ("desk", "dispatch", "fhir_api", "image_requests", "intake", "jobs", "links", "portal", "spool", "wiring")
"""Whatever takes part in asking, receiving and storing."""

THE_SAME_SHAPE = {
    "smart_app.image_requests.service:Requests.remind": "desk:Bulk.one; the transaction is the caller's",
    "smart_app.image_requests.service:Requests.assign": "desk:Bulk.one; the transaction is the caller's",
    "smart_app.image_requests.service:Requests.move": "one transaction, as Requests.act",
    "smart_app.image_requests.service:Requests.follow": "one transaction, as Requests.act",
    "smart_app.image_requests.service:Requests.readdress": "one transaction, as Requests.act",
    "smart_app.image_requests.service:Requests._deed": "one transaction, as Requests.act",
    "smart_app.image_requests.service:Requests._writing": "the transaction of Requests.act and its like",
    "smart_app.image_requests.facilities:Facilities.save": "one row; said again, it is the same row",
    "smart_app.image_requests.facilities:Facilities.seed": "rows that are not there yet; at each start",
    "smart_app.desk.people:People.seen": "one row about who has worked here",
    "smart_app.desk.saved:SavedViews.save": "one row of a person's own view",
    "smart_app.desk.saved:SavedViews.remove": "one row of a person's own view",
    "smart_app.dispatch.followup:FollowUp._follow": "one transaction with the line that says it was done, as Requests.act",
    "smart_app.dispatch.outbox:Outbox._settled": "one row: that a try was not taken",
    "smart_app.dispatch.sending:Dispatch._paper": "one transaction, as Outbox.send without a message",
    "smart_app.fhir_api.copies:Copies.silent_for": "one row: since when a server is silent",
    "smart_app.image_requests.importing:DirectoryImport.take": "one transaction; the same directory again is the same rows",
    "smart_app.fhir_api.copies:bring": "no transaction of ours: the other server's",
    "smart_app.fhir_api.partner:Partners._hear": "one transaction, as Served.change",
    "smart_app.intake.retention:Retention._purge_useless": "one transaction, as Retention._conclude",
    "smart_app.intake.review:Review.set_aside": "one transaction, as Review.confirm",
    "smart_app.intake.review:Review.put_back": "one transaction, as Review.confirm",
    "smart_app.intake.review:Review.judge_quality": "one transaction, as Review.confirm",
    "smart_app.intake.review:Review.leave": "one transaction, as Review.confirm",
    "smart_app.intake.review:Review.ask_for_more": "one transaction, as Review.confirm",
    "smart_app.intake.review:Review.try_again": "one transaction, as Review.confirm",
    "smart_app.intake.review:Review.hold": "one transaction, as Review.confirm",
    "smart_app.intake.storing:_Run._stage": "one row, and the next run finds the stage anew",
    "smart_app.intake.storing:Storing._send_back": "one transaction, as Storing._conclude",
    "smart_app.jobs.ledger:Ledger.again": "one row",
    "smart_app.portal.offers:Offers.ask": "one transaction, as Offers.allow",
    "smart_app.portal.offers:Offers.decline": "one transaction, as Offers.allow",
    "smart_app.portal.photo_views:make_blueprint": "one transaction, as EmergencyLinks.make",
    "smart_app.portal.receiving:Receiving.cannot": "one transaction, as Requests.act",
    "smart_app.portal.receiving:Receiving.answer": "one transaction, as Requests.act",
    "smart_app.portal.receiving:Receiving.close_abandoned": "one transaction, as Receiving.finish",
    "smart_app.portal.visit:Door.prove": "one row: a try is counted before it is answered",
    "smart_app.portal.visit:Door.claim": "one row: the first to open it has it",
    "smart_app.spool.taking:Taking._record": "the transaction of Taking.take, which is killed in it",
}
"""Function of the product that writes, and what stands for it."""


def writing() -> Iterator[str]:
    """`module:Class.function` of all that open a transaction."""
    for package in PACKAGES:
        for path in sorted((ROOT / "smart_app" / package).rglob("*.py")):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            yield from (f"{module}:{name}" for name in _writing(ast.parse(path.read_text()), ""))


def _writing(tree: ast.AST, within: str) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            yield from _writing(node, f"{node.name}.")
        elif isinstance(node, ast.FunctionDef) and any(_opens(one) for one in ast.walk(node)):
            yield f"{within}{node.name}"


def _opens(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("transaction", "_writing")


def test_whatever_writes_is_a_step_or_has_its_reason() -> None:
    found, steps = set(writing()), {step.seam for step in STEPS}
    assert len(found) > 60, "they are read"
    assert found - steps - THE_SAME_SHAPE.keys() == set(), "a step at which nobody is killed"
    assert THE_SAME_SHAPE.keys() - found == set(), "a reason for what is no more"
    assert THE_SAME_SHAPE.keys() & steps - {f"smart_app.image_requests.service:Requests.{name}" for name in ("remind", "assign")} == set(), "a step needs no reason"
