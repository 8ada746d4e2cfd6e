"""The errors that a caller gets instead of an access token."""

from datetime import timedelta
from typing import Any

from zoho_mongo_store.sdk import SDKException


class LoginRequiredError(SDKException):
    """The user has to log in again: no request to Zoho could get an access token.

    Send the user to Zoho's authorize page. Do not retry: a retry fails at once, without a request
    to Zoho.

    Attributes:
        code: The code that the SDK itself would raise.
    """

    def __init__(self, code: str, message: str) -> None:
        """Create the error.

        Args:
            code: The SDK's code.
            message: The reason, without any secret.
        """
        super().__init__(code, message)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.code, self.error_message)


class RefreshPausedError(SDKException):
    """No access token is available now; try again later.

    Zoho refused temporarily or could not be reached, or its limit on requests has been reached.
    Nobody needs to act.

    Attributes:
        code: The code that the SDK itself would raise.
        retry_after: How long nobody asks Zoho. Until then, calls fail at once, without a request to
            Zoho.
    """

    def __init__(self, code: str, message: str, retry_after: timedelta) -> None:
        """Create the error.

        Args:
            code: The SDK's code.
            message: The reason, without any secret.
            retry_after: How long nobody asks Zoho.
        """
        super().__init__(code, message)
        self.retry_after = retry_after

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.code, self.error_message, self.retry_after)
