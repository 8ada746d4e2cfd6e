"""Encrypts secrets in the client, with MongoDB's explicit client-side field level encryption.

Who holds whom, from the store down to MongoDB's library:

- ``FieldEncryption`` (settings): what an application chooses. It holds no connection.
- ``Encryptor``: one for each store. It holds the store's ``Cipher`` and its current ``Codec``,
  makes both on first use, and reads the list of data keys again every ten seconds.
- ``EncryptedCollection`` (collection): a pymongo collection and the ``Encryptor``. It asks for the
  current ``Codec`` at each command, and has the methods of ``TokenDocuments``.
- ``Codec``: a ``Cipher`` and the ``DataKeys`` of one moment. It converts whole documents, filters
  and updates.
- ``Cipher``: a ``KeyVault`` and pymongo's ``ClientEncryption``, which ``library`` opens. It
  converts single values.
- ``KeyVault`` (key_vault): the collection of data keys.
- ``DataKeys`` (data_keys): which data key to write with, and which to look for.

``maintenance`` works on whole collections: it encrypts, decrypts and rotates keys, with a
``Cipher`` of its own and no store. Its ``migration`` converts the documents one by one.

Importing this package loads the settings alone: a process that does not encrypt pays for no more.
"""

from zoho_mongo_store.encryption.settings import FieldEncryption

__all__ = ["FieldEncryption"]
