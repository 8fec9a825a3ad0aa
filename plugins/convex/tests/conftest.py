# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0
"""The shipped functions, run by convex-test in Node behind Convex's HTTP API."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import pytest
from genkitx.files import exclusive_lock, replace_file
from genkitx.testing.node import NodePackages, install_packages
from genkitx_convex import write_convex_functions

SERVER = Path(__file__).parent / 'convex-server'
ADMIN_KEY = 'dev:test|0123456789abcdef'
FIELDS = ('rare', 'even', 'color', 'only_old', 'k', 'tenant', 'year', 'source.page')


@dataclass(frozen=True)
class Deployment:
    """A deployment.

    Attributes:
        url: Its address.
        key: Its deploy key.
        fields: Its filter fields.
        project: The folder that was deployed.
    """

    url: str
    key: str
    fields: tuple[str, ...]
    project: Path

    def fail(self, *answers: dict[str, Any]) -> None:
        """Says how the next requests are answered: {status, body, headers}, {drop}, {hang}, or {after} to lose the answer."""
        httpx.post(f'{self.url}/__faults', json=answers).raise_for_status()

    def requests(self) -> list[dict[str, Any]]:
        """Returns and forgets what was asked: kind, path, bytes, rows."""
        return httpx.get(f'{self.url}/__log').json()


Deploy: TypeAlias = Callable[..., Deployment]
"""`deploy(dimensions=64, guard=..., filter_fields=..., environment=...)` gives a new, empty deployment."""


@pytest.fixture(scope='session')
def toolchain() -> NodePackages:
    """A folder with the locked npm packages, and the server beside them."""
    packages = install_packages(SERVER, 'convex')
    with exclusive_lock(packages.folder / '.lock', timeout=300, what=str(packages.folder)):
        for source in SERVER.glob('*.mjs'):
            copy = packages.folder / source.name
            if not copy.exists() or copy.read_bytes() != source.read_bytes():
                replace_file(copy, source.read_bytes())
    return packages


@pytest.fixture(scope='session')
def deploy(toolchain: NodePackages, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deploy]:
    """Makes deployments, all in one Node process that ends with the session."""
    folder = tmp_path_factory.mktemp('convex')
    projects: dict[Any, Path] = {}
    with (folder / 'log').open('wb') as log:
        process = subprocess.Popen(
            [toolchain.node, str(toolchain.folder / 'server.mjs')],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )

    def deploy(
        environment: dict[str, str] | None = None,
        extra: dict[str, str] | None = None,
        project: Path | None = None,
        **arguments: Any,
    ) -> Deployment:
        arguments = {'dimensions': 64, 'filter_fields': FIELDS, **arguments}
        key = json.dumps([arguments, extra, str(project)], sort_keys=True)
        if project is not None:
            projects[key] = project
        if key not in projects:
            projects[key] = folder / str(len(projects)) / 'convex'
            write_convex_functions(projects[key], **arguments)
            for name, text in (extra or {}).items():
                (projects[key] / name).parent.mkdir(exist_ok=True)
                (projects[key] / name).write_text(text)
        order = {'directory': str(projects[key]), 'environment': environment, 'adminKey': ADMIN_KEY}
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(order) + '\n')
        process.stdin.flush()
        answer = json.loads(process.stdout.readline() or '{"error": "the server ended"}')
        assert 'url' in answer, (answer, (folder / 'log').read_text())
        return Deployment(answer['url'], ADMIN_KEY, tuple(arguments['filter_fields']), projects[key])

    yield deploy
    process.communicate(timeout=20)


@pytest.fixture
def deployment(deploy: Deploy) -> Deployment:
    """A new deployment of 64 dimensions with the default guard."""
    return deploy()


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv('CONVEX_URL', raising=False)
    monkeypatch.delenv('CONVEX_DEPLOY_KEY', raising=False)
