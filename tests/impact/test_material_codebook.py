"""Material codebook: properties as vectors and back, the nearest code, and a code's properties."""

from __future__ import annotations

import math

import torch

from synesthesia.core.vocabulary import MATERIALS
from synesthesia.impact.material_codebook import MaterialCodebook
from synesthesia.impact.modal.materials import PROPERTY_NAMES, Properties

KNOWN = list(MATERIALS)


def codebook_of_materials() -> MaterialCodebook:
    """Code k stands for the k-th material."""
    torch.manual_seed(0)
    book = MaterialCodebook(len(MATERIALS), 6)
    with torch.no_grad():
        book.code_properties.copy_(book.standardised(Properties.of(KNOWN)))
    return book.requires_grad_(False)


def test_properties_as_vectors_and_back() -> None:
    known = Properties.of(KNOWN)
    numbers = known.to_vector()
    assert numbers.shape == (13, len(PROPERTY_NAMES)) and torch.isfinite(numbers).all()
    back = Properties.from_vector(numbers)
    for name in PROPERTY_NAMES:
        torch.testing.assert_close(getattr(back, name), getattr(known, name), rtol=1e-4, atol=1e-6)
    at = PROPERTY_NAMES.index("youngs_modulus_pa")
    assert float(numbers[MATERIALS.index("glass"), at]) == torch.tensor(70e9).log()


def test_a_code_has_its_properties() -> None:
    book, known = codebook_of_materials(), Properties.of(KNOWN)
    found = book.properties(torch.arange(13))
    for name in PROPERTY_NAMES:
        torch.testing.assert_close(getattr(found, name), getattr(known, name), rtol=2e-3, atol=1e-5)
    assert float(book.properties(torch.tensor([2])).density) == float(found.density[2])


def test_a_code_beside_its_material_is_still_physical() -> None:
    book = codebook_of_materials()
    random = torch.Generator().manual_seed(4)
    book.code_properties += 0.3 * torch.randn(book.code_properties.shape, generator=random)
    found = book.properties(torch.arange(13))
    solid = torch.tensor([name != "liquid" for name in MATERIALS])
    assert not found.bubbling[solid].any() and float(found.bubbling[~solid]) > 0.5
    assert float(found.poisson.max()) < 0.5 and float(found.poisson.min()) >= 0
    assert float(found.grain.max()) <= 1 and float(found.crackle.min()) >= 0 and float(found.crackle.max()) <= 1
    assert ((found.noise_share > 0) & (found.noise_share < 1)).all()


def test_the_nearest_code_is_likeliest() -> None:
    book = codebook_of_materials()
    shares = book.log_probabilities(3 * book.codes)
    assert torch.equal(shares.argmax(dim=1), torch.arange(13))
    torch.testing.assert_close(shares.exp().sum(dim=1), torch.ones(13))
    with torch.no_grad():
        book.log_sharpness.fill_(9.0)  # the sharpness is bounded
    assert (
        float(book.log_probabilities(book.codes).exp().max()) > 0.9
        and torch.isfinite(book.log_probabilities(book.codes)).all()
    )
    assert book.log_probabilities(torch.randn(2, 5, 6)).shape == (2, 5, 13)


def test_the_likelihood_prefers_the_right_code() -> None:
    book = codebook_of_materials()
    wanted = book.standardised(Properties.of(KNOWN))
    for k in range(13):
        sure = torch.full((13, 13), 0.1 / 12).fill_diagonal_(0.9).log()
        found = book.joint(sure, wanted[k].expand(13, -1), 0.1)
        assert int(found.logsumexp(dim=1).argmax()) == k
        assert bool((found.argmax(dim=1) == k).all())  # it explains the patch, whichever code is likely
    even = torch.full((1, 13), 1 / 13).log()
    exact = float(book.joint(even, wanted[:1], 0.1).logsumexp(dim=1))
    assert abs(exact + math.log(13)) < 1e-2  # one component fits, with its probability
    assert float(book.joint(even, wanted[:1] + 0.5, 0.1).logsumexp(dim=1)) < exact - 10


def test_codes_are_named_by_their_majority() -> None:
    book = codebook_of_materials()
    book.material_shares.copy_(torch.full((13, 13), 0.02).fill_diagonal_(0.76).flip(1))
    name, purity = book.majority_material()
    assert torch.equal(name, torch.arange(13).flip(0))
    torch.testing.assert_close(purity, torch.full((13,), 0.76))
