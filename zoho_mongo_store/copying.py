"""What a copy of a store is made of, in this process or in another."""

from typing import Any

from zoho_mongo_store.errors import InvalidInputError, StoreError
from zoho_mongo_store.signals import is_from_handler

_WHAT_TO_DO = {
    "on_event": "use a function at the top level of a module",
    "encryption": "use plain dictionaries, strings and bytes in it",
}


class StoreOptions:
    """The options of a store; a copy of it is another store with the same ones."""

    def __init__(self, options: dict[str, Any], *, is_borrowed: bool) -> None:
        """Keep them.

        Args:
            options: What the constructor was given, but for a client.
            is_borrowed: Whether it was given a client, which no other store can have.
        """
        self._options = options
        self._is_borrowed = is_borrowed
        self._is_being_pickled = False

    def to_copy(self) -> dict[str, Any]:
        """Give the options for a store in this process.

        Raises:
            StoreError: The store uses a borrowed client.
        """
        if self._is_borrowed:
            raise StoreError(
                "it uses a MongoClient of the application's, which cannot be copied: make a new "
                "store with that client, or with a URI where the other process is"
            )
        return self._options

    def to_pickle(self) -> dict[str, Any]:
        """Give the options for a store in another process.

        Raises:
            StoreError: The store uses a borrowed client.
            InvalidInputError: An option cannot be pickled. The text names it.
        """
        options = self.to_copy()
        # The handler's object may hold the store, which is then met again.
        if not self._is_being_pickled:
            self._is_being_pickled = True
            try:
                _require_picklable(options)
            finally:
                self._is_being_pickled = False
        return options


def _require_picklable(options: dict[str, Any]) -> None:
    # Few programs need it, and it takes milliseconds.
    from multiprocessing.reduction import ForkingPickler

    for name, value in options.items():
        try:
            # As multiprocessing does it, which takes more than pickle: its own queues, for example.
            ForkingPickler.dumps(value)
        except Exception as error:
            if is_from_handler(error):
                raise
            what_to_do = _WHAT_TO_DO.get(name, "use another")
            raise InvalidInputError(
                f"{name} cannot be pickled ({type(error).__name__}): {what_to_do}, or make the "
                "store in the process that uses it"
            ) from None
