"""What `watch` and `up` share: folders with their options, and durations."""

from pathlib import Path

import pytest

from symsrv.commands.base import Context
from symsrv.commands.watching import folders_to_watch, seconds_of
from symsrv.config import Config
from symsrv.model.errors import UsageError


def context(**options) -> Context:
    made = Context()
    made.config = Config.model_validate(options)
    return made


def test_named_folders_go_before_configured_ones():
    configured = context(watch=[{"path": "/configured", "product": "app"}])

    assert [folder.path for folder in folders_to_watch(configured, ("/named",), {})] == [str(Path("/named"))]
    (folder,) = folders_to_watch(configured, (), {})
    assert (folder.path, folder.product) == (str(Path("/configured")), "app")


def test_options_go_before_the_configuration():
    configured = context(watch=[{"path": "/configured", "product": "app", "quiet": "10s"}])

    (folder,) = folders_to_watch(configured, (), {"product": "other", "quiet": "500ms", "tag": None, "include": ()})

    assert (folder.product, folder.quiet_seconds, folder.tag) == ("other", 0.5, None)


def test_no_folder_at_all_says_what_to_do():
    with pytest.raises(UsageError, match="name one, or list folders under 'watch:'"):
        folders_to_watch(context(), (), {})


def test_durations():
    assert seconds_of("--quiet", None) is None
    assert seconds_of("--quiet", "1m30s") == 90
    with pytest.raises(UsageError, match="--quiet: 'soon' is not a duration"):
        seconds_of("--quiet", "soon")
