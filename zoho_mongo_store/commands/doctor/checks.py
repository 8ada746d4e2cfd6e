"""All checks of ``doctor``, in order."""

from collections.abc import Callable, Iterable, Iterator

from pymongo.errors import PyMongoError

from zoho_mongo_store.commands.context import CommandContext
from zoho_mongo_store.commands.doctor import documents, indexes, server
from zoho_mongo_store.commands.doctor.findings import Finding
from zoho_mongo_store.commands.failures import explain
from zoho_mongo_store.errors import StoreError, lacks_privilege

Check = tuple[str, Callable[[], Iterable[Finding]]]

_START = "start MongoDB, or correct --uri"
_MORE_RIGHTS = "run doctor as a user who may (such as the deploy step's)"


def examine(context: CommandContext) -> Iterator[Finding]:
    """Run every check; the first alone if the server cannot be reached."""
    collection = context.collection
    try:
        yield server.reached(collection)
    except Exception as error:
        yield Finding("server", "failed", explain(error, "ping", context.secrets), _START)
        return
    checks: list[Check] = [
        ("version", lambda: server.version(collection)),
        ("topology", lambda: server.topology(collection)),
        ("write concern", lambda: server.write_concern(collection)),
        ("read preference", lambda: server.read_preference(collection)),
        ("TLS", lambda: server.tls(collection)),
        ("authentication", lambda: server.authentication(collection)),
        ("clock", lambda: server.clock(collection)),
        ("indexes", lambda: indexes.present(collection)),
        ("indexes used", lambda: indexes.used(collection)),
        ("duplicates", lambda: documents.duplicates(collection)),
        ("secrets", lambda: documents.secrets(collection, context.encryption)),
        ("documents", lambda: documents.readable(context.repository())),
    ]
    for name, check in checks:
        try:
            yield from check()
        except (PyMongoError, StoreError) as error:
            if lacks_privilege(error):
                yield Finding(name, "warned", "the role may not look", _MORE_RIGHTS)
            else:
                reason = explain(error, name, context.secrets)
                yield Finding(name, "failed", reason, "mend that, then run doctor again")
