# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0

"""What `generate` reports instead of raising."""

import pytest
from genkit import GenkitError, ModelResponse
from genkitx import Genkit, raise_if_failed


@pytest.mark.parametrize('status', ['UNAVAILABLE', 'NOT_FOUND'])
async def test_a_failure_is_raised_as_it_was(status):
    ai = Genkit()

    async def model(request):
        raise GenkitError(status=status, message='the model says no', details={'why': 1})

    ai.define_model('no', model)
    with pytest.raises(GenkitError, match='the model says no') as caught:
        raise_if_failed(await ai.generate(model='no', prompt='x'))
    assert caught.value.status == status


@pytest.mark.parametrize('status', ['OK', 'SOMETHING'])
def test_a_status_that_is_none_is_internal(status):
    response = ModelResponse.model_validate({'error': {'status': status, 'message': 'm'}})
    with pytest.raises(GenkitError) as caught:
        raise_if_failed(response)
    assert caught.value.status == 'INTERNAL'


def test_an_answer_is_returned():
    response = ModelResponse()
    assert raise_if_failed(response) is response
