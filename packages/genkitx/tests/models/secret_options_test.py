# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0

"""Keys in a config that is a plain dict."""

from genkit import Plugin
from genkit.model import ModelRef
from genkitx import Genkit
from genkitx.secret_options import config_class, hide_secrets
from pydantic import BaseModel, SecretStr


class Inner(BaseModel):
    token: SecretStr | None = None


class Config(BaseModel):
    api_key: SecretStr | None = None
    inner: Inner | None = None
    temperature: float | None = None


class Keyed(Plugin):
    name = 'keyed'

    async def init(self):
        return []

    async def resolve(self, action_type, name):
        return None

    async def list_actions(self):
        return []

    def config_class(self, model):
        return Config if model == 'chat' else None


def test_secret_fields_are_hidden_by_any_of_their_names_and_nothing_else_is():
    given = {'apiKey': 'k', 'inner': {'token': 't', 'other': 1}, 'temperature': 0.0, 'unknown': 'u'}
    hidden = hide_secrets(given, Config)
    assert hidden['apiKey'].get_secret_value() == 'k'
    assert hidden['inner']['token'].get_secret_value() == 't'
    assert (hidden['temperature'], hidden['unknown'], hidden['inner']['other']) == (0.0, 'u', 1)
    assert given['apiKey'] == 'k'
    assert hide_secrets({'api_key': SecretStr('k'), 'inner': None}, Config)['api_key'].get_secret_value() == 'k'
    assert hide_secrets('no mapping', Config) == 'no mapping'


def test_the_class_comes_from_the_plugin_or_the_reference():
    plugins = [Keyed()]
    assert config_class('keyed/chat', plugins) is Config
    assert config_class('keyed/other', plugins) is None
    assert config_class('other/chat', plugins) is None
    assert config_class(None, plugins) is None
    assert config_class(ModelRef(name='any/model', config_schema=Config), []) is Config


async def test_generate_hands_the_model_what_it_was_given():
    seen = []
    ai = Genkit(plugins=[Keyed()])

    async def model(request):
        seen.append(request.config)
        raise RuntimeError('enough')

    ai.define_model('keyed/chat', model)
    await ai.generate(model='keyed/chat', prompt='x', config={'api_key': 'k', 'temperature': 0.5})
    config = seen[0] if isinstance(seen[0], dict) else seen[0].model_dump()
    assert config['temperature'] == 0.5
    key = config.get('api_key') or config.get('apiKey')
    assert key.get_secret_value() == 'k'
