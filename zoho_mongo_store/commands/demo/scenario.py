"""The steps of the demo. Each one checks that it did what it says."""

from zoho_mongo_store.commands.demo.process import SDK_NAMES_USER, short
from zoho_mongo_store.commands.demo.scene import Cue, Scene, User
from zoho_mongo_store.commands.demo.stage import Process
from zoho_mongo_store.model.document import now
from zoho_mongo_store.storage.token_indexes import TOKEN_INDEXES

ADA, GRACE = User("ada@example.com", "10001"), User("grace@example.com", "10002")

# An access token lives one hour.
EXPIRED = 61 / 60

# What the SDK asks Zoho after a login, to name the user.
_NAMING = {"users": 1, "org": 1} if SDK_NAMES_USER else {}


def play(scene: Scene) -> None:
    """Play all steps in order."""
    first = log_in(scene)
    call_api(scene, first)
    second = know_user_name(scene)
    know_id(scene)
    refresh(scene, first, second)
    refresh_together(scene)
    log_in_second_user(scene, second)
    revoke_and_delete(scene, first)


def log_in(scene: Scene) -> Process:
    """The first login."""
    scene.screen.step(
        "Log in with a grant token",
        f"{ADA.email} gives the application consent. It initializes the SDK with the grant token, "
        "which can be exchanged once.",
    )
    process = _log_in(scene, ADA)
    document = scene.document(ADA)
    scene.screen.document(document)
    indexes = scene.stage.indexes()
    scene.screen.indexes(indexes)
    scene.check_requests("the grant token was exchanged once", grant=1, **_NAMING)
    scene.check("one document is stored, under the user's name", _stored(scene) == 1)
    scene.check("all indexes exist", {index.name for index in TOKEN_INDEXES} <= set(indexes))
    return process


def call_api(scene: Scene, process: Process) -> None:
    """An API call in the process that logged in."""
    scene.screen.step(
        "Call the API",
        "The same process asks the CRM for the user's organization, through the SDK.",
    )
    _call(scene, process, ADA)
    scene.check_requests("it took no token request, only the call", org=1)


def know_user_name(scene: Scene) -> Process:
    """A process that knows the user name."""
    scene.screen.step(
        "A second process knows only the user name",
        "It has no client secret and no token. Everything it needs is in the store.",
    )
    process = scene.stage.process()
    answer = scene.act(process, "initialize", user_name=ADA.name)
    scene.check("it found the same token", answer.result == scene.document(ADA)["id"])
    _call(scene, process, ADA)
    scene.check_requests("it took no token request, only the call", org=1)
    return process


def know_id(scene: Scene) -> None:
    """A process that knows the id."""
    id = scene.document(ADA)["id"]
    scene.screen.step("A third process knows only the id", f"The id is {short(id)}")
    process = scene.stage.process()
    scene.act(process, "initialize", id=id)
    _call(scene, process, ADA)
    scene.check_requests("it took no token request, only the call", org=1)


def refresh(scene: Scene, first: Process, second: Process) -> None:
    """An access token expires."""
    scene.screen.step(
        "The access token expires",
        "An access token is valid for one hour. The demo moves Zoho's clock and the stored expiry "
        "by 61 minutes. Then the first process makes a call.",
    )
    old = scene.document(ADA)
    scene.stage.pass_hours(EXPIRED)
    scene.check("Zoho refuses the old one", not scene.stage.zoho.is_live(old["access_token"]))
    _call(scene, first, ADA)
    scene.check_requests("one refresh, then the call", refresh=1, org=1)
    new = scene.document(ADA)
    scene.screen.users([new])
    scene.check(
        "a new access token is stored, and Zoho accepts it",
        new["access_token"] != old["access_token"]
        and scene.stage.zoho.is_live(new["access_token"]),
    )
    scene.check(
        "the refresh token and the id have not changed",
        all(new[field] == old[field] for field in ("id", "refresh_token")),
    )
    _call(scene, second, ADA)
    scene.check_requests("the second process uses it without refreshing again", org=1)


def refresh_together(scene: Scene) -> None:
    """Many processes meet one expired token."""
    scene.screen.step(
        "Six processes meet one expired token",
        "Six new processes start, and another 61 minutes pass. Now all six call the API at the "
        "same time. Zoho takes a second to answer a refresh.",
    )
    fleet = [scene.stage.process() for _ in range(6)]
    scene.act_together([Cue(one, "initialize", {"user_name": ADA.name}) for one in fleet])
    scene.stage.pass_hours(EXPIRED)
    scene.stage.zoho.configure(delay=1)
    answers = scene.act_together([Cue(one, "organization", {}) for one in fleet])
    scene.stage.zoho.configure(delay=0)
    scene.check_requests("one refresh served all six", refresh=1, org=6)
    organizations = {answer.result for answer in answers}
    scene.check(f"Zoho answered all for {ADA.email}", organizations == {ADA.org})


def log_in_second_user(scene: Scene, of_first_user: Process) -> None:
    """Another user logs in."""
    scene.screen.step(
        "A second user logs in",
        f"{GRACE.email} gives the same application consent, in another process.",
    )
    process = _log_in(scene, GRACE)
    scene.check_requests("her grant token was exchanged once", grant=1, **_NAMING)
    scene.screen.users(scene.stage.documents())
    scene.check("two documents are stored, one for each user", _stored(scene) == 2)
    _call(scene, process, GRACE)
    _call(scene, of_first_user, ADA)


def revoke_and_delete(scene: Scene, process: Process) -> None:
    """The first user's token goes."""
    document = scene.document(ADA)
    scene.screen.step(
        "Revoke and delete",
        f"The first process revokes {ADA.email}'s refresh token at Zoho and deletes the document.",
    )
    answer = scene.act(process, "revoke_and_remove", id=document["id"])
    scene.check("the SDK reports both as done", answer.result == (True, True))
    scene.check_requests("one token was revoked", revoke=1)
    zoho = scene.stage.zoho
    scene.check("her access token is dead", not zoho.is_live(document["access_token"]))
    grace = scene.document(GRACE)
    scene.screen.users(scene.stage.documents())
    scene.check(
        f"only {GRACE.email}'s token is left, and works",
        _stored(scene) == 1
        and zoho.is_live(grace["access_token"])
        and grace["expiry_time"] > now(),
    )


def _log_in(scene: Scene, user: User) -> Process:
    zoho = scene.stage.zoho
    process = scene.stage.process()
    scene.act(
        process,
        "initialize",
        client_id=zoho.client_id,
        client_secret=zoho.client_secret,
        grant_token=zoho.grant(user.email, user.org),
        **({} if SDK_NAMES_USER else {"user_name": user.name}),
    )
    return process


def _call(scene: Scene, process: Process, user: User) -> None:
    answer = scene.act(process, "organization")
    scene.check(f"Zoho answered for {user.email}", answer.result == user.org)


def _stored(scene: Scene) -> int:
    return len(scene.stage.documents())
