"""Why a callback logs nobody in."""


class CallbackError(Exception):
    """The callback logs nobody in: offer the user to begin the login again.

    Its text holds nothing that the request brought.

    Attributes:
        error: Zoho's word for it, such as ``"invalid_scope"``, if Zoho said why.
    """

    def __init__(self, message: str, error: str | None = None) -> None:
        """Create the error.

        Args:
            message: Why.
            error: Zoho's word for it.
        """
        super().__init__(message)
        self.error = error


class AccessDeniedError(CallbackError):
    """The user pressed "Reject" on Zoho's page."""


class InvalidStateError(CallbackError):
    """The state is not the one that this user's login began with.

    Somebody else's link led here, or the user began a second login meanwhile.
    """


class UnknownDataCenterError(CallbackError):
    """The callback names a data centre that is not among those of this login."""
