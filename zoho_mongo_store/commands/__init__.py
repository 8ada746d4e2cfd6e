"""The ``zoho-mongo-store`` command: one module for each sub-command, and what they share.

A module named after a sub-command (``list``, ``purge``, ``doctor.command``) contains its options
and its help. At the top it imports only what these need, so that ``--help`` and shell completion
load neither pymongo nor the SDK; the function imports the rest when it runs.
"""
