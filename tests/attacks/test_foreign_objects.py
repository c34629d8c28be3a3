"""Every route that names an object, asked for by somebody whose it is not: not there, nothing changed, and on the record. safety.md, authorization matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from werkzeug.routing import Rule

from launch.context import LaunchContext
from sandbox.serving import serve
from smart_app.access import NEEDS_PATIENT, Action, action_of, may, roles_of
from smart_app.factory import create_app
from smart_app.parts import build
from smart_app.web.assets import Asset
from tests.attacks.arena import Arena, Person, Said
from tests.functional.listing_world import once, study
from tests.functional.test_intake import HERS
from tests.unit.intake.hospital import ROOT, made

OBJECTS = frozenset({"request_id", "id", "item", "match", "study"})
A_PLACE_IN_A_LIST = "studies.study"
"""The list of the launch's own patient, opened where this study would stand: it says nothing of the study."""
STUDY = f"{ROOT}.77"


@dataclass
class Stage:
    arena: Arena
    values: dict[str, Any]
    strangers: dict[str, Person]

    def routes(self) -> list[tuple[Rule, str, Action]]:
        """All of a launch that name an object."""
        found = []
        for rule in self.arena.app.url_map.iter_rules():
            action = action_of(self.arena.app.view_functions[rule.endpoint])
            if action is not None and OBJECTS & rule.arguments and rule.endpoint != A_PLACE_IN_A_LIST:
                found += [(rule, method, action) for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})]
        return found

    def ask(self, who: Person, rule: Rule, method: str, *, handle: str = "", arena: Arena | None = None) -> Said:
        path = self.arena.path(rule, handle="H" * 32, **self.values).removeprefix("/l/" + "H" * 32)
        form = {"version": "1", "do": "cancel", "words": "foreign", "remark": "foreign, and long enough", "keep": f"{self.values['item']}:1", "shown": f"{self.values['item']}:1"}
        return (arena or self.arena).as_(who, method, path, form, handle=handle)


@pytest.fixture(scope="module")
def stage(here: Arena) -> Stage:
    world = here.desk.world
    world.archives["kestrel"] = once(study(STUDY, "K-9", issuer="KESTREL"))
    assert STUDY in str(list(world.stream()))
    request = here.desk.ask()
    here.desk.send(request, [made(number=number, **HERS) for number in (1, 2)])
    here.desk.work()
    (item,) = here.desk.listed("grant")
    values = {
        "request_id": request, "id": request, "item": item, "action": "leave", "match": "m" * 32, "archive": "kestrel", "study": STUDY, "series": f"{STUDY}.1", "instance": f"{STUDY}.1.1",
        "numbers": "1", "number": 1, "token": "t" * 40, "document": "x" * 40, "case": "c" * 32, "viewer": "ohif",
    }  # fmt: skip
    strangers = {
        "another clinician, another patient": here.person("dr-other", "p2"), "the same clinician, another patient": here.person("dr-halloran", "p2"),
        "another EHR, the same patient id": here.person("stranger", "p1", "elsewhere"),
    }  # fmt: skip
    for who in strangers.values():
        assert here.as_(who, "GET", "/studies/stream").status == 200
    return Stage(here, values, strangers)


def expected(arena: Arena, who: Person, action: Action) -> int:
    """404 for what is not theirs, and 403 only for a role that they have not."""
    context: LaunchContext | None = arena.parts.store.find(who.handle, who.cookie)
    assert context is not None
    if action in NEEDS_PATIENT and context.patient_id is None:
        return 404
    ehr = next(one for one in arena.parts.settings.ehrs if one.key == context.issuer_key)
    return 404 if may(roles_of(context, ehr), action) else 403


CHART = frozenset({Action.VIEW_STUDIES, Action.VIEW_IMAGES, Action.REQUEST_IMAGES, Action.DECIDE_MATCH})


def test_what_is_of_one_chart_is_in_no_other(stage: Stage) -> None:
    before, wrong, asked = stage.arena.everything(), [], 0
    denied = len(stage.arena.desk.world.audited("AccessDenied"))
    for rule, method, action in stage.routes():
        for name, who in stage.strangers.items():
            if action not in CHART and expected(stage.arena, who, action) == 404:
                continue  # the desk and what arrived are the whole site's
            asked += 1
            said = stage.ask(who, rule, method)
            if said.status != expected(stage.arena, who, action) or b"archetti" in said.body or b"MARCHETTI" in said.body:
                wrong.append((name, method, rule.rule, said.status))
    assert asked > 60
    assert wrong == []
    assert stage.arena.everything() == before
    assert len(stage.arena.desk.world.audited("AccessDenied")) == denied + asked


def test_staff_see_no_chart_and_a_clerk_no_delivery(stage: Stage) -> None:
    clerk, reviewer, clinician = (stage.arena.people[name] for name in ("amsel", "grant", "halloran"))
    before, seen = stage.arena.everything(), set()
    for rule, method, action in stage.routes():
        for who in (clerk, reviewer, clinician):
            if (status := expected(stage.arena, who, action)) == 404 and action not in CHART:
                continue  # theirs: tests of the pages
            if who is clinician and action in CHART:
                continue
            assert stage.ask(who, rule, method).status == status, (rule.rule, who)
            seen.add((action, status))
    assert {(Action.REVIEW_INTAKE, 403), (Action.WORK_DESK, 403), (Action.REQUEST_IMAGES, 404), (Action.VIEW_IMAGES, 404)} <= seen
    assert stage.arena.everything() == before


def test_anothers_launch_is_not_there_with_whatever_token(stage: Stage) -> None:
    clerk, reviewer, halloran = (stage.arena.people[name] for name in ("amsel", "grant", "halloran"))
    before = stage.arena.everything()
    for rule, method, _ in stage.routes():
        for who, whose in ((clerk, reviewer), (clerk, halloran), (reviewer, halloran), (halloran, reviewer)):
            assert stage.ask(who, rule, method, handle=whose.handle).status == 404, rule.rule
    assert stage.arena.everything() == before


def test_an_ended_launch_is_over_for_every_object(stage: Stage) -> None:
    gone = stage.arena.person("grant", "p1")
    assert stage.arena.as_(gone, "POST", "/end").status in (200, 204, 303)
    before = stage.arena.everything()
    for rule, method, _ in stage.routes():
        assert stage.ask(gone, rule, method).status == 401, rule.rule
    assert stage.arena.everything() == before


def test_another_tenant_on_the_same_database_has_none_of_it(stage: Stage) -> None:
    """Two hospitals, one database: what one has asked for and received does not exist for the other's reviewers."""
    settings = stage.arena.parts.settings.model_copy(update={"tenant": "other"})
    app, parts = create_app(settings), build(settings)
    app.jinja_env.globals["asset"] = lambda entry: Asset("/static/x.js", ())
    with serve(app) as server:
        theirs = Arena(stage.arena.desk, server.port)
        people = [stage.arena.person("grant", None, parts=parts, tenant="other"), stage.arena.person("dr-halloran", "p1", parts=parts, tenant="other")]
        assert theirs.as_(people[1], "GET", "/studies/stream").status == 200
        before, statuses = stage.arena.everything(), set()
        for rule, method, action in stage.routes():
            for who in people:
                if action in (Action.VIEW_STUDIES, Action.VIEW_IMAGES):
                    continue  # the archives are not ours to part
                said = stage.ask(who, rule, method, arena=theirs)
                assert said.status in (403, 404), (rule.rule, said.status)
                assert b"archetti" not in said.body
                statuses.add((action, said.status))
        assert {(Action.REVIEW_INTAKE, 404), (Action.WORK_DESK, 404), (Action.REQUEST_IMAGES, 404)} <= statuses
        for path in ("/desk", "/intake", "/intake?view=aside", "/desk/unasked", "/desk/attention"):
            said = theirs.as_(people[0], "GET", path)
            assert said.status in (200, 404), path
            assert stage.values["request_id"] not in said.text
            assert stage.values["item"] not in said.text
        token = stage.arena.parts.links.token(stage.arena.link(stage.values["request_id"]))
        assert theirs.ask("GET", f"http://send.localhost:8000/s/{token}").status == 404
        assert {name: rows for name, rows in stage.arena.everything().items() if name != "links"} == {name: rows for name, rows in before.items() if name != "links"}
    parts.database.engine.dispose()
