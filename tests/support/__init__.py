"""The tests' own vocabulary: small fakes that are injected, and builders."""
