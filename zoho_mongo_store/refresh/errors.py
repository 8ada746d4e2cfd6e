"""What a caller gets in place of an access token."""

from datetime import timedelta
from typing import Any

from zoho_mongo_store.sdk import SDKException


class LoginRequiredError(SDKException):
    """The user has to log in again: no request to Zoho could bring an access token.

    Send the user to Zoho's authorize page. Trying again is of no use, and sends nothing.

    Attributes:
        code: The SDK's code, as it would be without this store.
    """

    def __init__(self, code: str, message: str) -> None:
        """Create the error.

        Args:
            code: The SDK's code.
            message: Why, without any secret.
        """
        super().__init__(code, message)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.code, self.error_message)


class RefreshPausedError(SDKException):
    """There is no access token now; there may be one later, without anybody doing anything.

    Zoho refused for the moment, could not be reached, or its limit on requests is reached.

    Attributes:
        code: The SDK's code, as it would be without this store.
        retry_after: How long nobody asks Zoho. Calls before that fail at once and send nothing.
    """

    def __init__(self, code: str, message: str, retry_after: timedelta) -> None:
        """Create the error.

        Args:
            code: The SDK's code.
            message: Why, without any secret.
            retry_after: How long nobody asks Zoho.
        """
        super().__init__(code, message)
        self.retry_after = retry_after

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.code, self.error_message, self.retry_after)
