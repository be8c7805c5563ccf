"""Boto3 clients."""

from __future__ import annotations

import threading
from functools import cached_property
from typing import Any

from hookgate.aws.appspec import MAX_BUNDLE
from hookgate_rehearsal.endpoint.access import SECRET_ACCESS_KEY, AccessKey


class Clients:
    """Creates clients of the emulator from one session.

    Args:
        endpoint_url: The emulator's endpoint.
        region: The emulator's region.
        key: The emulator's access key.
    """

    def __init__(self, endpoint_url: str, region: str, key: AccessKey) -> None:
        self._endpoint_url = endpoint_url
        self._region = region
        self.key = key
        self._lock = threading.Lock()  # sessions, unlike clients, need one

    def client(self, service: str, key_id: str | None = None) -> Any:
        """A boto3 client of a service.

        Args:
            service: the service.
            key_id: the access key id that it signs with; by default the emulator's.
        """
        import botocore.config  # noqa: PLC0415 - botocore is slow to import

        with self._lock:
            return self._session.client(
                service,
                endpoint_url=self._endpoint_url,
                aws_access_key_id=key_id or self.key.id,
                aws_secret_access_key=SECRET_ACCESS_KEY,
                config=botocore.config.Config(s3={"addressing_style": "path"}),
            )

    def read_object(self, bucket: str, key: str, version: str | None) -> bytes:
        """An S3 object, up to one byte more than a revision may have."""
        request = {"Bucket": bucket, "Key": key}
        if version is not None:
            request["VersionId"] = version
        body = self.client("s3").get_object(**request)["Body"]
        content: bytes = body.read(MAX_BUNDLE + 1)
        return content

    @cached_property
    def _session(self) -> Any:
        """The session; a new one would read botocore's data again."""
        import boto3  # noqa: PLC0415 - boto3 is slow to import

        return boto3.session.Session(
            region_name=self._region,
            aws_access_key_id=self.key.id,
            aws_secret_access_key=SECRET_ACCESS_KEY,
        )


def lambda_at(endpoint_url: str) -> Any:
    """A boto3 client of another Lambda endpoint, such as `sam local start-lambda`.

    It waits as long as a hook may run, and does not retry, which would run it twice.
    """
    import boto3  # noqa: PLC0415 - boto3 is slow to import
    import botocore.config  # noqa: PLC0415 - as above

    return boto3.session.Session(
        region_name="us-east-1",
        aws_access_key_id="rehearsal",
        aws_secret_access_key=SECRET_ACCESS_KEY,
    ).client(
        "lambda",
        endpoint_url=endpoint_url,
        config=botocore.config.Config(
            read_timeout=900, retries={"total_max_attempts": 1}
        ),
    )
