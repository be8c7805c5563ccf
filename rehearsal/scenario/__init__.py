"""The scenario: a service, its versions, and the expected results."""
