"""The formats of web servers' access logs; a new one is one file and one line in the table."""

from symsrv.mirror.logs.base import AccessLog
from symsrv.mirror.logs.common import Common
from symsrv.mirror.logs.gcs import Gcs
from symsrv.mirror.logs.json_lines import JsonLines
from symsrv.mirror.logs.s3 import S3
from symsrv.mirror.logs.w3c import W3c

ACCESS_LOGS: tuple[AccessLog, ...] = (Gcs(), W3c(), JsonLines(), S3(), Common())
"""In the order in which they are tried: those that need a title first."""
