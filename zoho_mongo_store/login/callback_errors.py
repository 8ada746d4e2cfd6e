"""The errors of a callback that logs nobody in."""


class CallbackError(Exception):
    """The callback logs nobody in. Let the user start the login again.

    The message contains nothing from the request.

    Attributes:
        error: Zoho's error code, such as ``"invalid_scope"``, if Zoho gave one.
    """

    def __init__(self, message: str, error: str | None = None) -> None:
        """Create the error.

        Args:
            message: The reason.
            error: Zoho's error code.
        """
        super().__init__(message)
        self.error = error


class AccessDeniedError(CallbackError):
    """The user pressed "Reject" on Zoho's page."""


class InvalidStateError(CallbackError):
    """The state is not the one that this user's login began with.

    The user followed somebody else's link, or has started a second login in the meantime.
    """


class UnknownDataCenterError(CallbackError):
    """The callback names a data centre that this login does not know."""
