"""What `/schedule` says in every chat: a person's own reminders and jobs, and how to remove one."""

from __future__ import annotations

from agent.clock import on_clock_of
from agent.contracts import Profile
from agent.schedules.user_jobs import UserJobs
from aura_core.errors import AuraError
from aura_core.scheduler.job import Job
from aura_core.scheduler.triggers import At

NOTHING = "Nothing runs by itself for you. For example: /remind every weekday at 8 stand up"
HOW_TO_REMOVE = "/schedule remove ID removes one."


async def schedule_answer(user_jobs: UserJobs, person: str, words: str, profile: Profile) -> str:
    """Answers `/schedule`.

    Args:
        user_jobs: the jobs of people.
        person: who asks, as `channel:id`.
        words: what stands behind the command: nothing, or `remove` and an id. Numbers of a list would not do: a message
            that is handled twice would remove two.
        profile: the person's; times are shown on its clock.
    """
    command, _, name = words.strip().partition(" ")
    try:
        if not command or command.casefold() == "list":
            return _listed(await user_jobs.jobs_of(person), profile)
        if command.casefold() == "remove" and name.strip():
            gone = await user_jobs.remove_of(person, name.strip())
            return f"Removed: {_title(gone)}"
    except AuraError as error:
        return str(error)
    return f"/schedule lists what runs by itself for you; {HOW_TO_REMOVE}"


def _listed(jobs: list[Job], profile: Profile) -> str:
    return "\n".join([*(_line(job, profile) for job in jobs), "", HOW_TO_REMOVE]) if jobs else NOTHING


def _line(job: Job, profile: Profile) -> str:
    parts = [] if isinstance(job.trigger, At) else [str(job.trigger)]
    if job.next_at is not None:
        parts.append(f"{'next ' if parts else ''}{on_clock_of(profile, job.next_at):%Y-%m-%d %H:%M}")
    if job.last_status not in ("", "ok"):
        parts.append(f"last: {job.last_status}")
    return f"{job.id} · {_title(job)} · {', '.join(parts)}"


def _title(job: Job) -> str:
    return " ".join((job.title or job.task).split())
