"""What the SDK does with the store, with encryption: the tests of ``tests/sdk``, unchanged."""
