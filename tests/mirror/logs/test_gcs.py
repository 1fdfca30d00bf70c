"""Usage logs of Google Cloud Storage: the title says where the columns are."""

from symsrv.mirror.logs.gcs import Gcs
from tests.mirror.logs.samples import GCS_TITLE, Asked, gcs


def test_columns_may_stand_elsewhere():
    title = '"cs_object","sc_status","cs_method","time_micros"'
    parser = Gcs().parser([title])

    request = parser('"a b,c/1/""x""","403","GET","1254956041000000"')

    assert (request.target, request.status, request.when.year) == ("/a%20b%2Cc/1/%22x%22", 403, 2009)


def test_storage_logs_are_none():
    assert Gcs().parser(['"bucket","storage_byte_hours"', '"symbols","1"']) is None


def test_the_title_and_half_a_line_are_no_requests():
    parser = Gcs().parser([GCS_TITLE])

    assert parser(GCS_TITLE) is None
    assert parser(gcs(Asked("/a/b/c"))[:-1]) is None
