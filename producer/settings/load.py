"""Reading the settings: all of them, from all places, with all problems at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import Field, ValidationError

from producer.errors import SettingsError
from producer.settings import checks, environment, layers
from producer.settings.layers import CONFIG, KNOWN, Layer, Tree
from producer.settings.problems import Problems, details, env_name
from producer.settings.secret import long_key
from producer.settings.sources import SourceSettings, resolve, short_name


class Settings(Tree):
    """Everything that can be set, checked; durations in seconds. What a poll needs is in `sources`."""

    sources: tuple[SourceSettings, ...]
    warnings: tuple[str, ...]
    """What works, but may lose or double hits; a line each, starting with a setting's name."""
    origins: Mapping[str, str] = Field(repr=False)
    """`POLL_INTERVAL` to where its value comes from: flag, environment, file PATH or default."""


def load(
    *,
    config: Path | None,
    environ: Mapping[str, str],
    overrides: Sequence[str] = (),
    sources_required: bool = True,
) -> Settings:
    """Read the settings: `overrides` (`section.field=value`) before `environ` before the file before the defaults.

    A command that only reads Kafka needs no source: with `sources_required` false, none at all is no problem.
    Without `config` the file is what WOLKVOX_HITS_CONFIG in `environ` names, if anything.
    Raises SettingsError with every problem, each starting with the name of its setting; no secret is in any.
    """
    problems = Problems()
    places = _places(config, environment.cleaned(environ), overrides, problems)
    unread = bool(problems.names & {"--config", CONFIG})
    layers.pick_secrets(places, problems)
    tree = _tree(places, problems)
    if unread:
        # What is missing may well be in the file that can't be read.
        raise SettingsError(problems.lines)
    named = bool(places[-1].tables) or tree.wolkvox.server is not None
    sources = resolve(places[-1].tables, tree, problems) if named or sources_required else ()
    kafka = checks.with_secrets(tree.kafka, "kafka", problems)
    checks.security(kafka, problems)
    registry = checks.with_secrets(tree.registry, "registry", problems)
    checks.registry_access(registry, problems)
    privacy = checks.with_secrets(tree.privacy, "privacy", problems, check=long_key)
    checks.privacy_key(privacy, problems)
    if problems.lines:
        raise SettingsError(problems.lines)
    return Settings(
        **dict(tree) | {"privacy": privacy, "kafka": kafka, "registry": registry},
        sources=sources,
        warnings=(*environment.misspelt(environ), *checks.warnings(sources, tree.dedup, privacy, kafka, registry)),
        origins=_origins(places, sources),
    )


def _places(
    config: Path | None, variables: Mapping[str, str], overrides: Sequence[str], problems: Problems
) -> list[Layer]:
    stronger = [layers.from_flags(overrides, problems), environment.from_environment(variables)]
    named = variables.get(CONFIG)
    path = config or (Path(named) if named else None)
    if path is None:
        return [*stronger, Layer("file", {})]
    named_by = CONFIG if config is None else "--config"
    return [*stronger, layers.from_file(path, named_by=named_by, problems=problems)]


def _tree(places: Sequence[Layer], problems: Problems) -> Tree:
    try:
        return layers.merged(places)
    except ValidationError as error:
        for detail in details(error):
            section, name = (str(part) for part in detail["loc"][:2])
            problems.refuse(env_name(section, name), detail, secret=layers.is_hidden(section, name))
            for layer in places:
                layer.values.get(section, {}).pop(name, None)
    # The defaults stand in for what was refused, so that the other checks can be made.
    return layers.merged(places)


def _origins(places: Sequence[Layer], sources: Sequence[SourceSettings]) -> dict[str, str]:
    origins = {env_name(*one): layers.origin(places, *one) for one in KNOWN}
    for table, source in zip(places[-1].tables, sources, strict=False):
        for field in SourceSettings.model_fields:
            given = field in table or (field == "token" and "token_file" in table)
            origin = places[-1].origin if given else f"as {short_name(field)}"
            origins[f"[[source]] {source.server} {field}"] = origin
    return origins
