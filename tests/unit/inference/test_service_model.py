"""Models behind an HTTP service."""

from collections.abc import Iterator

import pytest

from synapse_sdk.downloads import HttpPoster
from synapse_sdk.errors import ModelOutputError, ModelServiceError, UnsafeUrlError
from synapse_sdk.inference import ServiceModel
from synapse_sdk.inference import service_model as module
from synapse_sdk.testing import FakeClock
from tests.unit.inference.conftest import Ask
from tests.unit.inference.service import Service, serving

BOX = {"label": "cat", "box": [0, 0, 64, 64], "score": 0.5}


@pytest.fixture
def service() -> Iterator[Service]:
    """A service."""
    with serving() as service:
        yield service


@pytest.fixture
def model(service: Service) -> Iterator[ServiceModel]:
    """The model behind it, with pauses that take no time."""
    clock = FakeClock()
    model = ServiceModel(service.url, poster=lambda url: HttpPoster(url, allows_private=True, clock=clock))
    service.asked.clear()
    yield model
    model.close()


def test_a_service_is_greeted_and_asked(service: Service, ask: Ask) -> None:
    """As agreed: contents in Base64, params, and a result for each input."""
    model = ServiceModel(service.url)

    assert model([ask(), ask(label="dog")]) == [[BOX], [{**BOX, "label": "dog"}]]
    assert service.asked == [[], ["photo.png", "photo.png"]]
    model.close()


@pytest.mark.parametrize("way", ["503", "500", "408", "429", "hang up"])
def test_what_may_pass_is_tried_again(service: Service, model: ServiceModel, ask: Ask, way: str) -> None:
    """After a pause, and three times at most."""
    service.script = [way, way]

    assert model([ask()]) == [[BOX]]
    assert len(service.asked) == 3


@pytest.mark.parametrize(
    ("way", "words"),
    [
        ("400", "The server answered 400"),
        ("403", "The server answered 403"),
        ("302", "The server answered 302"),
        ("html", "answered 'text/html', and not 'application/json'"),
        ("list", "has returned no list of results for 1 inputs"),
        ("few", "has returned 9 results for 1 inputs"),
        ("503", "The server answered 503"),
    ],
)
def test_another_answer_is_an_error(service: Service, model: ServiceModel, ask: Ask, way: str, words: str) -> None:
    """It says what came; the URL is named without what is secret in it; no redirect is followed."""
    service.script = [f"{way}!"]

    with pytest.raises(ModelServiceError, match=words) as caught:
        model([ask()])

    assert len(service.asked) == (4 if way == "503" else 1)
    assert (caught.value.transient, "secret" in str(caught.value)) == (False, False)


def test_an_error_of_the_service_is_about_its_input(model: ServiceModel, ask: Ask) -> None:
    """The others of the batch are answered."""
    good, bad = ask(), ask()
    object.__setattr__(bad, "name", "bad.png")

    first, second = model([good, bad])

    assert first == [BOX]
    assert isinstance(second, ModelOutputError)
    assert "it is bad" in str(second)


def test_a_service_that_is_gone_is_told_from_one_that_cannot_take_an_image(
    service: Service, model: ServiceModel, ask: Ask
) -> None:
    """After eight requests that failed in a row, trying again is up to the user."""
    service.script = ["503!"]
    transient = []
    for _ in range(module.HOPELESS):
        with pytest.raises(ModelServiceError) as caught:
            model([ask()])
        transient.append(caught.value.transient)

    assert transient == [*[False] * (module.HOPELESS - 1), True]


def test_requests_have_a_size(service: Service, model: ServiceModel, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is more is asked in several; an answer that is too large is refused."""
    monkeypatch.setattr(module, "MOST_REQUEST", 2 * len(model.prepare(ask())) + 10)

    assert model([ask()] * 5) == [[BOX]] * 5
    assert [len(each) for each in service.asked] == [2, 2, 1]
    monkeypatch.setattr(module, "MOST_ANSWER", 20)
    with pytest.raises(ModelServiceError, match="The answer has more than 20 bytes"):
        model([ask()])


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/", "http://user:hunter2@127.0.0.1/", "http:///x", "https://[fe80::1]/"]
)
def test_some_addresses_are_never_asked(url: str) -> None:
    """Metadata services of clouds, and URLs with credentials."""
    with pytest.raises((UnsafeUrlError, ModelServiceError), match=r"Will not|metadata|link-local") as caught:
        ServiceModel(url)
    assert "hunter2" not in str(caught.value)


def test_a_service_that_is_not_there_is_named() -> None:
    """At once: it is greeted before any image is fetched."""
    with serving() as service:
        gone = service.url
    clock = FakeClock()

    with pytest.raises(ModelServiceError, match=r"does not answer\. It cannot be reached") as caught:
        ServiceModel(gone, poster=lambda url: HttpPoster(url, allows_private=True, clock=clock))
    assert caught.value.transient
