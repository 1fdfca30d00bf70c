"""CloudFront's and IIS's logs, by the columns that they name."""

from symsrv.mirror.logs.w3c import W3c
from tests.mirror.logs.samples import CLOUDFRONT_TITLE, IIS_TITLE, Asked, cloudfront, iis

PATH = "/a%20b.exe/5AB380779000/a%20b.exe"


def test_cloudfront_encodes_once_more():
    line = cloudfront(Asked(PATH))

    assert "/a%2520b.exe/" in line
    assert W3c().parser(CLOUDFRONT_TITLE.splitlines())(line).target == PATH


def test_columns_that_were_not_chosen_make_it_another_log():
    assert W3c().parser([IIS_TITLE.replace(" sc-status", "")]) is None


def test_a_second_title_is_no_request():
    parser = W3c().parser(IIS_TITLE.splitlines())

    assert [parser(line) for line in IIS_TITLE.splitlines()] == [None] * 4
    assert parser(iis(Asked("/%C3%A4/b/c"))).target == "/%C3%A4/b/c"
