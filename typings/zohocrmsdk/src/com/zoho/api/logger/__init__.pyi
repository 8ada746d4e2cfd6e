from .logger import Logger as Logger
from .logger import SDKLogger as SDKLogger
