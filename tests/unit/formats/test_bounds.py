import pytest

from synapse_sdk.errors import InvalidDatasetError
from synapse_sdk.formats.base import BoundsPolicy
from synapse_sdk.formats.bounds import Fitter
from synapse_sdk.formats.losses import LossLog, Outcome
from synapse_sdk.formats.masks import mask_of_runs
from synapse_sdk.formats.model import (
    Annotation,
    Box,
    Item,
    Keypoints,
    Polygon,
    Polyline,
    Relation,
    RotatedBox,
    Shape,
    Verbatim,
)

SQUARE = [10.0, 10.0, 20.0, 10.0, 20.0, 20.0, 10.0, 20.0]
BESIDE = [200.0, 10.0, 220.0, 10.0, 220.0, 20.0]
FLAT = [10.0, 10.0, 20.0, 10.0, 30.0, 10.0]


def annotation(box: Box | None = None, shape: Shape | None = None, joints: list[float] | None = None) -> Annotation:
    """Return an annotation of an image of 100 x 50 pixels."""
    keypoints = None if joints is None else Keypoints(joints)
    return Annotation(id="7", label="car", box=box, shape=shape, keypoints=keypoints)


def fit(
    what: Annotation, policy: BoundsPolicy = BoundsPolicy.CLIP
) -> tuple[Annotation | None, list[tuple[Outcome, str]]]:
    """Return an annotation that was made to fit, and what was said of it."""
    losses = LossLog()
    fitted = Fitter(policy, losses).fit(Item(name="a.jpg", width=100, height=50, annotations=[what]), what)
    assert losses.annotations.total() == (1 if losses.reasons else 0), "an annotation counts once"
    return fitted, [(outcome, reason.code) for outcome, reason in losses.reasons]


@pytest.mark.parametrize("policy", BoundsPolicy)
@pytest.mark.parametrize(
    "what",
    [
        annotation(),
        annotation(Box(0, 0, 100, 50)),
        annotation(shape=Polygon([SQUARE], [[12, 12, 14, 12, 14, 14]])),
        annotation(shape=Polyline([0, 0, 100, 50])),
        annotation(shape=RotatedBox(50, 25, 10, 5, 1)),
        annotation(shape=mask_of_runs([[0, 3]], 100, 50)),
        annotation(shape=Relation("1", "2")),
        annotation(shape=Verbatim("segmentation", "video_1", None)),
        annotation(joints=[0, 0, 0, 100, 50, 2]),
        annotation(joints=[0, 0, 0]),
    ],
)
def test_what_fits_stays_as_it_is(what: Annotation, policy: BoundsPolicy) -> None:
    """Under every policy, and without a word."""
    assert fit(what, policy) == (what, [])


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (annotation(Box(-10, 10, 30, 30)), annotation(Box(0, 10, 20, 30))),
        (annotation(Box(-10, -10, 500, 500)), annotation(Box(0, 0, 100, 50))),
        (
            annotation(shape=Polygon([[90, 10, 110, 10, 110, 20, 90, 20]])),
            annotation(shape=Polygon([[100, 20, 90, 20, 90, 10, 100, 10]], [])),
        ),
        (annotation(shape=Polygon([SQUARE, BESIDE])), annotation(shape=Polygon([SQUARE], []))),
        (annotation(shape=Polyline([50, 25, 150, 25])), annotation(shape=Polyline([50, 25, 100, 25]))),
        (
            annotation(shape=RotatedBox(100, 25, 20, 10, 0)),
            annotation(shape=Polygon([[100, 30, 90, 30, 90, 20, 100, 20]])),
        ),
        (annotation(joints=[50, 25, 2, 150, 25, 1]), annotation(joints=[50, 25, 2, 0, 0, 0])),
        (
            annotation(shape=mask_of_runs([[98, 5]], 120, 60)),
            annotation(shape=mask_of_runs([[98, 2]], 100, 50)),
        ),
        (
            annotation(Box(200, 10, 5, 5), Polygon([SQUARE])),
            annotation(Box(10, 10, 10, 10), Polygon([SQUARE], [])),
        ),
        (annotation(Box(10, 10, 5, 5), Polygon([BESIDE])), annotation(Box(10, 10, 5, 5))),
        (annotation(Box(10, 10, 5, 5), joints=[-5, 25, 2]), annotation(Box(10, 10, 5, 5), joints=[0, 0, 0])),
    ],
)
def test_what_reaches_over_the_edge_is_cut_and_reported(what: Annotation, expected: Annotation) -> None:
    """C4, L11: and nothing of it is lost that is inside."""
    fitted, said = fit(what)

    assert fitted == expected
    assert said == [(Outcome.CHANGED, "CLIPPED")]


@pytest.mark.parametrize(
    "what",
    [
        annotation(Box(100, 10, 5, 5)),
        annotation(Box(-50, -50, 20, 20)),
        annotation(shape=Polygon([BESIDE])),
        annotation(shape=Polygon([[-10, 10, 10, -10, -10, -10]])),
        annotation(shape=Polyline([150, 10, 150, 20])),
        annotation(shape=RotatedBox(150, 25, 10, 5, 1)),
        annotation(shape=mask_of_runs([[110, 5]], 120, 60)),
        annotation(joints=[150, 25, 2, -50, 25, 1]),
        annotation(Box(150, 10, 5, 5), Polygon([BESIDE]), [150, 25, 2]),
    ],
)
def test_what_is_outside_is_dropped_and_reported(what: Annotation) -> None:
    """C4: there is nothing to be cut off it that would leave something, and it is not said to be cut."""
    fitted, said = fit(what)

    assert fitted is None
    assert said == [(Outcome.DROPPED, "NOT_IN_IMAGE")]


def test_rounding_is_cut_without_a_word() -> None:
    """D7: a ten millionth of a pixel is nobody's concern, but the trainer's, who would leave out the image."""
    fitted, said = fit(annotation(Box(50, 10, 50 + 1e-7, 40 + 1e-7)))

    assert fitted == annotation(Box(50, 10, 50, 40))
    assert said == []


@pytest.mark.parametrize(
    "what",
    [
        annotation(Box(10, 10, 0, 5)),
        annotation(Box(10, 10, 5, -5)),
        annotation(Box(10, 10, float("nan"), 5)),
        annotation(shape=Polygon([])),
        annotation(shape=Polygon([FLAT, [10, 10, 20, 20]], [SQUARE])),
        annotation(shape=RotatedBox(50, 25, 10, 0, 1)),
        annotation(Box(10, 10, 0, 5), Polygon([FLAT]), [10, 10, 2]),
    ],
)
@pytest.mark.parametrize("policy", BoundsPolicy)
def test_what_has_no_extent_is_dropped_and_reported(what: Annotation, policy: BoundsPolicy) -> None:
    """C5: under every policy."""
    assert fit(what, policy) == (None, [(Outcome.DROPPED, "EMPTY")])


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (annotation(Box(0, 0, 0, 0), Polygon([SQUARE])), annotation(Box(10, 10, 10, 10), Polygon([SQUARE]))),
        (
            annotation(Box(5, 5, -1, 5), joints=[10, 10, 2, 20, 30, 1]),
            annotation(Box(10, 10, 10, 20), joints=[10, 10, 2, 20, 30, 1]),
        ),
        (annotation(Box(5, 5, 5, 5), Polygon([FLAT])), annotation(Box(5, 5, 5, 5))),
        (annotation(Box(5, 5, 5, 5), RotatedBox(9, 9, 0, 4, 0)), annotation(Box(5, 5, 5, 5))),
        (
            annotation(shape=Polygon([FLAT, SQUARE], [[1, 1], [12, 12, 14, 12, 14, 14]])),
            annotation(shape=Polygon([SQUARE], [[12, 12, 14, 12, 14, 14]])),
        ),
    ],
)
def test_what_else_an_object_has_is_kept(what: Annotation, expected: Annotation) -> None:
    """C5: some tools leave the box at 0 when they draw an outline."""
    assert fit(what) == (expected, [(Outcome.CHANGED, "EMPTY")])


def test_an_outline_that_crosses_itself_is_kept() -> None:
    """Its signed area may be 0, yet it covers something."""
    what = annotation(shape=Polygon([[10, 10, 20, 20, 20, 10, 10, 20]]))

    assert fit(what) == (what, [])


def test_what_reaches_over_the_edge_may_be_kept() -> None:
    """Nor is it reported then."""
    what = annotation(Box(-10, 10, 30, 30), Polygon([BESIDE]), [150, 25, 2])

    assert fit(what, BoundsPolicy.KEEP) == (what, [])


def test_what_reaches_over_the_edge_may_be_dropped() -> None:
    """As a whole; the log says by how much it does."""
    assert fit(annotation(Box(-10, 10, 30, 30)), BoundsPolicy.DROP) == (None, [(Outcome.DROPPED, "OUTSIDE")])


def test_what_reaches_over_the_edge_may_be_an_error() -> None:
    """It names item and annotation."""
    with pytest.raises(InvalidDatasetError, match=r"'7' of 'a.jpg' is 10 px over the edge of 100 x 50"):
        fit(annotation(Box(-10, 10, 30, 30)), BoundsPolicy.ERROR)
