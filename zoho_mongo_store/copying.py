"""The options from which a store is copied, in this process or another one."""

from typing import Any

from zoho_mongo_store.errors import InvalidInputError, StoreError
from zoho_mongo_store.signals import is_from_handler

_WHAT_TO_DO = {
    "on_event": "use a function at the top level of a module",
    "encryption": "use plain dictionaries, strings and bytes in it",
}


class StoreOptions:
    """The options of a store. A copy of the store is another store with the same options."""

    def __init__(self, options: dict[str, Any], *, is_borrowed: bool) -> None:
        """Keep them.

        Args:
            options: The constructor's arguments, except for the client.
            is_borrowed: Whether the store was given a client, which cannot be copied.
        """
        self._options = options
        self._is_borrowed = is_borrowed
        self._is_being_pickled = False

    def to_copy(self) -> dict[str, Any]:
        """Return the options for a store in this process.

        Raises:
            StoreError: The store uses a borrowed client.
        """
        if self._is_borrowed:
            raise StoreError(
                "it uses the application's MongoClient, which cannot be copied: create another "
                "store with that client, or use a URI if the copy is for another process"
            )
        return self._options

    def to_pickle(self) -> dict[str, Any]:
        """Return the options for a store in another process.

        Raises:
            StoreError: The store uses a borrowed client.
            InvalidInputError: An option cannot be pickled. The message names it.
        """
        options = self.to_copy()
        # The handler's object may refer to the store, which then pickles itself again.
        if not self._is_being_pickled:
            self._is_being_pickled = True
            try:
                _require_picklable(options)
            finally:
                self._is_being_pickled = False
        return options


def _require_picklable(options: dict[str, Any]) -> None:
    # Imported here: few programs need it, and it takes milliseconds.
    from multiprocessing.reduction import ForkingPickler

    for name, value in options.items():
        try:
            # multiprocessing's pickler, which accepts more than pickle, such as its own queues.
            ForkingPickler.dumps(value)
        except Exception as error:
            if is_from_handler(error):
                raise
            what_to_do = _WHAT_TO_DO.get(name, "use another")
            raise InvalidInputError(
                f"{name} cannot be pickled ({type(error).__name__}): {what_to_do}, or create the "
                "store in the process that uses it"
            ) from None
