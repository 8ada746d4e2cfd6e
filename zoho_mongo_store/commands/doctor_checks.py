"""All that ``doctor`` looks at, in order."""

from collections.abc import Callable, Iterable, Iterator

from pymongo.errors import PyMongoError

from zoho_mongo_store.commands import doctor_documents, doctor_indexes, doctor_server
from zoho_mongo_store.commands.findings import Finding
from zoho_mongo_store.commands.place import Place
from zoho_mongo_store.commands.reporting import explained
from zoho_mongo_store.errors import UNAUTHORIZED, StoreError

Check = tuple[str, Callable[[], Iterable[Finding]]]


def examine(place: Place) -> Iterator[Finding]:
    """Every finding. When the server cannot be reached that is the only one."""
    with place.collection() as collection:
        try:
            yield doctor_server.reached(collection)
        except Exception as error:
            yield Finding("server", "failed", explained(error, "ping", place.secrets()), _START)
            return
        checks: list[Check] = [
            ("version", lambda: doctor_server.version(collection)),
            ("topology", lambda: doctor_server.topology(collection)),
            ("write concern", lambda: doctor_server.write_concern(collection)),
            ("TLS", lambda: doctor_server.tls(collection)),
            ("authentication", lambda: doctor_server.authentication(collection)),
            ("clock", lambda: doctor_server.clock(collection)),
            ("indexes", lambda: doctor_indexes.present(collection)),
            ("indexes used", lambda: doctor_indexes.used(collection)),
            ("duplicates", lambda: doctor_documents.duplicates(collection)),
            ("secrets", lambda: doctor_documents.secrets(collection, place)),
            ("documents", lambda: doctor_documents.readable(place)),
        ]
        for name, check in checks:
            try:
                yield from check()
            except (PyMongoError, StoreError) as error:
                if getattr(error, "code", None) == UNAUTHORIZED:
                    yield Finding(name, "warned", "the role may not look", _MORE_RIGHTS)
                else:
                    reason = explained(error, name, place.secrets())
                    yield Finding(name, "failed", reason, "mend that, then run doctor again")


_START = "start MongoDB, or correct --uri"
_MORE_RIGHTS = "run doctor as a user who may (such as the deploy step's)"
