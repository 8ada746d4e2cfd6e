"""The table of peers: what a user would pick instead, and the limit."""

from benchmarks.peers.files import FilePeer, SQLitePeer
from benchmarks.peers.mongo import MongoPeer, RawPeer
from benchmarks.peers.peer import Peer
from benchmarks.peers.tables import MariaDBPeer

OURS, RAW, FILE, SQLITE, MARIADB = (
    "MongoTokenStore",
    "raw pymongo",
    "FileStore",
    "SQLite sample",
    "DBStore on MariaDB",
)
PEERS: dict[str, type[Peer]] = {
    OURS: MongoPeer,
    RAW: RawPeer,
    FILE: FilePeer,
    SQLITE: SQLitePeer,
    MARIADB: MariaDBPeer,
}
ON_MONGODB = (OURS, RAW)
