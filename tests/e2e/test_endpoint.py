"""The named endpoint `/hear`, called the way a program calls it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from synesthesia.recipe import from_json


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory, cat: Image.Image) -> str:
    path = tmp_path_factory.mktemp("endpoint") / "cat.png"
    cat.save(path)
    return str(path)


def test_hear_gives_a_wav_file_and_evidence(url: str, photo: str) -> None:
    from gradio_client import Client, handle_file

    client = Client(url, verbose=False)
    wav, evidence = client.predict(handle_file(photo), 230, 180, "flow", 2.0, 3, api_name="/hear")
    sound, rate_hz = soundfile.read(wav, dtype="int16")
    assert Path(wav).suffix == ".wav" and rate_hz == 16_000 and len(sound) == 2 * rate_hz
    assert evidence["silent"] == (not np.any(sound))
    recipe = from_json(evidence["recipe_json"])
    assert recipe.seed == 3 and recipe.path == "flow"
    again, _ = client.predict(handle_file(photo), 230, 180, "direct", 2.0, 3, api_name="/hear")
    assert np.array_equal(soundfile.read(again, dtype="int16")[0], sound), "the same seed gives the same samples"


@pytest.mark.parametrize(
    ("x", "path", "seconds", "sentence"),
    [
        (5000, "flow", 2.0, "outside"),
        (5, "opera", 2.0, "opera"),
        (5, "flow", 0, "between"),
        (5, "flow", 1e9, "between"),
    ],
)
def test_bad_input_is_one_sentence(url: str, photo: str, x: float, path: str, seconds: float, sentence: str) -> None:
    from gradio_client import Client, handle_file

    with pytest.raises(Exception, match=sentence):
        Client(url, verbose=False).predict(handle_file(photo), x, 20, path, seconds, 0, api_name="/hear")


def test_only_the_named_endpoint_is_offered(url: str) -> None:
    from gradio_client import Client

    offered = Client(url, verbose=False).view_api(return_format="dict")
    assert set(offered["named_endpoints"]) == {"/hear", "/locate", "/ask"} and not offered["unnamed_endpoints"]
