"""Whether the options of a store can go to another process."""

from collections.abc import Mapping
from multiprocessing.reduction import ForkingPickler

from zoho_mongo_store.errors import InvalidInputError

_WHAT_TO_DO = {
    "on_event": "use a function at the top level of a module",
    "encryption": "use plain dictionaries, strings and bytes in it",
}


def require_picklable(options: Mapping[str, object]) -> None:
    """Refuse options of which one cannot be pickled.

    Args:
        options: By their names.

    Raises:
        InvalidInputError: One cannot be. The text names it.
    """
    for name, value in options.items():
        try:
            # As multiprocessing does it, which takes more than pickle: its own queues, for example.
            ForkingPickler.dumps(value)
        except Exception as error:
            what_to_do = _WHAT_TO_DO.get(name, "use another")
            raise InvalidInputError(
                f"{name} cannot be pickled ({type(error).__name__}): {what_to_do}, or make the "
                "store in the process that uses it"
            ) from None
