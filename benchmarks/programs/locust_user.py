"""A user of locust that asks for the same page without a pause."""

from locust import FastHttpUser, task


class User(FastHttpUser):  # type: ignore[misc] # locust is in a venv of its own
    """Asks again as soon as there is an answer."""

    @task  # type: ignore[untyped-decorator] # as above
    def home(self) -> None:
        """Ask for the home page."""
        self.client.get("/")
