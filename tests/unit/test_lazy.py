import fractions
from types import ModuleType

import pytest

from synapse_sdk import plugins, reporting
from synapse_sdk.lazy import lazy_exports
from synapse_sdk.plugins import steps


def test_a_name_is_found_in_its_home() -> None:
    """When somebody asks."""
    assert lazy_exports("own", {"Fraction": "fractions"})("Fraction") is fractions.Fraction


def test_an_unknown_name_is_an_attribute_error() -> None:
    """As of any module, so that `hasattr` and `import` work as ever."""
    with pytest.raises(AttributeError, match="module 'own' has no attribute 'Frction'"):
        lazy_exports("own", {"Fraction": "fractions"})("Frction")


def test_a_home_that_lacks_the_name_is_an_error_as_well() -> None:
    """A stale table is found by the first who asks."""
    with pytest.raises(AttributeError, match="NoSuchThing"):
        lazy_exports("own", {"NoSuchThing": "fractions"})("NoSuchThing")


@pytest.mark.parametrize("package", [plugins, reporting, steps], ids=lambda package: package.__name__)
def test_every_public_name_of_a_package_is_there(package: ModuleType) -> None:
    """Those that are loaded on use, too."""
    for name in package.__all__:
        assert getattr(package, name) is not None
    assert not hasattr(package, "NoSuchThing")
