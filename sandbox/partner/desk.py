"""The page of the partner hospital's own desk: the Tasks it got, and Accept, Decline, Send for each."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, abort, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response

from sandbox.writable import Resource, Shelf

OPEN = {"requested": ("accepted", "in-progress", "rejected"), "received": ("accepted", "in-progress", "rejected"), "accepted": ("in-progress", "rejected"), "in-progress": ("in-progress",)}
"""By where a Task stands, what the desk may answer. What is over gets no answer."""


@dataclass(frozen=True)
class Asked:
    """One Task as the page shows it."""

    id: str
    title: str
    patient: str
    born: str
    requester: str
    priority: str
    needed_by: str
    status: str
    reason: str
    upload: str
    """Where images can be brought to."""
    code: str
    answers: tuple[str, ...]


def make_blueprint(name: str, held: Shelf) -> Blueprint:
    blueprint = Blueprint("partner_desk", __name__, template_folder="templates")

    @blueprint.get("/")
    def page() -> str:
        return render_template("tasks.html", name=name, tasks=[asked(one) for one in reversed(held.all("Task"))])

    @blueprint.get("/tasks.json")
    def standing() -> Response:
        return jsonify([(one["id"], one["meta"]["versionId"]) for one in held.all("Task")])

    @blueprint.post("/tasks/<id>")
    def answer(id: str) -> Response:
        task, status = held.read("Task", id) or abort(404), request.form.get("status", "")
        shown = asked(task)
        if status not in shown.answers:
            abort(409)
        say(held, id, status, request.form.get("reason", ""))
        return redirect(shown.upload if status == "in-progress" and shown.upload else "/", 303)

    return blueprint


def asked(task: Resource) -> Asked:
    patient = next((one for one in task.get("contained", ()) if one.get("resourceType") == "Patient"), {})
    given = {one["type"]["coding"][0]["code"]: one for one in task.get("input", ()) if one.get("type", {}).get("coding")}
    name = next(iter(patient.get("name", ())), {})
    return Asked(
        task["id"], str(task.get("description", "Images")), str(name.get("text", "")), str(patient.get("birthDate", "")), str(task.get("requester", {}).get("display", "")),
        str(task.get("priority", "routine")), str(task.get("restriction", {}).get("period", {}).get("end", ""))[:16].replace("T", " "), str(task.get("status", "")),
        str(task.get("statusReason", {}).get("text", "")), str(given.get("upload", {}).get("valueUrl", "")), str(given.get("upload-code", {}).get("valueString", "")),
        OPEN.get(str(task.get("status", "")), ()),
    )  # fmt: skip


def say(held: Shelf, id: str, status: str, reason: str = "") -> Resource:
    """Set a Task's status, as the hospital's own desk does."""
    task = held.read("Task", id)
    assert task is not None
    return held.update("Task", id, task | {"status": status} | ({"statusReason": {"text": reason}} if reason else {}), "")
