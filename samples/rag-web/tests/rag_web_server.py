# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""Starts the sample as a stranger does, and stops it for certain; and what the tests upload."""

import base64
import contextlib
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
KEYS = ('GROQ_API_KEY', 'COHERE_API_KEY', 'CO_API_KEY', 'GENKIT_ENV')


@dataclass
class Server:
    """A running sample."""

    process: subprocess.Popen
    output: Path
    errors: Path
    index: Path

    @property
    def base(self):
        found = re.search(r'http://127\.0\.0\.1:\d+', self.output.read_text())
        return found and found[0]

    def api(self, flow):
        return f'{self.base}/api/{flow}'


def command(script='main.py'):
    return [sys.executable, str(HERE / script)]


def environment():
    clean = {key: value for key, value in os.environ.items() if key not in KEYS}
    # A port that nothing listens on: no Ollama of this machine takes part.
    return {**clean, 'OLLAMA_HOST': '127.0.0.1:1', 'PYTHONUNBUFFERED': '1', 'PYTHONWARNINGS': 'default'}


@contextlib.contextmanager
def serving(folder, *options, script='main.py', stop=signal.SIGTERM):
    """Runs the sample, and checks that it ends well."""
    folder.mkdir(exist_ok=True)
    index, output, errors = folder / 'index', folder / 'output', folder / 'errors'
    with output.open('w') as out, errors.open('w') as err:
        arguments = [*command(script), '--port', '0', '--index', str(index), *options]
        process = subprocess.Popen(arguments, stdout=out, stderr=err, env=environment())
    server = Server(process, output, errors, index)
    try:
        while not server.base:
            assert process.poll() is None, errors.read_text()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
        yield server
        process.send_signal(stop)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
    assert output.read_text().endswith('Stopped.\n')
    for bad in ('Traceback', 'never retrieved', 'was destroyed', 'never awaited', 'ResourceWarning'):
        assert bad not in errors.read_text(), errors.read_text()


def upload_of(name, content):
    data = content if isinstance(content, bytes) else content.encode()
    return {'name': name, 'content': base64.b64encode(data).decode()}


CATS = '# Cats\n\nCats purr when they are content.\n\n## Food\n\nA cat eats meat, and drinks water.\n'
TRAINS = '# Trains\n\nThe night train to Vienna leaves at eleven in the evening.\n'


def chapters(count):
    """A text of as many passages."""
    return ''.join(
        f'# Chapter {number}\n\nChapter {number} tells of topic {number % 13}.\n\n' for number in range(count)
    )
