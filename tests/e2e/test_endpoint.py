"""The named endpoint `/hear`, called the way a program calls it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image

from synesthesia.core import checkpoints
from synesthesia.core.presets import embedded
from synesthesia.core.recipe import from_json


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory, cat: Image.Image) -> str:
    path = tmp_path_factory.mktemp("endpoint") / "cat.png"
    cat.save(path)
    return str(path)


@pytest.fixture(scope="module")
def client(url: str) -> Any:
    from gradio_client import Client

    return Client(url, verbose=False)


def test_hear_gives_a_wav_file_and_evidence(client: Any, photo: str) -> None:
    from gradio_client import handle_file

    wav, evidence = client.predict(handle_file(photo), 230, 180, "flow", 2.0, 3, api_name="/hear")
    sound, rate_hz = soundfile.read(wav, dtype="int16")
    assert Path(wav).suffix == ".wav" and rate_hz == 16_000 and len(sound) == 2 * rate_hz
    assert evidence["silent"] == (not np.any(sound))
    recipe = from_json(evidence["recipe_json"])
    assert recipe.seed == 3 and recipe.path == "flow"
    again, _ = client.predict(handle_file(photo), 230, 180, "direct", 2.0, 3, api_name="/hear")
    assert np.array_equal(soundfile.read(again, dtype="int16")[0], sound), "the same seed gives the same samples"


def test_what_is_there_is_struck(client: Any, photo: str) -> None:
    """Force, mallet and what ifs come last and may be left out, as may the length."""
    from gradio_client import handle_file

    if not checkpoints.is_listed(embedded().impact.weights.folder):
        pytest.skip("the path tap has not been trained yet")
    wav, said = client.predict(
        handle_file(photo), 230, 180, "tap", seed=3, force=12, mallet="metal", material="glass", api_name="/hear"
    )
    sound, rate_hz = soundfile.read(wav, dtype="int16")
    assert rate_hz == 16_000 and len(sound) == 1.5 * rate_hz
    recipe = from_json(said["recipe_json"])
    assert (recipe.path, recipe.force, recipe.mallet, recipe.material) == ("tap", 12.0, "metal", "glass")
    assert said["silent"] == (said["blow"] is None) == (not np.any(sound)) and said["tokens"] is None
    if said["blow"]:
        assert said["blow"]["material"] == "glass" and len(said["blow"]["envelope"]) == 150


def test_the_new_settings_are_checked_at_the_endpoint(client: Any, photo: str) -> None:
    from gradio_client import handle_file

    for wrong, sentence in (
        ({"force": 99}, "newtons"),
        ({"mallet": "hammer"}, "mallet"),
        ({"material": "gold"}, "gold"),
    ):
        with pytest.raises(Exception, match=sentence):
            client.predict(handle_file(photo), 230, 180, "tap", api_name="/hear", **wrong)


@pytest.mark.parametrize(
    ("x", "path", "seconds", "sentence"),
    [
        (5000, "flow", 2.0, "outside"),
        (5, "opera", 2.0, "opera"),
        (5, "flow", 0, "between"),
        (5, "flow", 1e9, "between"),
    ],
)
def test_bad_input_is_one_sentence(client: Any, photo: str, x: float, path: str, seconds: float, sentence: str) -> None:
    from gradio_client import handle_file

    with pytest.raises(Exception, match=sentence):
        client.predict(handle_file(photo), x, 20, path, seconds, 0, api_name="/hear")


def test_only_the_named_endpoint_is_offered(client: Any) -> None:
    offered = client.view_api(return_format="dict")
    assert set(offered["named_endpoints"]) == {"/hear", "/locate", "/ask"} and not offered["unnamed_endpoints"]
