"""A user of locust that asks for the same page without a pause."""

from locust import FastHttpUser, task


class User(FastHttpUser):  # type: ignore[misc] # locust is in a venv of its own
    """Sends the next request after each response."""

    @task  # type: ignore[untyped-decorator] # as above
    def home(self) -> None:
        """Ask for the home page."""
        self.client.get("/")
