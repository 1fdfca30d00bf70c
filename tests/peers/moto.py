"""moto's S3 server in this process: create-only puts, ranges and paging are right; signatures are not checked."""

import contextlib
import logging
import os
import uuid
from collections.abc import Iterator
from typing import Any

import boto3
from botocore.config import Config

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}


@contextlib.contextmanager
def moto_server() -> Iterator[str]:
    """Starts moto on a free port; gives its URL."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def client(endpoint: str, credentials: dict[str, str] = CREDENTIALS) -> Any:
    """A plain client, apart from symsrv's own."""
    return boto3.session.Session(
        aws_access_key_id=credentials["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=credentials["AWS_SECRET_ACCESS_KEY"],
        region_name=credentials["AWS_DEFAULT_REGION"],
    ).client("s3", endpoint_url=endpoint, config=Config(s3={"addressing_style": "path"}))


def new_bucket(endpoint: str, credentials: dict[str, str] = CREDENTIALS) -> str:
    """Makes a bucket nobody else has; returns its name."""
    name = f"store-{uuid.uuid4().hex[:12]}"
    with contextlib.closing(client(endpoint, credentials)) as s3:
        s3.create_bucket(Bucket=name)
    return name


@contextlib.contextmanager
def environment(endpoint: str, credentials: dict[str, str] = CREDENTIALS) -> Iterator[None]:
    """Points boto3 at the server, as a user would."""
    wanted = {"AWS_ENDPOINT_URL": endpoint, **credentials}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
