import threading

from zohocrmsdk.src.com.zoho.api.authenticator.oauth_token import OAuthToken
from zohocrmsdk.src.com.zoho.api.authenticator.store import TokenStore
from zohocrmsdk.src.com.zoho.crm.api.dc.data_center import DataCenter

class Initializer:
    LOCAL: threading.local
    environment: DataCenter.Environment
    store: TokenStore
    @staticmethod
    def initialize(
        environment: DataCenter.Environment | None = None,
        token: OAuthToken | None = None,
        store: TokenStore | None = None,
        sdk_config: object = None,
        resource_path: str | None = None,
        logger: object = None,
        proxy: object = None,
    ) -> None: ...
    @staticmethod
    def switch_user(
        environment: DataCenter.Environment | None = None,
        token: OAuthToken | None = None,
        sdk_config: object = None,
        proxy: object = None,
    ) -> None: ...
    @staticmethod
    def get_initializer() -> Initializer: ...
