from typing import Any

from .header import Header as Header
from .header_map import HeaderMap as HeaderMap
from .initializer import Initializer as Initializer
from .param import Param as Param
from .parameter_map import ParameterMap as ParameterMap
from .request_proxy import RequestProxy as RequestProxy
from .sdk_config import SDKConfig as SDKConfig
from .user_signature import UserSignature as UserSignature

# The operations on records and the hundred packages beside them have no stubs: they are Any.
def __getattr__(name: str) -> Any: ...
