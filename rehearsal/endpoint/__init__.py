"""One HTTP endpoint for every AWS service of an emulator."""
