"""Lines of S3's server access logs, as Amazon documents them."""

from symsrv.mirror.logs.s3 import S3
from tests.mirror.logs.samples import Asked, s3

LISTING = (
    "79a5 amzn-s3-demo-bucket1 [06/Feb/2019:00:00:38 +0000] 192.0.2.3 79a5 3E57427F3EXAMPLE REST.GET.VERSIONING - "
    '"GET /amzn-s3-demo-bucket1?versioning HTTP/1.1" 404 - 113 - 7 - "-" "S3Console/0.4" - s9lz= SigV4 '
    "ECDHE AuthHeader amzn-s3-demo-bucket1.s3.us-west-1.amazonaws.com TLSV1.2 - -"
)


def read(line):
    parser = S3().parser([line])
    return None if parser is None else parser(line)


def test_only_the_reading_of_an_object_is_a_request_for_a_file():
    assert read(LISTING).method == "REST.GET.VERSIONING"
    assert read(s3(Asked("/a.exe/5AB380779000/a.exe"))).method == "GET"


def test_a_key_is_decoded_once_as_the_log_encodes_it_once():
    assert read(s3(Asked("/a%20b/c"))).target == "/a%20b/c"


def test_an_agent_with_quotes_and_a_missing_status():
    line = s3(Asked("/a/b/c", agent='odd "agent" here'))

    assert read(line).target == "/a/b/c"
    assert read(line.replace(" 404 ", " - ")).status == 0
