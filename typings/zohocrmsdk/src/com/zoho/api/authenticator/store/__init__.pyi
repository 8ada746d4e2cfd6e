from .db_store import DBStore as DBStore
from .file_store import FileStore as FileStore
from .token_store import TokenStore as TokenStore
