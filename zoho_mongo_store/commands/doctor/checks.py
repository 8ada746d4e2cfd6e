"""All checks of ``doctor``, in order."""

from collections.abc import Callable, Iterable, Iterator

from pymongo.errors import PyMongoError

from zoho_mongo_store.commands.context import CommandContext
from zoho_mongo_store.commands.doctor import access, documents, indexes, logins, server
from zoho_mongo_store.commands.doctor.findings import Finding
from zoho_mongo_store.commands.failures import explain
from zoho_mongo_store.errors import StoreError, is_unreachable, lacks_privilege

Check = tuple[str, Callable[[], Iterable[Finding]]]

_START = "start MongoDB, or correct --uri"
_CORRECT = "correct --uri"
_MORE_RIGHTS = "run doctor as a user who may (such as the deploy step's)"


def examine(context: CommandContext, *, quick: bool) -> Iterator[Finding]:
    """Run every check, or only the first if the server cannot be reached.

    Args:
        context: The collection to check.
        quick: Whether to check only that the server answers and the indexes exist.
    """
    collection = context.collection
    try:
        yield server.reached(collection)
    except Exception as error:
        advice = _START if is_unreachable(error) else _CORRECT
        yield Finding("server", "failed", explain(error, "doctor", context.secrets), advice)
        return
    if not quick:
        found: list[Finding] = []
        yield from _run(context, _of_the_server(context), found)
        if any(one.check == "authentication" and one.result == "failed" for one in found):
            # Without a log-in nothing is shown to the other checks.
            return
    there: list[Finding] = []
    yield from _run(context, [("collection", lambda: indexes.collection_exists(collection))], there)
    if any(one.result == "failed" for one in there):
        # The other checks could only report the same again.
        return
    yield from _run(context, [("indexes", lambda: indexes.present(collection))])
    if not quick:
        yield from _run(context, _of_the_tokens(context))


def _of_the_server(context: CommandContext) -> list[Check]:
    collection = context.collection
    return [
        ("versions", lambda: server.versions(collection)),
        ("topology", lambda: server.topology(collection)),
        ("write concern", lambda: server.write_concern(collection)),
        ("read preference", lambda: server.read_preference(collection)),
        ("TLS", lambda: server.tls(collection)),
        ("authentication", lambda: access.authentication(collection)),
        ("rights", lambda: access.rights(collection, context.encryption)),
        ("clock", lambda: server.clock(collection)),
    ]


def _of_the_tokens(context: CommandContext) -> list[Check]:
    collection = context.collection
    return [
        ("indexes used", lambda: indexes.used(collection)),
        ("duplicates", lambda: documents.duplicates(collection)),
        ("credentials", lambda: documents.shared_credentials(collection)),
        ("OAuth clients", lambda: documents.clients(collection)),
        ("encryption", lambda: documents.secrets(collection, context.encryption)),
        ("documents", lambda: documents.readable(context.repository())),
        ("logins", lambda: logins.failing(context.repository())),
    ]


def _run(
    context: CommandContext, checks: Iterable[Check], found: list[Finding] | None = None
) -> Iterator[Finding]:
    """Run checks. If one cannot be carried out, the reason is its finding.

    Args:
        context: Knows what no text may show.
        checks: The checks.
        found: A list to which the findings are added too.
    """
    for name, check in checks:
        try:
            findings = list(check())
        except (PyMongoError, StoreError) as error:
            if lacks_privilege(error):
                findings = [Finding(name, "warned", "the role may not check this", _MORE_RIGHTS)]
            else:
                reason = explain(error, "doctor", context.secrets)
                findings = [Finding(name, "failed", reason, "fix that, then run doctor again")]
        if found is not None:
            found += findings
        yield from findings
