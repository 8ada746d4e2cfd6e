"""What the store needs of the Zoho CRM SDK: the only file that knows the SDK's import paths.

The lines 5 to 8 of the SDK all install as ``zohocrmsdk`` and agree on these paths.
"""

try:
    from zohocrmsdk.src.com.zoho.api.authenticator import OAuthToken
    from zohocrmsdk.src.com.zoho.api.authenticator.store import TokenStore
    from zohocrmsdk.src.com.zoho.crm.api.dc import DataCenter
    from zohocrmsdk.src.com.zoho.crm.api.exception import SDKException
    from zohocrmsdk.src.com.zoho.crm.api.initializer import Initializer
    from zohocrmsdk.src.com.zoho.crm.api.user_signature import UserSignature
except ImportError as error:
    raise ImportError(
        "zoho_mongo_store needs the Zoho CRM SDK, which is not installed. Install one line of it: "
        "pip install 'zoho-mongo-store[crm8]' (or [crm7], [crm6], [crm5])."
    ) from error

__all__ = [
    "DataCenter",
    "Initializer",
    "OAuthToken",
    "SDKException",
    "TokenStore",
    "UserSignature",
]
