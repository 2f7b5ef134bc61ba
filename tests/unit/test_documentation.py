"""What the pages say about settings can be copied as it stands."""

import re
import tomllib
from pathlib import Path

import pytest

from riskmark.settings import load_settings

PAGES = Path(__file__).parents[2] / "docs"
_BLOCK = re.compile(r"^```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SAMPLES = [
    pytest.param(text, id=f"{page.stem}-{number}")
    for page in sorted(PAGES.rglob("*.md"))
    for number, text in enumerate(_BLOCK.findall(page.read_text(encoding="utf-8")), 1)
]


@pytest.mark.parametrize("text", SAMPLES)
def test_every_sample_of_settings_is_toml(text):
    assert tomllib.loads(text)


def test_the_settings_for_trying_without_the_internet_are_accepted(tmp_path):
    page = (PAGES / "howto" / "market-data.md").read_text(encoding="utf-8")
    sample = _BLOCK.findall(page.partition("## Try it without the internet")[2])[0]
    file = tmp_path / "riskmark.toml"
    file.write_text(sample, encoding="utf-8")

    settings = load_settings(file, {}).settings

    assert settings.providers.of("fmp").base_url == settings.providers.of("yfinance").base_url
