"""The pages on upstreams and on symbold name what is there: verbs, flags, options, presets, YAML that is valid."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from symsrv.commands import COMMANDS
from symsrv.config import Config, parse
from symsrv.mirror.presets import presets
from symsrv.mirror.settings import Credentials, MirrorOptions, Proxy, UpstreamOptions

REPOSITORY = Path(__file__).resolve().parent.parent
PAGES = ("upstreams", "symbold")
VERBS = {verb.name: verb for verb in COMMANDS}


def text(page):
    return (REPOSITORY / "docs" / f"{page}.md").read_text(encoding="utf-8")


def lines_to_paste(page):
    for block in re.findall(r"^```\n(.*?)^```", text(page), re.DOTALL | re.MULTILINE):
        yield from (line for line in block.splitlines() if line.startswith("symsrv "))


def inline(page):
    return re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text(page), flags=re.DOTALL | re.MULTILINE))


def named_verbs():
    found = {line for page in PAGES for line in lines_to_paste(page)}
    found |= {words for page in PAGES for words in inline(page) if words.startswith("symsrv ")}
    return sorted(found)


def options_of(verb):
    return {name for parameter in verb.params for name in [*parameter.opts, *parameter.secondary_opts]}


@pytest.mark.parametrize("line", named_verbs())
def test_every_verb_and_flag_is_there(line):
    words = [word for word in shlex.split(line.replace("…", ""))[1:] if word != "NAME"]
    name = next((one for one in (" ".join(words[:2]), words[0]) if one in VERBS), None)
    if name is None:
        families = {one.split()[0] for one in VERBS if " " in one}
        assert words == [name for name in families if name in words], line
        return

    flags = {word.partition("=")[0] for word in words if word.startswith("--")}

    assert flags <= options_of(VERBS[name]) | {"--help"}


@pytest.mark.parametrize("page", PAGES)
def test_every_flag_that_stands_alone_is_some_verbs(page):
    known = {option for verb in COMMANDS for option in options_of(verb)}
    named = {word for words in inline(page) if words.startswith("--") for word in [words.split()[0]]}

    assert named <= known


@pytest.mark.parametrize("page", PAGES)
def test_the_yaml_to_paste_is_valid(page):
    for block in re.findall(r"^```yaml\n(.*?)^```", text(page), re.DOTALL | re.MULTILINE):
        found = parse(block, origin=Path("symsrv.yaml"))
        assert found.upstreams or yaml.safe_load(block)


def test_the_page_of_upstreams_has_every_option():
    table = text("upstreams").split("## Options")[1].split("## Credentials")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}

    assert named == set(UpstreamOptions.model_fields)


def test_the_page_of_upstreams_has_every_preset_as_it_is():
    table = text("upstreams").split("## Presets")[1]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines() if line.startswith("| `")]

    assert rows == [
        [
            f"`{name}`",
            found.title,
            f"`{found.url}`",
            ", ".join(found.options["layouts"]),
            "yes" if found.options["public"] else "no",
        ]
        for name, found in presets().items()
    ]


def test_options_that_symbolds_page_names_are_there():
    models = {"credentials": Credentials, "proxy": Proxy, "mirror": MirrorOptions}
    ours = text("symbold").split("|")[2::3]
    named = {name for cell in ours for name in re.findall(r"`([a-z_]+(?:\.[a-z_]+)?)(?::[^`]*)?`", cell)}
    words = {"symbold", "whitelist", "blacklist", "never", "convert", "sentry", "socorro", "generic", "list"}

    for name in named - words - {"symsrv"}:
        part, _, option = name.rpartition(".")
        model = models.get(part)
        fields = model.model_fields if model else {**UpstreamOptions.model_fields, **Config.model_fields}
        assert option in fields, name


TERMS = """lowerfile lowerid usepdb retain retrylimit retrytimeout timeout concurrentdownload force page take filter
servercredentials aws.accesskey aws.secret aws.bucketname proxy.host proxy.port proxy.username Whitelist Blacklist
Skiplist Logs queue summary archives symbol:post reprocess flushed anon"""


@pytest.mark.parametrize("term", TERMS.lower().split())
def test_every_term_of_symbold_is_mapped(term):
    assert term in text("symbold").lower()
