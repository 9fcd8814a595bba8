"""Settings: which place wins, and what is refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_sdk.errors import ConfigurationError
from synapse_sdk.settings import CHOICES, SETTING_NAMES, TEXTS, Settings, Source, load_settings, use_profile, user_file

HIGHEST_FIRST = (Source.FLAG, Source.ENVIRONMENT, Source.PROJECT, Source.PROFILE)
DEFAULTS = Settings()


@dataclass(frozen=True)
class Home:
    """A user's folders, empty at first."""

    project: Path
    user_file: Path
    environ: Mapping[str, str]

    def load(self, flags: Mapping[str, Any] | None = None, *, profile: str | None = None, **environ: str) -> Settings:
        """Load settings as a process of this user in the project would."""
        return load_settings(flags, profile=profile, environ={**self.environ, **environ}, directory=self.project)


def make_home(folder: Path) -> Home:
    """Make a home with nothing in it."""
    project = folder / "work" / "project"
    project.mkdir(parents=True)
    environ = {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "xdg")}
    path = user_file(environ)
    path.parent.mkdir(parents=True)
    return Home(project=project, user_file=path, environ=environ)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with nothing in it."""
    return make_home(tmp_path)


def values(name: str) -> st.SearchStrategy[Any]:
    """Everything that a setting can be."""
    if name in TEXTS:
        return st.sampled_from(["auto", "none", "runs.db", "sqlite:///runs.db", "true"])
    return st.sampled_from(CHOICES[name]) if name in CHOICES else st.booleans()


def toml(table: Mapping[str, Any]) -> str:
    """Write settings as lines of TOML."""
    return "".join(
        f"{name} = {str(value).lower() if isinstance(value, bool) else repr(value)}\n" for name, value in table.items()
    )


LAYERS = st.fixed_dictionaries(
    {
        source: st.fixed_dictionaries({}, optional={name: values(name) for name in SETTING_NAMES})
        for source in HIGHEST_FIRST
    }
)


@given(layers=LAYERS)
def test_the_highest_place_that_has_a_setting_wins(layers: Mapping[Source, Mapping[str, Any]]) -> None:
    """Flags go before the environment, the project, the profile and the default, for each setting by itself."""
    with TemporaryDirectory() as folder:
        home = make_home(Path(folder))
        (home.project / "synapse.toml").write_text(toml(layers[Source.PROJECT]), encoding="utf-8")
        home.user_file.write_text("[profile.default]\n" + toml(layers[Source.PROFILE]), encoding="utf-8")
        environ = {f"SYNAPSE_{name.upper()}": str(value) for name, value in layers[Source.ENVIRONMENT].items()}

        settings = home.load(layers[Source.FLAG], **environ)

    for name in SETTING_NAMES:
        having = [source for source in HIGHEST_FIRST if name in layers[source]]
        expected = layers[having[0]][name] if having else getattr(DEFAULTS, name)
        assert getattr(settings, name) == expected
        assert settings.origins[name].source is (having[0] if having else Source.DEFAULT)


def test_flags_that_were_not_given_do_not_count(home: Home) -> None:
    """None is no value."""
    assert home.load({"color": None}, SYNAPSE_COLOR="never").color == "never"


def test_an_empty_variable_counts_as_not_set(home: Home) -> None:
    """`SYNAPSE_COLOR= synapse` unsets it."""
    assert home.load(SYNAPSE_COLOR="").color == "auto"


def test_origins_name_the_flag_the_variable_and_the_file(home: Home) -> None:
    """Whoever wonders about a value finds the place."""
    (home.project / "pyproject.toml").write_text("[tool.synapse]\nmode = 'process'\n", encoding="utf-8")
    home.user_file.write_text("[profile.work]\ndebug = true\n", encoding="utf-8")

    settings = home.load({"color": "never"}, profile="work", SYNAPSE_PROGRESS="plain")

    assert {name: str(origin) for name, origin in settings.origins.items()} == {
        "color": "flag --color",
        "progress": "environment SYNAPSE_PROGRESS",
        "journal": "default",
        "backend": "default",
        "mode": f"project {home.project / 'pyproject.toml'}:tool.synapse",
        "debug": f"profile {home.user_file}:profile.work",
    }


def test_the_nearest_project_above_counts(home: Home) -> None:
    """A command works the same in every folder of a project, whoever else has a pyproject.toml on the way."""
    (home.project / "synapse.toml").write_text("color = 'never'\n", encoding="utf-8")
    (home.project.parent / "synapse.toml").write_text("color = 'always'\n", encoding="utf-8")
    inside = home.project / "src" / "deep"
    inside.mkdir(parents=True)
    (inside / "pyproject.toml").write_text("[project]\nname = 'synapse-user'\n", encoding="utf-8")

    assert load_settings(environ=home.environ, directory=inside).color == "never"


def test_a_broken_pyproject_of_somebody_else_is_not_read(home: Home) -> None:
    """A file that does not mention us cannot be in our way."""
    (home.project / "pyproject.toml").write_text("this is [not TOML", encoding="utf-8")

    assert home.load().color == "auto"


@pytest.mark.parametrize(
    ("text", "message", "fix"),
    [
        ("colour = 'never'", "Unknown setting 'colour'", "Did you mean 'color'?"),
        ("color = 'newer'", "Setting 'color' cannot be 'newer'", "Did you mean 'never'?"),
        ("debug = 'yes'", "Setting 'debug' cannot be 'yes'", "Set it to true or false"),
        ("debug = 1", "Setting 'debug' cannot be 1", "Set it to true or false"),
        ("color = ", "is not TOML", "Correct the line"),
    ],
)
def test_a_wrong_line_of_a_project_is_refused(home: Home, text: str, message: str, fix: str) -> None:
    """The error names file and key, and the way out."""
    path = home.project / "synapse.toml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(ConfigurationError) as caught:
        home.load()

    assert message in caught.value.message
    assert caught.value.fix == fix
    assert str(path) in str(caught.value.where) + caught.value.message


def test_a_wrong_line_is_refused_even_where_a_flag_overrules_it(home: Home) -> None:
    """It would strike later, when nobody thinks of it."""
    with pytest.raises(ConfigurationError, match=r"cannot be .newer."):
        home.load({"color": "never"}, SYNAPSE_COLOR="newer")


def test_the_key_of_a_wrong_setting_is_given_with_its_tables(home: Home) -> None:
    """`pyproject.toml` has many tables."""
    (home.project / "pyproject.toml").write_text("[tool.synapse]\nmod = 'local'\n", encoding="utf-8")

    with pytest.raises(ConfigurationError) as caught:
        home.load()

    assert caught.value.where == {"place": f"{home.project / 'pyproject.toml'}:tool.synapse.mod"}


@pytest.mark.parametrize(("word", "meaning"), [("1", True), ("Yes", True), ("off", False), ("0", False)])
def test_the_environment_says_true_and_false_in_several_words(home: Home, word: str, meaning: bool) -> None:  # noqa: FBT001  # a parameter of the test
    """A variable has text only."""
    assert home.load(SYNAPSE_DEBUG=word).debug is meaning


def test_the_file_says_which_profile_is_used(home: Home) -> None:
    """An option goes before the variable, that before the file."""
    tables = "".join(f"[profile.{name}]\nprogress = '{name}'\n" for name in ("bar", "plain", "none"))
    home.user_file.write_text(f"default_profile = 'bar'\n{tables}", encoding="utf-8")

    assert home.load().progress == "bar"
    assert home.load(SYNAPSE_PROFILE="plain").progress == "plain"
    assert home.load(profile="none", SYNAPSE_PROFILE="plain").progress == "none"


def test_an_unknown_profile_is_refused_with_the_nearest(home: Home) -> None:
    """Whoever asks for a profile must not get the default instead."""
    home.user_file.write_text("[profile.work]\n", encoding="utf-8")

    with pytest.raises(ConfigurationError, match=r"no profile 'wrok'.*Its profiles: work.*Did you mean 'work'"):
        home.load(profile="wrok")


def test_settings_outside_of_a_profile_are_refused(home: Home) -> None:
    """They would never be read."""
    home.user_file.write_text("color = 'never'\n", encoding="utf-8")

    with pytest.raises(ConfigurationError, match=r"Unknown key 'color'.*\[profile.default\]"):
        home.load()


def test_without_xdg_the_file_is_below_the_home_folder() -> None:
    """A relative XDG folder is to be ignored, as its specification says."""
    assert user_file({"HOME": "/home/ada"}) == Path("/home/ada/.config/synapse/config.toml")
    assert user_file({"HOME": "/home/ada", "XDG_CONFIG_HOME": "x"}) == Path("/home/ada/.config/synapse/config.toml")


def test_using_a_profile_changes_one_line_of_the_file(home: Home) -> None:
    """Comments, tables and permissions stay as they are."""
    before = "# mine\ndefault_profile = 'old'\n\n[profile.old]\n[profile.new]  # newer\ndebug = true\n"
    home.user_file.write_text(before, encoding="utf-8")
    home.user_file.chmod(0o600)

    use_profile("new", environ=home.environ)

    after = home.user_file.read_text(encoding="utf-8")
    assert after == 'default_profile = "new"\n# mine\n\n[profile.old]\n[profile.new]  # newer\ndebug = true\n'
    assert home.user_file.stat().st_mode & 0o777 == 0o600
    assert home.load().debug is True


def test_using_a_profile_follows_a_link_to_the_file(home: Home) -> None:
    """Dotfiles are often links into a repository."""
    real = home.project / "config.toml"
    real.write_text("[profile.work]\n", encoding="utf-8")
    home.user_file.symlink_to(real)

    use_profile("work", environ=home.environ)

    assert home.user_file.is_symlink()
    assert real.read_text(encoding="utf-8").startswith('default_profile = "work"')


def test_a_profile_that_does_not_exist_cannot_be_used(home: Home) -> None:
    """Nothing is written."""
    with pytest.raises(ConfigurationError, match="There is no profile 'work'"):
        use_profile("work", environ=home.environ)

    assert not home.user_file.exists()
