"""A scenario's whole setting, built on an emulator with the calls a team would make."""
