"""Encrypts secrets in the client, with MongoDB's explicit client-side field level encryption.

The pieces, from the store down to MongoDB's library:

- ``FieldEncryption`` (settings): what an application chooses. It holds no connection.
- ``Encryptor``: one per store. It holds the store's ``Cipher`` and current ``Codec``, creates both
  on first use, and re-reads the list of data keys every ten seconds.
- ``EncryptedCollection`` (collection): a pymongo collection and the ``Encryptor``. It asks for the
  current ``Codec`` for each command, and has the methods of ``TokenDocuments``.
- ``Codec``: a ``Cipher`` and the ``DataKeys`` at one moment. It converts whole documents, filters
  and updates.
- ``Cipher``: a ``KeyVault`` and pymongo's ``ClientEncryption``, which ``library`` opens. It
  converts single values.
- ``KeyVault`` (key_vault): the collection of data keys.
- ``DataKeys`` (data_keys): which data key to write with, and which to search for.

``maintenance`` works on whole collections: it encrypts, decrypts and rotates keys, with its own
``Cipher`` and no store. Its ``migration`` converts the documents.

Importing this package loads only the settings, so a process that does not encrypt pays nothing.
"""

from zoho_mongo_store.encryption.settings import FieldEncryption

__all__ = ["FieldEncryption"]
