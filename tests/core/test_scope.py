"""What expressions reach through the names in their scope: data to read, and nothing that acts."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from aura_core.tasklet import Tasklet
from tests.fixtures.project import Project

REACHING = [
    "state.path",
    "state.path.parent.joinpath('/etc/passwd').read_text()",
    "state.edit()",
    "state.edit().gen",
    "state.refresh()",
    "state.view",
    "state._state",
    "state.plan",
    "path.read_text()",
    "path.parent.joinpath('x').write_text('y')",
    "path.unlink()",
    "path.open()",
    "path.home()",
    "later.send(none)",
    "later.close()",
    "bits.send(none)",
    "bits.gi_frame",
    "thing.work()",
]


@pytest.fixture
def scope(project: Project) -> Project:
    project.write(
        "p/actions/things.py",
        """
        from pathlib import Path
        from aura_core.api import Context, action

        class Thing:
            name = "a thing"
            async def work(self):
                pass

        async def later():
            pass

        def bits():
            yield 1

        @action("fill", inline=True)
        def fill(context: Context) -> None:
            work = later()
            context.variables.update(path=Path("/tmp/a/report.txt"), later=work, bits=bits(), thing=Thing())
            work.close()

        @action("remember", effects="write")
        async def remember(context: Context) -> None:
            async with context.state.edit() as data:
                data["seen"] = {"count": 1}
        """,
    )
    return project


@pytest.mark.parametrize("expression", REACHING)
@pytest.mark.parametrize("form", ["{{{{ {} }}}}", "x {{{{ {} }}}}"])
async def test_nothing_in_the_scope_acts(scope: Project, expression: str, form: str):
    scope.task("t", f'steps: [{{action: fill}}, {{set: {{a: "{form.format(expression)}"}}}}]')
    async with scope.running() as framework:
        result = await asyncio.wait_for(framework.submit(Tasklet("p/t")), 20)
    assert result.error is not None
    assert result.error.type == "ExpressionError", result.error


async def test_the_plans_data_and_the_name_of_a_path_are_read_as_before(scope: Project):
    result = await scope.run("""
        steps:
          - {action: remember}
          - {action: fill}
        returns:
          - "{{ state.seen.count }}"
          - "{{ state.get('none', 7) }}"
          - "{{ 'seen' in state and state | length == 1 }}"
          - "{% for key in state %}{{ key }}{% endfor %} {{ state }}"
          - "{{ path.name }} {{ path.suffix }} {{ path.parent.name }} {{ path }}"
          - "{{ thing.name }}"
    """)
    assert result.result == [
        1,
        7,
        True,
        "seen {'seen': {'count': 1}}",
        f"report.txt .txt a {Path('/tmp/a/report.txt')}",
        "a thing",
    ]
