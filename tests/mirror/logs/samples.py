"""The same requests as each web server logs them: `log(name, requests)` gives the lines of a whole log."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, unquote

BEGUN = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@dataclass(frozen=True)
class Asked:
    """One request; `target` as the client sent it."""

    target: str
    status: int = 404
    method: str = "GET"
    agent: str = "Microsoft-Symbol-Server/10.0.1"
    second: int = 0

    @property
    def when(self) -> datetime:
        return BEGUN + timedelta(seconds=self.second)

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


def _clock(one: Asked) -> str:
    return one.when.strftime("%d/Mar/%Y:%H:%M:%S +0000")


def combined(one: Asked) -> str:
    agent = one.agent.replace('"', "\\x22")
    return f'203.0.113.9 - - [{_clock(one)}] "{one.method} {one.target} HTTP/1.1" {one.status} 146 "-" "{agent}"'


def common(one: Asked) -> str:
    return f'203.0.113.9 - a user [{_clock(one)}] "{one.method} {one.target} HTTP/1.1" {one.status} -'


def with_host(one: Asked) -> str:
    return f"symbols.example:443 {combined(one)} 0.001 extra"


def s3(one: Asked) -> str:
    key = quote(one.path.lstrip("/"), safe="/")
    return (
        f"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be symbols [{_clock(one)}] 203.0.113.9 - "
        f'3E57427F3EXAMPLE REST.{one.method}.OBJECT {key} "{one.method} /symbols{one.target} HTTP/1.1" {one.status} '
        f'NoSuchKey 297 - 38 - "-" "{one.agent}" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3/eTPFvsiP/'
        "XV/VLi31234= SigV4 TLS_AES_128_GCM_SHA256 - symbols.s3.us-west-1.amazonaws.com TLSv1.3 - -"
    )


GCS_TITLE = (
    '"time_micros","c_ip","c_ip_type","c_ip_region","cs_method","cs_uri","sc_status","cs_bytes","sc_bytes",'
    '"time_taken_micros","cs_host","cs_referer","cs_user_agent","s_request_id","cs_operation","cs_bucket","cs_object"'
)


def gcs(one: Asked) -> str:
    micros = int(one.when.timestamp() * 1_000_000)
    uri, name = f"/symbols{one.target}", unquote(one.path.lstrip("/"))
    return (
        f'"{micros}","203.0.113.9","1","","{one.method}","{uri}","{one.status}","0","127","21000",'
        f'"storage.googleapis.com","","{one.agent}","AAANsUm","{one.method}_Object","symbols","{name}"'
    )


CLOUDFRONT_TITLE = (
    "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status "
    "cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id"
)


def cloudfront(one: Asked) -> str:
    query = one.target.partition("?")[2] or "-"
    cells = (
        f"{one.when:%Y-%m-%d}", f"{one.when:%H:%M:%S}", "FRA2-C1", "459", "203.0.113.9", one.method,
        "d111111abcdef8.cloudfront.net", quote(one.path, safe="/"), str(one.status), "-", quote(one.agent, safe="/"),
        query, "-", "Error", "SOX4xwn4XV6Q4rgb7XiVGOHms_BGlTAC4KyHmureZmBNrjGdRLiNIQ==",
    )  # fmt: skip
    return "\t".join(cells)


IIS_TITLE = (
    "#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Date: 2026-03-04 05:06:07\n"
    "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) "
    "cs(Referer) sc-status sc-substatus sc-win32-status time-taken"
)


def iis(one: Asked) -> str:
    return (
        f"{one.when:%Y-%m-%d} {one.when:%H:%M:%S} 192.0.2.1 {one.method} {unquote(one.path).replace(' ', '+')} - 80 - "
        f"203.0.113.9 {one.agent.replace(' ', '+')} - {one.status} 0 2 15"
    )


def nginx_json(one: Asked) -> str:
    return json.dumps(
        {
            "time_iso8601": one.when.isoformat(),
            "remote_addr": "203.0.113.9",
            "request": f"{one.method} {one.target} HTTP/1.1",
            "status": str(one.status),
            "http_user_agent": one.agent,
        }
    )


def caddy(one: Asked) -> str:
    return json.dumps(
        {
            "level": "info",
            "ts": one.when.timestamp(),
            "request": {"method": one.method, "uri": one.target, "headers": {"User-Agent": [one.agent]}},
            "status": one.status,
        }
    )


SERVERS: dict[str, tuple[str, str, Callable[[Asked], str]]] = {
    "nginx": ("common", "", combined),
    "apache": ("common", "", common),
    "apache with hosts": ("common", "", with_host),
    "s3": ("s3", "", s3),
    "gcs": ("gcs", GCS_TITLE, gcs),
    "cloudfront": ("w3c", CLOUDFRONT_TITLE, cloudfront),
    "iis": ("w3c", IIS_TITLE, iis),
    "nginx json": ("json", "", nginx_json),
    "caddy": ("json", "", caddy),
}
"""For each server the format that reads its log, the title, and how it writes a line."""


def log(server: str, asked: Sequence[Asked], *, title: bool = True) -> str:
    _, head, line = SERVERS[server]
    lines = [*([head] if head and title else []), *map(line, asked)]
    return "".join(f"{one}\n" for one in lines)
