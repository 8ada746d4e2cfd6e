import threading

from zohocrmsdk.src.com.zoho.api.authenticator.store.token_store import TokenStore
from zohocrmsdk.src.com.zoho.api.authenticator.token import Token
from zohocrmsdk.src.com.zoho.api.logger import Logger
from zohocrmsdk.src.com.zoho.crm.api.dc.data_center import DataCenter
from zohocrmsdk.src.com.zoho.crm.api.request_proxy import RequestProxy
from zohocrmsdk.src.com.zoho.crm.api.sdk_config import SDKConfig

class Initializer:
    LOCAL: threading.local
    initializer: Initializer | None
    environment: DataCenter.Environment
    store: TokenStore
    token: Token
    sdk_config: SDKConfig
    request_proxy: RequestProxy | None
    resource_path: str
    def __init__(self) -> None: ...
    @staticmethod
    def initialize(
        environment: DataCenter.Environment,
        token: Token,
        store: TokenStore | None = None,
        sdk_config: SDKConfig | None = None,
        resource_path: str | None = None,
        logger: Logger | None = None,
        proxy: RequestProxy | None = None,
    ) -> None: ...
    @staticmethod
    def get_initializer() -> Initializer | None: ...
    @staticmethod
    def switch_user(
        environment: DataCenter.Environment | None = None,
        token: Token | None = None,
        sdk_config: SDKConfig | None = None,
        proxy: RequestProxy | None = None,
    ) -> None: ...
