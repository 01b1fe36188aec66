"""What the tests of the core share: a project of plans in a folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)
