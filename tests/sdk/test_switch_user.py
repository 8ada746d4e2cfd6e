"""One process that serves every stored user in turn."""

from collections.abc import Callable

from tests.sdk.application import OTHER_USER, USER, Application, current_user, log_in, name_of
from tests.sdk.stored import Documents
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.sdk import Initializer

USERS = [USER, OTHER_USER, "mary@example.com"]


def serve_each(application: Application) -> list[tuple[str, str]]:
    """The name and the e-mail address of each user, by switching to each stored token."""
    served = []
    with MongoTokenStore(**application.store_options) as store:
        tokens = store.get_tokens()
        application.initialize(tokens[0], store)
        for token in tokens:
            Initializer.switch_user(token=token)
            signature = token.get_user_signature()
            assert signature is not None
            served.append((signature.get_name(), current_user()))
    return served


def test_serves_each_listed_token(
    application: Application, documents: Documents, expire: Callable[[], None]
) -> None:
    application.run(log_in, *USERS)
    expire()
    application.zoho.clear()

    served = application.run(serve_each)

    assert sorted(served) == sorted((name_of(user), user) for user in USERS)
    for document in documents():
        assert application.zoho.is_live(document["access_token"])
        assert application.zoho.count("refresh", document["refresh_token"]) == 1
    assert application.zoho.count("refresh") == len(USERS)
    assert application.zoho.count("grant") == 0
