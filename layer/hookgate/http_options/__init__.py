"""Options of requests that validators share, each kind in a piece of its own."""

from hookgate.http_options.auth import Auth, authorized
from hookgate.http_options.compression import Encodings
from hookgate.http_options.package_file import PackageFile, read_package_file
from hookgate.http_options.tls_settings import TlsSettings

__all__ = [
    "Auth",
    "Encodings",
    "PackageFile",
    "TlsSettings",
    "authorized",
    "read_package_file",
]
