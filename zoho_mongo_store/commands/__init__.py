"""The ``zoho-mongo-store`` command: one module for each sub-command, and what they share.

A module named for a sub-command (``list``, ``purge``, ``doctor.command``) holds its options and its
help. It imports at its top only what these need, so that ``--help`` and shell completion load
neither pymongo nor the SDK; the function imports the rest when it runs.
"""
