"""Tokens of a launch: renewed once for everybody, rotation-safe, and over when the EHR says so."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from launch.errors import EhrSilent, LaunchError, SessionEnded, SignInRefused, UnknownIssuer
from launch.issuers import BackendClient, ClientAuth, SigningKey
from launch.session import TokenProvider
from tests.unit.launch.ehr_sim import Reply, ec_key
from tests.unit.launch.world import World, store_in


def provider(here: World) -> tuple[TokenProvider, str]:
    context, _ = here.opened()
    return here.smart.broker.provider(context), context.handle


def test_a_token_that_holds_is_not_renewed(here: World) -> None:
    tokens, _ = provider(here)
    assert tokens.access_token() == tokens.access_token()
    assert here.ehr.refreshes == 0


def test_fifty_calls_at_expiry_renew_once(here: World) -> None:
    tokens, _ = provider(here)
    here.clock.forward(minutes=59, seconds=30)
    here.ehr.answer = {}
    with ThreadPoolExecutor(50) as pool:
        seen = set(pool.map(lambda _: tokens.access_token(), range(50)))
    assert len(seen) == 1
    assert here.ehr.refreshes == 1
    assert not here.ehr.revoked


def test_fifty_refused_tokens_renew_once(here: World) -> None:
    tokens, _ = provider(here)
    rejected = tokens.access_token()
    with ThreadPoolExecutor(50) as pool:
        seen = set(pool.map(lambda _: tokens.refreshed(rejected), range(50)))
    assert len(seen) == 1
    assert rejected not in seen
    assert here.ehr.refreshes == 1


def test_a_second_store_on_the_same_database_waits_for_the_first(here: World) -> None:
    """Two worker processes: nothing but the database is shared."""
    _, handle = provider(here)
    second = store_in(here.folder, here.clock)
    order: list[str] = []
    inside = threading.Event()

    def first_worker() -> None:
        with here.store.refresh_lock(handle):
            inside.set()
            time.sleep(0.2)
            order.append("first")

    thread = threading.Thread(target=first_worker)
    thread.start()
    inside.wait(5)
    with second.refresh_lock(handle):
        order.append("second")
    thread.join()
    second._db.engine.dispose()
    assert order == ["first", "second"]


def test_every_refresh_token_is_used_once(here: World) -> None:
    tokens, _ = provider(here)
    for _ in range(5):
        here.clock.forward(hours=1)
        tokens.access_token()
    sent = [call.form["refresh_token"] for call in here.ehr.token_calls if call.form["grant_type"] == "refresh_token"]
    assert len(sent) == len(set(sent)) == 5
    assert "scope" not in here.ehr.token_calls[-1].form


def test_a_server_that_keeps_its_refresh_token(here: World) -> None:
    here.ehr.rotate = False
    tokens, _ = provider(here)
    for _ in range(3):
        here.clock.forward(hours=1)
        tokens.access_token()
    assert here.ehr.refreshes == 3


ENDS: dict[str, Reply] = {
    "invalid_grant": Reply({"error": "invalid_grant"}, 400),
    "invalid_client": Reply({"error": "invalid_client"}, 401),
    "unheard of": Reply({"error": "epic_says_no"}, 400),
    "another patient": Reply({"access_token": "a", "token_type": "Bearer", "patient": "chart-2"}),
    "an odd answer": Reply({"access_token": "a"}),
    "a page": Reply(b"<html>sign in again</html>"),
    "a redirect": Reply(b"", 302, {"Location": "/login"}),
}


@pytest.mark.parametrize("name", ENDS)
def test_a_refused_renewal_ends_the_launch(here: World, name: str) -> None:
    tokens, handle = provider(here)
    here.clock.forward(hours=1)
    here.ehr.script["/token"] = ENDS[name]
    with pytest.raises(SessionEnded):
        tokens.access_token()
    assert here.store.tokens(handle) is None
    before = len(here.ehr.calls)
    with pytest.raises(SessionEnded):
        tokens.access_token()
    assert len(here.ehr.calls) == before, "what is over asks no more"


@pytest.mark.parametrize("reply", [Reply(b"", 503), Reply({"error": "temporarily_unavailable"}, 400), Reply(b"{", cut=True)])
def test_a_silent_ehr_does_not_end_the_launch(here: World, reply: Reply) -> None:
    tokens, _ = provider(here)
    here.clock.forward(hours=1)
    here.ehr.script["/token"] = reply
    with pytest.raises(EhrSilent):
        tokens.access_token()
    here.ehr.script.clear()
    assert tokens.access_token()


def test_a_failed_early_renewal_goes_on_with_the_old_token_and_waits_a_little(here: World) -> None:
    tokens, _ = provider(here)
    old = tokens.access_token()
    here.clock.forward(minutes=59, seconds=30)
    here.ehr.script["/token"] = Reply(b"", 503)
    before = len(here.ehr.token_calls)
    assert [tokens.access_token() for _ in range(5)] == [old] * 5
    assert len(here.ehr.token_calls) == before + 1


def test_without_refresh_token_the_launch_ends_with_its_token(here: World) -> None:
    here.ehr.answer = {"refresh_token": ..., "expires_in": 120}
    tokens, _ = provider(here)
    here.clock.forward(seconds=119)
    assert tokens.access_token()
    here.clock.forward(seconds=1)
    with pytest.raises(SessionEnded):
        tokens.access_token()
    assert len(here.ehr.token_calls) == 1


def test_a_rejected_token_without_refresh_ends_the_launch(here: World) -> None:
    here.ehr.answer = {"refresh_token": ...}
    tokens, handle = provider(here)
    with pytest.raises(SessionEnded):
        tokens.refreshed(tokens.access_token())
    assert here.store.tokens(handle) is None


def test_the_absolute_end_holds_whatever_the_ehr_would_renew(here: World) -> None:
    tokens, _ = provider(here)
    here.clock.forward(hours=8)
    with pytest.raises(SessionEnded):
        tokens.access_token()
    assert here.ehr.refreshes == 0


def test_a_launch_that_ends_during_its_renewal_gets_no_tokens_again(here: World) -> None:
    context, browser = here.opened()
    tokens = here.smart.broker.provider(context)
    here.clock.forward(hours=1)
    here.ehr.script["/token"] = Reply({"access_token": "late", "token_type": "Bearer"}, delay=0.3)
    thread = threading.Thread(target=lambda: time.sleep(0.1) or here.store.end(context.handle))
    thread.start()
    tokens.access_token()
    thread.join()
    assert here.store.tokens(context.handle) is None
    assert here.store.find(context.handle, browser) is None


def test_a_killed_workers_lock_ends_by_itself(here: World) -> None:
    tokens, handle = provider(here)
    dead = here.store.refresh_lock(handle)
    dead.__enter__()
    here.clock.forward(hours=1)
    assert tokens.access_token()
    dead.__exit__(None, None, None)
    assert here.ehr.refreshes == 1


def test_short_lived_tokens_are_used_for_most_of_their_life(here: World) -> None:
    here.ehr.answer = {"expires_in": 30}
    tokens, _ = provider(here)
    first = tokens.access_token()
    here.clock.forward(seconds=19)
    assert tokens.access_token() == first
    here.clock.forward(seconds=2)
    assert tokens.access_token() != first


# -- without a person --

KEY = SigningKey("backend-key", "ES384", ec_key("backend").as_pem(private=True).decode())


def backend(here: World, **discovery: Any) -> TokenProvider:
    here.ehr.client_keys = {"backend-key": ec_key("backend")}
    here.ehr.discovery = discovery
    here.registered(backend=BackendClient("priors-backend", ("system/Patient.rs", "system/ImagingStudy.rs"), KEY))
    return here.smart.broker.backend_provider("northgate")


def test_backend_services_sign_and_remember(here: World) -> None:
    tokens = backend(here)
    with ThreadPoolExecutor(20) as pool:
        seen = set(pool.map(lambda _: tokens.access_token(), range(20)))
    assert len(seen) == 1
    form = here.ehr.token_calls[0].form
    assert form["grant_type"] == "client_credentials"
    assert form["scope"] == "system/Patient.rs system/ImagingStudy.rs"
    here.clock.forward(seconds=300)
    assert tokens.access_token() not in seen
    assert here.smart.broker.backend_provider("northgate") is tokens


def test_backend_services_in_v1(here: World) -> None:
    backend(here, capabilities=["permission-v1"]).access_token()
    assert here.ehr.token_calls[0].form["scope"] == "system/Patient.read system/ImagingStudy.read"


def test_a_refused_backend_says_so(here: World) -> None:
    tokens = backend(here)
    here.ehr.script["/token"] = Reply({"error": "invalid_scope"}, 400)
    with pytest.raises(SignInRefused, match="invalid_scope"):
        tokens.access_token()
    here.ehr.script.clear()
    rejected = tokens.access_token()
    assert tokens.refreshed(rejected) != rejected


@pytest.mark.parametrize("key", ["northgate", "nobody"])
def test_no_backend_registration(here: World, key: str) -> None:
    with pytest.raises(UnknownIssuer):
        here.smart.broker.backend_provider(key)


def test_client_credentials_of_an_archive(here: World) -> None:
    here.ehr.client_secret = "s3cret"
    tokens = here.smart.broker.credentials_provider("ehr:northgate", here.ehr.token_url, "priors", secret="s3cret", scope="dicom.read")
    assert tokens.access_token()
    assert here.ehr.token_calls[0].form == {"grant_type": "client_credentials", "scope": "dicom.read"}


def test_no_token_stands_in_a_representation_or_an_exception(here: World) -> None:
    opened = here.launch()
    secrets_of_it = [opened.tokens.access_token, opened.tokens.refresh_token or "-"]
    shown = repr(opened) + repr(opened.tokens) + repr(opened.context)
    here.ehr.script["/token"] = Reply({"error": opened.tokens.access_token}, 400)
    with pytest.raises(LaunchError) as caught:
        here.launch()
    shown += repr(caught.value) + str(caught.value) + caught.value.detail + caught.value.reason
    assert not any(secret in shown for secret in secrets_of_it)


def test_client_auth_names_match_smart() -> None:
    assert {auth.value for auth in ClientAuth} == {"public", "client_secret_basic", "private_key_jwt"}
    assert timedelta(seconds=15) > timedelta(seconds=10), "a lease outlives the longest renewal"
