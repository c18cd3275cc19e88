"""The models have every member that mParticle's server SDKs know, and tell what each one means."""

import ast
import inspect
from pathlib import Path

import msgspec
import pytest

import mparticle_sdk
from mparticle_sdk import Model

FIELDS = Path(__file__).parents[1] / "data" / "sdk" / "fields.tsv"
"""Made by hand from the tables of the batch schema: all fields with a server SDK among their sources."""

MODELS = [model for model in vars(mparticle_sdk).values() if isinstance(model, type) and issubclass(model, Model)]
EVENTS = [model for model in MODELS if issubclass(model, mparticle_sdk.Event) and model.EVENT_TYPE]


def listed() -> list[tuple[str, str]]:
    rows = [line.split("\t") for line in FIELDS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return [(model, name) for model, name, _ in rows]


def names(model: type[Model]) -> set[str]:
    return {name for field in msgspec.structs.fields(model) for name in (field.name, field.encode_name)}


def test_the_list_is_that_of_all_tables() -> None:
    assert len(listed()) > 280


@pytest.mark.parametrize(("model", "name"), listed(), ids=[".".join(row) for row in listed()])
def test_every_member_that_a_server_sdk_knows_exists(model: str, name: str) -> None:
    holders: list[type[Model]] = (
        [mparticle_sdk.EventData, *EVENTS] if model == "(every event)" else [getattr(mparticle_sdk, model)]
    )

    lacking = [holder.__name__ for holder in holders if name not in names(holder)]

    assert lacking == []


def test_every_official_name_exists() -> None:
    official = pytest.importorskip("mparticle")
    public = {name for name, value in vars(official).items() if isinstance(value, type)}

    assert public - set(mparticle_sdk.__all__) == set()


def test_positional_arguments_of_the_official_sdk_keep_their_places() -> None:
    official = pytest.importorskip("mparticle.models")
    moved = {}
    for model in MODELS:
        if theirs := getattr(official, model.__name__, None):
            places = list(inspect.signature(theirs).parameters)
            parameters = inspect.signature(model).parameters.values()
            ours = [parameter.name for parameter in parameters if parameter.kind != parameter.KEYWORD_ONLY]
            if model is not mparticle_sdk.ConsentState and ours[: len(places)] != places:
                moved[model.__name__] = ours

    assert moved == {}


def test_models_have_every_public_name_of_the_official_ones() -> None:
    official = pytest.importorskip("mparticle.models")
    lacking = {
        f"{model.__name__}.{name}"
        for model in MODELS
        for name in dir(getattr(official, model.__name__, object))
        if not name.startswith("_") and not hasattr(model, name)
    }

    assert lacking == {"DeviceInformation.validateUUID"}  # a helper of its setters


def test_every_member_has_a_docstring() -> None:
    package = Path(mparticle_sdk.__file__).parent
    silent = []
    for module in ("batch", "commerce", "consent", "device", "events", "identity"):
        tree = ast.parse((package / f"{module}.py").read_text(encoding="utf-8"))
        for model in (node for node in tree.body if isinstance(node, ast.ClassDef)):
            for member, following in zip(model.body, [*model.body[1:], None], strict=True):
                is_member = isinstance(member, ast.AnnAssign) and "ClassVar" not in ast.unparse(member.annotation)
                told = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
                if is_member and not told:
                    silent.append(f"{model.name}: {ast.unparse(member)}")

    assert silent == []
